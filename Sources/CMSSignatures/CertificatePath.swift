import COpenSSL

/// Validation of certification paths (RFC 5280 §6), by OpenSSL.
public enum CertificatePath {
    /// Looks for a path from `certificate` to an anchor of `policy` and judges it.
    /// - Parameters:
    ///   - others: Further certificates that the path may lead over.
    ///   - time: Unix seconds.
    ///   - signingTime: When the signer says to have signed. A certificate that expired between then and `time` makes
    ///     the signature indeterminate instead of invalid: nobody vouches for the claim (ETSI EN 319 102-1 §5.2.8).
    /// - Returns: What keeps the path from being good; nothing when it is.
    public static func validate(
        _ certificate: Certificate, others: [Certificate] = [], policy: TrustPolicy, time: Int,
        use: CertificateUse, signingTime: Int? = nil
    ) throws(CryptographyError) -> [VerificationDetail] {
        OpenSSLErrors.clear()
        defer { OpenSSLErrors.clear() }
        guard let store = X509_STORE_new(), let context = X509_STORE_CTX_new() else { throw memory }
        defer {
            X509_STORE_CTX_free(context)
            X509_STORE_free(store)
        }
        for anchor in policy.anchors where X509_STORE_add_cert(store, anchor.handle.raw) != 1 { throw memory }
        for list in policy.revocationLists where X509_STORE_add_crl(store, list.handle.raw) != 1 { throw memory }
        let untrusted = try CertificateStack(others + policy.intermediates)
        guard X509_STORE_CTX_init(context, store, certificate.handle.raw, untrusted.raw) == 1 else { throw memory }
        let parameters = X509_STORE_CTX_get0_param(context)
        X509_VERIFY_PARAM_set_time(parameters, time)
        X509_VERIFY_PARAM_set_depth(parameters, 16)
        X509_VERIFY_PARAM_set_auth_level(parameters, 0)
        var flags = copenssl_flag_partial_chain | copenssl_flag_trusted_first
        if policy.revocation == .require || policy.revocation == .present && !policy.revocationLists.isEmpty {
            flags |= copenssl_flag_crl_check | copenssl_flag_crl_check_all
            flags |= copenssl_flag_extended_crl | copenssl_flag_deltas
        }
        X509_VERIFY_PARAM_set_flags(parameters, flags)
        let findings = PathFindings(policy: policy, signingTime: signingTime)
        guard copenssl_context_set_object(context, Unmanaged.passUnretained(findings).toOpaque()) == 1 else {
            throw memory
        }
        X509_STORE_CTX_set_verify_cb(context) { isGood, context in
            guard isGood == 0 else { return 1 }
            // An error that cannot be noted must end the validation.
            guard let context, let object = copenssl_context_object(context) else { return 0 }
            Unmanaged<PathFindings>.fromOpaque(object).takeUnretainedValue().note(context)
            return 1
        }
        let result = X509_verify_cert(context)
        withExtendedLifetime(findings) {}
        var details = findings.details
        if result != 1 && details.isEmpty {
            details.append(
                VerificationDetail(.issuerTrust, .indeterminate, "the path cannot be built: \(OpenSSLErrors.words())"))
        }
        let path = Self.path(of: context, from: certificate)
        details += Self.usage(of: certificate, use)
        for (place, link) in path.enumerated() {
            let isAnchor = place == path.count - 1 && policy.anchors.contains(link)
            details += AlgorithmStrength.details(of: link, isAnchor: isAnchor, policy)
        }
        if policy.revocation == .present && policy.revocationLists.isEmpty {
            for link in path where !policy.anchors.contains(link) && link.namesRevocationSource {
                details.append(PathFindings.unreachableRevocation(of: link))
            }
        }
        return details
    }

    private static func path(of context: OpaquePointer, from certificate: Certificate) -> [Certificate] {
        guard let chain = X509_STORE_CTX_get0_chain(context) else { return [certificate] }
        let links = (0..<max(copenssl_certificates_count(chain), 0)).compactMap {
            Certificate(sharing: copenssl_certificates_at(chain, $0))
        }
        return links.isEmpty ? [certificate] : links
    }

    private static func usage(of certificate: Certificate, _ use: CertificateUse) -> [VerificationDetail] {
        guard use != .any else { return [] }
        var details: [VerificationDetail] = []
        let raw = certificate.handle.raw
        // UInt32.max: the certificate does not restrict its use.
        if X509_get_key_usage(raw) & UInt32(KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION) == 0 {
            details.append(
                VerificationDetail(
                    .issuerTrust, .invalid, "the key usage of \(certificate.subject) does not allow signatures"))
        }
        if use == .mail, X509_get_extended_key_usage(raw) & UInt32(XKU_SMIME | XKU_ANYEKU) == 0 {
            details.append(
                VerificationDetail(
                    .issuerTrust, .invalid,
                    "the extended key usage of \(certificate.subject) does not allow e-mail protection"))
        }
        return details
    }

    private static let memory = CryptographyError(.failed, "OpenSSL has no memory")
}

extension Certificate {
    /// Whether it says where its revocation can be looked up: a CRL distribution point or an OCSP responder.
    var namesRevocationSource: Bool {
        X509_get_ext_by_NID(handle.raw, NID_crl_distribution_points, -1) >= 0
            || X509_get_ext_by_NID(handle.raw, NID_info_access, -1) >= 0
    }
}
