import COpenSSL
import Octets

extension Certificate {
    /// Returns the reasons why it must not be used so; empty if it may.
    func details(of use: CertificateUse) -> [VerificationDetail] {
        guard use != .any else { return [] }
        func wrong(_ words: String) -> VerificationDetail { VerificationDetail(.issuerTrust, .invalid, words) }
        var details: [VerificationDetail] = []
        // UInt32.max: the certificate does not restrict its use.
        if X509_get_key_usage(handle.raw) & UInt32(KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION) == 0 {
            details.append(wrong("the key usage of \(subject) does not allow signatures"))
        }
        let purposes = X509_get_extended_key_usage(handle.raw)
        switch use {
        case .any: break
        case .document:
            // No purpose is asked for, but one that is named excludes all others (RFC 5280 §4.2.1.12).
            if purposes != UInt32.max, purposes & ~Self.servicePurposes == 0, !hasOtherPurposes(than: purposes) {
                details.append(
                    wrong("the extended key usage of \(subject) is that of a service, and does not allow documents"))
            }
        case .mail:
            if purposes & UInt32(XKU_SMIME | XKU_ANYEKU) == 0 {
                details.append(wrong("the extended key usage of \(subject) does not allow e-mail protection"))
            }
        case .timestamping:
            if purposes != UInt32(XKU_TIMESTAMP) || !hasOneCriticalPurpose {
                details.append(
                    wrong("the extended key usage of \(subject) is not timestamping alone, marked critical"))
            }
        case .statusAnswers:
            if purposes == UInt32.max || purposes & UInt32(XKU_OCSP_SIGN) == 0 {
                details.append(wrong("the extended key usage of \(subject) does not allow to answer about revocation"))
            }
        }
        return details
    }

    /// Returns the reasons why it must not issue certificates that are used so; empty if it may.
    ///
    /// RFC 5280 says nothing of purposes in an issuer's certificate; everybody takes them for what it may issue
    /// (CA/Browser Forum Baseline Requirements §7.1.2.2: "technically constrained").
    func details(ofIssuingFor use: CertificateUse) -> [VerificationDetail] {
        let purposes = X509_get_extended_key_usage(handle.raw)
        guard purposes != UInt32.max, purposes & UInt32(XKU_ANYEKU) == 0 else { return [] }
        let allows =
            switch use {
            case .any, .statusAnswers: true
            case .document: purposes & ~Self.servicePurposes != 0 || hasOtherPurposes(than: purposes)
            case .mail: purposes & UInt32(XKU_SMIME) != 0
            case .timestamping: purposes & UInt32(XKU_TIMESTAMP) != 0
            }
        guard !allows else { return [] }
        return [
            VerificationDetail(
                .issuerTrust, .invalid,
                "the extended key usage of the issuer \(subject) does not allow certificates for this")
        ]
    }

    /// The purposes for which nobody signs documents: TLS servers, timestamps, answers about revocation, validation
    /// services.
    private static let servicePurposes = UInt32(
        XKU_SSL_SERVER | XKU_SGC | XKU_TIMESTAMP | XKU_OCSP_SIGN | XKU_DVCS)

    /// Returns true if it has more purposes than those of OpenSSL's `flags`.
    private func hasOtherPurposes(than flags: UInt32) -> Bool {
        guard let purposes = copenssl_purposes(handle.raw, nil) else { return true }
        defer { copenssl_purposes_free(purposes) }
        return Int(copenssl_purposes_count(purposes)) > flags.nonzeroBitCount
    }

    /// Counted anew, because OpenSSL's flags leave out the purposes it does not know.
    private var hasOneCriticalPurpose: Bool {
        var critical: Int32 = 0
        guard let purposes = copenssl_purposes(handle.raw, &critical) else { return false }
        defer { copenssl_purposes_free(purposes) }
        return critical == 1 && copenssl_purposes_count(purposes) == 1
    }

    // MARK: Where revocation can be looked up

    /// True if it names a source of its revocation status: a CRL distribution point or an OCSP responder.
    var namesRevocationSource: Bool {
        X509_get_ext_by_NID(handle.raw, NID_crl_distribution_points, -1) >= 0
            || X509_get_ext_by_NID(handle.raw, NID_info_access, -1) >= 0
    }

    /// True if its issuer states that its revocation need not be checked (id-pkix-ocsp-nocheck, RFC 6960 §4.2.2.2.1).
    var needsNoCheck: Bool { X509_get_ext_by_NID(handle.raw, NID_id_pkix_OCSP_noCheck, -1) >= 0 }

    /// The OCSP responders of the authority information access (RFC 5280 §4.2.2.1): http and https, at most two.
    var responderAddresses: [String] {
        guard let accesses = copenssl_information_access(handle.raw) else {
            OpenSSLErrors.clear()
            return []
        }
        defer { AUTHORITY_INFO_ACCESS_free(accesses) }
        var found: [String] = []
        for index in 0..<copenssl_accesses_count(accesses) {
            guard found.count < 2, let name = copenssl_ocsp_location(accesses, index), let address = Self.address(name)
            else { continue }
            found.append(address)
        }
        return found
    }

    /// The CRL distribution points (RFC 5280 §4.2.1.13): http and https, at most four.
    var listAddresses: [String] {
        guard let points = copenssl_distribution_points(handle.raw) else {
            OpenSSLErrors.clear()
            return []
        }
        defer { copenssl_points_free(points) }
        var found: [String] = []
        for index in 0..<copenssl_points_count(points) {
            guard let names = copenssl_points_at(points, index) else { continue }
            for place in 0..<copenssl_names_count(names) where found.count < 4 {
                if let name = copenssl_names_at(names, place), let address = Self.address(name) {
                    found.append(address)
                }
            }
        }
        return found
    }

    private static func address(_ name: UnsafePointer<GENERAL_NAME>) -> String? {
        guard let string = copenssl_uri(name) else { return nil }
        let octets = OctetString(string)
        guard octets.count <= 2_048, octets.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        let text = octets.text
        let scheme = text.prefix(8).lowercased()
        return scheme.hasPrefix("http://") || scheme.hasPrefix("https://") ? text : nil
    }
}
