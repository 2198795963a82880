import COpenSSL
import Octets

/// One signerInfo (RFC 5652 §5.3) of a ``ParsedSignedData``, which must outlive it.
struct SignerInfo {
    let raw: OpaquePointer

    /// The digest's number at OpenSSL; nil when OpenSSL does not offer it.
    var digestNID: Int32? {
        let algorithm = digestIdentifier
        let nid = OBJ_obj2nid(algorithm)
        guard nid != NID_undef, EVP_get_digestbyname(OBJ_nid2sn(nid)) != nil else { return nil }
        return nid
    }

    /// The digest as micalg names it (RFC 8551 §3.5.3.2); another algorithm's OID or OpenSSL name.
    var digestName: String {
        let identifier = digestIdentifier
        switch OBJ_obj2nid(identifier) {
        case NID_md5: return "md5"
        case NID_sha1: return "sha-1"
        case NID_sha224: return "sha-224"
        case NID_sha256: return "sha-256"
        case NID_sha384: return "sha-384"
        case NID_sha512: return "sha-512"
        case NID_shake256: return "shake256"
        default:
            if usesSHAKE256 { return "shake256" }
            var text = [CChar](repeating: 0, count: 80)
            let length = OBJ_obj2txt(&text, Int32(text.count), identifier, 0)
            guard length > 0 else { return "unknown" }
            return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).lowercased()
        }
    }

    /// True if the digest is SHAKE256, which in CMS has 512 bits (RFC 8702 §3.1), by either identifier.
    var usesSHAKE256: Bool {
        OBJ_obj2nid(digestIdentifier) == NID_shake256
            || ObjectIdentifier.text(digestIdentifier) == SHAKE256.identifierWithLength
    }

    /// The reason why the signature algorithm cannot be verified here, whatever the signature; nil if it can.
    private var algorithmObstacle: String? {
        var algorithm: UnsafeMutablePointer<X509_ALGOR>?
        CMS_SignerInfo_get0_algs(raw, nil, nil, nil, &algorithm)
        var identifier: OpaquePointer?
        X509_ALGOR_get0(&identifier, nil, nil, algorithm)
        let nid = OBJ_obj2nid(identifier)
        var kind: Int32 = NID_undef
        // Many write the kind of the key in place of the signature algorithm (RFC 3370 §3.2).
        if OBJ_find_sigid_algs(nid, nil, &kind) != 1 { kind = nid }
        OpenSSLErrors.clear()
        let known = [
            NID_rsaEncryption, NID_rsassaPss, NID_X9_62_id_ecPublicKey, NID_dsa, NID_ED25519, NID_ED448,
        ]
        guard !known.contains(kind) else { return nil }
        let name = nid == NID_undef ? ObjectIdentifier.text(identifier) : String(cString: OBJ_nid2sn(nid))
        return "the signature algorithm \(name) is not supported here"
    }

    private var digestIdentifier: OpaquePointer? {
        var digest: UnsafeMutablePointer<X509_ALGOR>?
        CMS_SignerInfo_get0_algs(raw, nil, nil, &digest, nil)
        var identifier: OpaquePointer?
        X509_ALGOR_get0(&identifier, nil, nil, digest)
        return identifier
    }

    /// The signer's certificate; nil when it was not found.
    var certificate: Certificate? {
        var certificate: OpaquePointer?
        CMS_SignerInfo_get0_algs(raw, nil, &certificate, nil, nil)
        return Certificate(sharing: certificate)
    }

    /// Issuer and serial number by which the signer is named; nil when named by key identifier.
    var issuerAndSerial: (issuer: String, serial: String)? {
        var issuer: OpaquePointer?
        var serial: UnsafeMutablePointer<ASN1_INTEGER>?
        guard CMS_SignerInfo_get0_signer_id(raw, nil, &issuer, &serial) == 1, let issuer, let serial else { return nil }
        return (DistinguishedName.text(issuer), SerialNumber.text(serial))
    }

    /// The signingTime attribute, Unix seconds: the signer's own claim.
    var signingTime: Int? {
        guard let attribute = attribute(NID_pkcs9_signingTime) else { return nil }
        for kind in [V_ASN1_UTCTIME, V_ASN1_GENERALIZEDTIME] {
            if let time = X509_ATTRIBUTE_get0_data(attribute, 0, kind, nil) {
                return ASN1Time.unixSeconds(time.assumingMemoryBound(to: ASN1_TIME.self))
            }
        }
        OpenSSLErrors.clear()
        return nil
    }

    /// True if the signature is over attributes, among them the content's digest, and not over the content itself.
    var hasSignedAttributes: Bool { CMS_signed_get_attr_count(raw) >= 0 }

    private func attribute(_ nid: Int32) -> OpaquePointer? {
        let place = CMS_signed_get_attr_by_NID(raw, nid, -1)
        return place >= 0 ? CMS_signed_get_attr(raw, place) : nil
    }

    /// Tests whether the signature fits the content, with the signer's certificate.
    /// - Parameters:
    ///   - contentType: The type that the content-type attribute must name (RFC 5652 §5.3).
    func check(
        _ digests: borrowing ContentDigests, contentType: OpaquePointer?
    ) throws(CryptographyError) -> CMSIntegrity {
        guard let certificate else { return .unknown("the signer's certificate is not available") }
        guard digestNID != nil || usesSHAKE256 else { return .unknown("the digest \(digestName) is not supported") }
        if let obstacle = algorithmObstacle { return .unknown(obstacle) }
        guard let key = X509_get0_pubkey(certificate.handle.raw), EVP_PKEY_missing_parameters(key) == 0 else {
            OpenSSLErrors.clear()
            return .unknown("the public key in the signer's certificate cannot be used")
        }
        OpenSSLErrors.clear()
        let curve = EdwardsCurve(key)
        if let curve, !isAlgorithm(curve.nid) {
            return .broken("the signature algorithm does not match the type of the signer's key")
        }
        if hasSignedAttributes {
            guard let attribute = attribute(NID_pkcs9_contentType),
                let named = X509_ATTRIBUTE_get0_data(attribute, 0, V_ASN1_OBJECT, nil)
            else { return .broken("the signed attributes do not name the content type") }
            guard OBJ_cmp(OpaquePointer(named), contentType) == 0 else {
                return .broken("the content type differs from the signed one")
            }
            OpenSSLErrors.clear()
            if curve != nil {
                guard isEdwardsSignatureOfAttributes(key) else {
                    return .broken("the signature does not fit the signed attributes")
                }
            } else if CMS_SignerInfo_verify(raw) != 1 {
                return Self.failed("the signature does not fit the signed attributes", OpenSSLErrors.drain())
            }
            guard namesItsAlgorithms else {
                return .broken("the algorithms in the signed attributes differ from those of the signature (RFC 6211)")
            }
            if usesSHAKE256 { return try checkAttribute(against: digests.shake256()) }
        } else if curve != nil {
            guard let content = digests.whole else {
                return .unknown("the content is too large for a signature by EdDSA without a digest")
            }
            return EdwardsCurve.verifies(signature ?? OctetString(), of: content.collected(), key: key)
                ? .intact : .broken("the content is not what was signed")
        } else if usesSHAKE256 {
            return .unknown("a signature by SHAKE256 over the content itself is not supported")
        }
        OpenSSLErrors.clear()
        if CMS_SignerInfo_verify_content(raw, digests.chain.raw) != 1 {
            return Self.failed("the content is not what was signed", OpenSSLErrors.drain())
        }
        return .intact
    }

    private func isAlgorithm(_ nid: Int32) -> Bool {
        var algorithm: UnsafeMutablePointer<X509_ALGOR>?
        CMS_SignerInfo_get0_algs(raw, nil, nil, nil, &algorithm)
        var identifier: OpaquePointer?
        X509_ALGOR_get0(&identifier, nil, nil, algorithm)
        return OBJ_obj2nid(identifier) == nid
    }

    /// Returns true if the signature is one of the attributes: in DER, or in the order in which they stand, as some
    /// programs write them.
    private func isEdwardsSignatureOfAttributes(_ key: OpaquePointer) -> Bool {
        guard let signature else { return false }
        let attributes = (0..<max(CMS_signed_get_attr_count(raw), 0)).compactMap { index in
            CMS_signed_get_attr(raw, index).flatMap { attribute in
                DER.encoded { i2d_X509_ATTRIBUTE(attribute, $0) }
            }
        }
        return [DER.sorted(attributes), attributes].contains { order in
            EdwardsCurve.verifies(signature, of: DER.element(0x31, order), key: key)
        }
    }

    /// Tests whether the message-digest attribute (RFC 5652 §11.2) equals `digest`.
    private func checkAttribute(against digest: OctetString) -> CMSIntegrity {
        guard let attribute = attribute(NID_pkcs9_messageDigest), X509_ATTRIBUTE_count(attribute) == 1,
            let value = X509_ATTRIBUTE_get0_data(attribute, 0, V_ASN1_OCTET_STRING, nil),
            OctetString(value.assumingMemoryBound(to: ASN1_STRING.self)) == digest
        else { return .broken("the content is not what was signed") }
        return .intact
    }

    /// A missing algorithm says nothing about the signature; everything else speaks against it.
    private static func failed(_ words: String, _ reasons: [OpenSSLErrors.Entry]) -> CMSIntegrity {
        if let reason = reasons.first(where: \.isUnsupported) {
            return .unknown("the signature's algorithm is not supported: \(reason.text)")
        }
        return .broken(words)
    }
}
