import COpenSSL
public import Octets

/// A certificate revocation list (RFC 5280 §5).
public struct RevocationList: Sendable {
    let handle: CRLHandle

    init(handle: CRLHandle) { self.handle = handle }

    /// Reads one list in DER.
    /// - Throws: ``CryptographyError`` if the octets are not a revocation list.
    public init(der octets: OctetString) throws(CryptographyError) {
        OpenSSLErrors.clear()
        guard let raw = octets.decoded({ d2i_X509_CRL(nil, $0, $1) }) else {
            throw CryptographyError(.malformed, "no CRL in DER: \(OpenSSLErrors.words())")
        }
        handle = CRLHandle(owning: raw)
    }

    /// Reads all lists of a PEM file, or the one of a DER file.
    /// - Throws: ``CryptographyError/Kind/malformed`` when there is none.
    public static func readAll(_ octets: OctetString) throws(CryptographyError) -> [RevocationList] {
        if octets.first == 0x30 { return [try RevocationList(der: octets)] }
        OpenSSLErrors.clear()
        var found: [RevocationList] = []
        let bio = try MemoryBIO(octets)
        while let raw = PEM_read_bio_X509_CRL(bio.raw, nil, { _, _, _, _ in -1 }, nil) {
            found.append(RevocationList(handle: CRLHandle(owning: raw)))
        }
        let words = OpenSSLErrors.words()
        guard !found.isEmpty else { throw CryptographyError(.malformed, "no CRL in PEM or DER: \(words)") }
        return found
    }

    /// The list in DER.
    public var der: OctetString { DER.encoded { i2d_X509_CRL(handle.raw, $0) } ?? OctetString() }
    /// The time at which it was issued, Unix seconds; nil if the field is not a time.
    public var thisUpdate: Int? { ASN1Time.unixSeconds(X509_CRL_get0_lastUpdate(handle.raw)) }
    /// The authority that it is from, as a distinguished name.
    public var issuer: String { DistinguishedName.text(X509_CRL_get_issuer(handle.raw)) }
    /// The time at which the next one is due, Unix seconds; nil if it does not say.
    public var nextUpdate: Int? { ASN1Time.unixSeconds(X509_CRL_get0_nextUpdate(handle.raw)) }

    /// Returns true if it may say something about `certificate`: it has the same issuer, or is an indirect list.
    func mayConcern(_ certificate: Certificate) -> Bool {
        defer { OpenSSLErrors.clear() }
        if copenssl_crl_is_indirect(handle.raw) == 1 { return true }
        return X509_NAME_cmp(X509_CRL_get_issuer(handle.raw), X509_get_issuer_name(certificate.handle.raw)) == 0
    }

    /// The time since when it keeps certificates that expired (expiredCertsOnCRL, X.509 §9.5.2.6), Unix seconds; nil if
    /// it drops them.
    var keepsExpiredSince: Int? {
        guard let identifier = OBJ_txt2obj("2.5.29.60", 1) else { return nil }
        defer { ASN1_OBJECT_free(identifier) }
        let place = X509_CRL_get_ext_by_OBJ(handle.raw, identifier, -1)
        guard place >= 0, let value = X509_EXTENSION_get_data(X509_CRL_get_ext(handle.raw, place)),
            let time = OctetString(value).decoded({ next, count in
                d2i_ASN1_GENERALIZEDTIME(nil, next, count).map { OpaquePointer($0) }
            })
        else {
            OpenSSLErrors.clear()
            return nil
        }
        let typed = UnsafeMutablePointer<ASN1_GENERALIZEDTIME>(time)
        defer { ASN1_GENERALIZEDTIME_free(typed) }
        return ASN1Time.unixSeconds(typed)
    }

    /// Returns its statement about a certificate that it lists.
    func entry(of certificate: Certificate) -> RevocationEntry? {
        var entry: OpaquePointer?
        guard X509_CRL_get0_by_cert(handle.raw, &entry, certificate.handle.raw) >= 1, let entry else { return nil }
        return RevocationEntry(entry)
    }
}

/// That a certificate was revoked.
struct RevocationEntry: Sendable, Hashable {
    /// Unix seconds.
    let date: Int
    /// Since when the key is suspected (invalidityDate, RFC 5280 §5.3.2), Unix seconds.
    var invalidity: Int?
    /// CRLReason (RFC 5280 §5.3.1); nil when none is given.
    let reason: Int?

    init(date: Int, reason: Int?) {
        self.date = date
        self.reason = reason
    }

    fileprivate init(_ entry: OpaquePointer) {
        // A date that cannot be read is before everything.
        date = ASN1Time.unixSeconds(X509_REVOKED_get0_revocationDate(entry)) ?? 0
        if let value = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, nil, nil) {
            let number = value.assumingMemoryBound(to: ASN1_ENUMERATED.self)
            reason = Int(ASN1_ENUMERATED_get(number))
            ASN1_ENUMERATED_free(number)
        } else {
            reason = nil
        }
        if let value = X509_REVOKED_get_ext_d2i(entry, NID_invalidity_date, nil, nil) {
            let time = value.assumingMemoryBound(to: ASN1_GENERALIZEDTIME.self)
            invalidity = ASN1Time.unixSeconds(time)
            ASN1_GENERALIZEDTIME_free(time)
        }
        OpenSSLErrors.clear()
    }

    /// From when on nothing that the key signed counts.
    var start: Int { min(date, invalidity ?? date) }
    /// True if the revocation may be reversed (certificateHold).
    var isSuspension: Bool { reason == 6 }
    /// True if the key was given up and not lost (RFC 3161 §4). What it signed before stays valid.
    var isOrderly: Bool { [0, 3, 4, 5].contains(reason) }

    var words: String {
        let names = [
            0: "unspecified", 1: "key compromise", 2: "CA compromise", 3: "affiliation changed", 4: "superseded",
            5: "cessation of operation", 6: "on hold", 9: "privilege withdrawn", 10: "AA compromise",
        ]
        return reason.map { names[$0] ?? "reason \($0)" } ?? "no reason given"
    }
}
