import COpenSSL
public import Octets

/// A certificate that its authority takes back.
public struct Revocation: Sendable, Hashable {
    /// As ``Certificate/serial`` writes it.
    public let serial: String
    /// Unix seconds.
    public let date: Int
    public let reason: RevocationReason

    public init(serial: String, date: Int, reason: RevocationReason) {
        self.serial = serial
        self.date = date
        self.reason = reason
    }
}

/// CRLReason (RFC 5280 §5.3.1), as far as an authority for trials needs it.
public enum RevocationReason: Int, Sendable, Hashable, CaseIterable {
    case unspecified = 0
    case keyCompromise = 1
    case affiliationChanged = 3
    case superseded = 4
    case cessationOfOperation = 5
    case certificateHold = 6

    /// The name as RFC 5280 writes it.
    public var name: String { "\(self)" }
}

extension DemoAuthority {
    /// Makes a list of the certificates that are revoked (RFC 5280 §5).
    /// - Parameters:
    ///   - validity: Unix seconds: this update and next update.
    ///   - number: The CRL number (RFC 5280 §5.2.3), larger with each list.
    /// - Returns: The list in PEM.
    /// - Throws: ``CryptographyError`` if OpenSSL cannot make it.
    public func revocationList(
        _ revocations: [Revocation], validity: ClosedRange<Int>, number: Int
    ) throws(CryptographyError) -> OctetString {
        OpenSSLErrors.clear()
        guard let list = X509_CRL_new() else { throw Self.listFailure("begin") }
        defer { X509_CRL_free(list) }
        let raw = issuer.certificate.handle.raw
        guard X509_CRL_set_version(list, 1) == 1,
            X509_CRL_set_issuer_name(list, X509_get_subject_name(raw)) == 1,
            let first = ASN1_TIME_set(nil, validity.lowerBound)
        else { throw Self.listFailure("begin") }
        defer { ASN1_TIME_free(first) }
        guard let last = ASN1_TIME_set(nil, validity.upperBound) else { throw Self.listFailure("date") }
        defer { ASN1_TIME_free(last) }
        guard X509_CRL_set1_lastUpdate(list, first) == 1, X509_CRL_set1_nextUpdate(list, last) == 1 else {
            throw Self.listFailure("date")
        }
        for revocation in revocations { try Self.add(revocation, to: list) }
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, raw, nil, nil, list, 0)
        guard let made = X509V3_EXT_conf_nid(nil, &context, NID_authority_key_identifier, "keyid:always") else {
            throw Self.listFailure("extend")
        }
        defer { X509_EXTENSION_free(made) }
        guard X509_CRL_add_ext(list, made, -1) == 1, let count = ASN1_INTEGER_new() else {
            throw Self.listFailure("extend")
        }
        defer { ASN1_INTEGER_free(count) }
        guard ASN1_INTEGER_set_int64(count, Int64(number)) == 1,
            X509_CRL_add1_ext_i2d(list, NID_crl_number, count, 0, 0) == 1
        else { throw Self.listFailure("number") }
        guard X509_CRL_sort(list) == 1, X509_CRL_sign(list, issuer.key.raw, EVP_sha256()) > 0 else {
            throw Self.listFailure("sign")
        }
        let bio = try MemoryBIO()
        guard PEM_write_bio_X509_CRL(bio.raw, list) == 1 else { throw Self.listFailure("write") }
        return bio.octets
    }

    private static func add(_ revocation: Revocation, to list: OpaquePointer) throws(CryptographyError) {
        guard let entry = X509_REVOKED_new() else { throw listFailure("extend") }
        var isTaken = false
        defer { if !isTaken { X509_REVOKED_free(entry) } }
        var number: OpaquePointer?
        guard BN_hex2bn(&number, revocation.serial) > 0, let number else { throw listFailure("read a number for") }
        defer { BN_free(number) }
        guard let serial = BN_to_ASN1_INTEGER(number, nil) else { throw listFailure("read a number for") }
        defer { ASN1_INTEGER_free(serial) }
        guard let date = ASN1_TIME_set(nil, revocation.date) else { throw listFailure("date") }
        defer { ASN1_TIME_free(date) }
        guard X509_REVOKED_set_serialNumber(entry, serial) == 1, X509_REVOKED_set_revocationDate(entry, date) == 1
        else { throw listFailure("extend") }
        // RFC 5280 §5.3.1: a reason that is not specified is left out.
        if revocation.reason != .unspecified {
            guard let reason = ASN1_ENUMERATED_new() else { throw listFailure("extend") }
            defer { ASN1_ENUMERATED_free(reason) }
            guard ASN1_ENUMERATED_set(reason, revocation.reason.rawValue) == 1,
                X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, reason, 0, 0) == 1
            else { throw listFailure("extend") }
        }
        guard X509_CRL_add0_revoked(list, entry) == 1 else { throw listFailure("extend") }
        isTaken = true
    }

    private static func listFailure(_ step: String) -> CryptographyError {
        CryptographyError(.failed, "OpenSSL cannot \(step) the revocation list: \(OpenSSLErrors.words())")
    }
}
