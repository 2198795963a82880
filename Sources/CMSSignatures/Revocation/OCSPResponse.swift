import COpenSSL
public import Octets

/// An answer of an OCSP responder (RFC 6960).
public struct OCSPResponse: Sendable {
    /// OCSPResponse, or BasicOCSPResponse, in DER.
    public let der: OctetString

    /// Takes an OCSPResponse or, as some signatures embed it, a BasicOCSPResponse; nothing in it is verified.
    /// - Throws: ``CryptographyError/Kind/failed`` when the responder gives no answer, with its reason;
    ///   ``CryptographyError/Kind/malformed`` when it is neither.
    public init(_ octets: OctetString) throws(CryptographyError) {
        der = octets
        _ = try basic()
    }

    /// The answer as an OCSPResponse in DER, whatever its original form (RFC 6960 §4.2.1).
    public var enveloped: OctetString {
        if let response = der.decoded({ d2i_OCSP_RESPONSE(nil, $0, $1) }) {
            OCSP_RESPONSE_free(response)
            return der
        }
        OpenSSLErrors.clear()
        // successful, and id-pkix-ocsp-basic.
        let kind = DER.element(0x06, [OctetString([0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01])])
        let octets = DER.element(0x30, [kind, DER.element(0x04, [der])])
        return DER.element(0x30, [DER.element(0x0A, [OctetString([0])]), DER.element(0xA0, [octets])])
    }

    /// A copy for one use in one thread.
    func basic() throws(CryptographyError) -> BasicResponse {
        OpenSSLErrors.clear()
        defer { OpenSSLErrors.clear() }
        if let response = der.decoded({ d2i_OCSP_RESPONSE(nil, $0, $1) }) {
            defer { OCSP_RESPONSE_free(response) }
            let status = OCSP_response_status(response)
            guard status == OCSP_RESPONSE_STATUS_SUCCESSFUL else {
                let words = OCSP_response_status_str(Int(status)).map { String(cString: $0) } ?? "status \(status)"
                throw CryptographyError(.failed, "the OCSP responder gives no answer: \(words)")
            }
            if let basic = OCSP_response_get1_basic(response) { return BasicResponse(owning: basic) }
        } else if let basic = der.decoded({ d2i_OCSP_BASICRESP(nil, $0, $1) }) {
            return BasicResponse(owning: basic)
        }
        throw CryptographyError(.malformed, "the OCSP answer cannot be read: \(OpenSSLErrors.words())")
    }
}

/// Owns an OCSP_BASICRESP.
final class BasicResponse {
    private let raw: OpaquePointer
    init(owning raw: OpaquePointer) { self.raw = raw }
    deinit { OCSP_BASICRESP_free(raw) }

    /// The statement of the answer about one certificate.
    struct Standing: Sendable {
        enum Status: Sendable {
            case good
            case revoked(RevocationEntry)
            /// The responder does not know the certificate.
            case unknown
        }
        let status: Status
        /// Unix seconds.
        let thisUpdate: Int
        let nextUpdate: Int?
        /// The responder knows of certificates that expired since (RFC 6960 §4.4.4), Unix seconds.
        let archiveCutoff: Int?
    }

    /// The newest answer about `certificate` of `issuer`, wherever it stands among others; nil without one.
    func standing(of certificate: Certificate, issuer: Certificate) -> Standing? {
        var newest: Standing?
        for index in 0..<min(max(OCSP_resp_count(raw), 0), 256) {
            guard let single = OCSP_resp_get0(raw, index),
                Self.names(OCSP_SINGLERESP_get0_id(single), certificate, issuer),
                let standing = Self.standing(in: single)
            else { continue }
            if newest.map({ $0.thisUpdate < standing.thisUpdate }) ?? true { newest = standing }
        }
        OpenSSLErrors.clear()
        return newest
    }

    private static func names(_ identifier: OpaquePointer?, _ certificate: Certificate, _ issuer: Certificate) -> Bool {
        guard let identifier else { return false }
        var algorithm: OpaquePointer?
        // The parameter is not const, but nothing is changed.
        guard OCSP_id_get0_info(nil, &algorithm, nil, nil, identifier) == 1,
            let digest = EVP_get_digestbyname(OBJ_nid2sn(OBJ_obj2nid(algorithm))),
            let own = OCSP_cert_to_id(digest, certificate.handle.raw, issuer.handle.raw)
        else { return false }
        defer { OCSP_CERTID_free(own) }
        return OCSP_id_cmp(own, identifier) == 0
    }

    private static func standing(in single: OpaquePointer) -> Standing? {
        var reason: Int32 = -1
        var revoked: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        var this: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        var next: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        let code = OCSP_single_get0_status(single, &reason, &revoked, &this, &next)
        guard let thisUpdate = ASN1Time.unixSeconds(this) else { return nil }
        let nextUpdate = ASN1Time.unixSeconds(next)
        guard next == nil || nextUpdate != nil else { return nil }
        let status: Standing.Status
        switch code {
        case V_OCSP_CERTSTATUS_GOOD: status = .good
        case V_OCSP_CERTSTATUS_REVOKED:
            // A date that cannot be read is before everything.
            let date = ASN1Time.unixSeconds(revoked) ?? 0
            status = .revoked(RevocationEntry(date: date, reason: reason < 0 ? nil : Int(reason)))
        case V_OCSP_CERTSTATUS_UNKNOWN: status = .unknown
        default: return nil
        }
        return Standing(
            status: status, thisUpdate: thisUpdate, nextUpdate: nextUpdate, archiveCutoff: archiveCutoff(of: single))
    }

    private static func archiveCutoff(of single: OpaquePointer) -> Int? {
        guard let value = OCSP_SINGLERESP_get1_ext_d2i(single, NID_id_pkix_OCSP_archiveCutoff, nil, nil) else {
            return nil
        }
        let time = value.assumingMemoryBound(to: ASN1_GENERALIZEDTIME.self)
        defer { ASN1_GENERALIZEDTIME_free(time) }
        return ASN1Time.unixSeconds(time)
    }

    /// Returns the signer of the answer if the signature fits: `issuer`, or a certificate that came with the answer.
    func signer(besides issuer: Certificate) throws(CryptographyError) -> Certificate? {
        let candidates = try CertificateStack([issuer])
        OpenSSLErrors.clear()
        defer { OpenSSLErrors.clear() }
        var signer: OpaquePointer?
        guard OCSP_resp_get0_signer(raw, &signer, candidates.raw) == 1,
            OCSP_basic_verify(raw, candidates.raw, nil, copenssl_ocsp_no_chain) == 1
        else { return nil }
        return Certificate(sharing: signer)
    }

    /// The digest of the signature; nil if it is not known or the signature has none of its own.
    var digestNID: Int32? {
        var identifier: OpaquePointer?
        X509_ALGOR_get0(&identifier, nil, nil, OCSP_resp_get0_tbs_sigalg(raw))
        var digest: Int32 = 0
        guard OBJ_find_sigid_algs(OBJ_obj2nid(identifier), &digest, nil) == 1, digest != NID_undef else { return nil }
        return digest
    }
}

/// A question to an OCSP responder about one certificate; without a nonce, so that answers can be shared.
struct OCSPRequest {
    /// OCSPRequest, DER.
    let der: OctetString
    /// CertID, DER: what the question is about.
    let identifier: OctetString

    init(about certificate: Certificate, issuer: Certificate) throws(CryptographyError) {
        OpenSSLErrors.clear()
        let failure = CryptographyError(.failed, "OpenSSL cannot make an OCSP request")
        guard let request = OCSP_REQUEST_new() else { throw failure }
        defer { OCSP_REQUEST_free(request) }
        // SHA-1 only names the issuer here; it is what every responder understands (RFC 5019 §2.1.1).
        guard let identifier = OCSP_cert_to_id(EVP_sha1(), certificate.handle.raw, issuer.handle.raw) else {
            throw failure
        }
        guard let written = DER.encoded({ i2d_OCSP_CERTID(identifier, $0) }),
            OCSP_request_add0_id(request, identifier) != nil
        else {
            OCSP_CERTID_free(identifier)
            throw failure
        }
        guard let octets = DER.encoded({ i2d_OCSP_REQUEST(request, $0) }) else { throw failure }
        der = octets
        self.identifier = written
    }
}
