import COpenSSL

/// The moments that matter for one signature, Unix seconds.
public struct SignatureTimes: Sendable {
    /// The time of verification.
    public let verification: Int
    /// The time of signing that the signer claims. A certificate that expired between then and the time of verification
    /// makes the signature indeterminate instead of invalid, because nothing proves the claim (ETSI EN 319 102-1
    /// §5.2.8).
    public let claimed: Int?
    /// The time at which it is proven to have existed. The path is validated for this moment.
    public let proven: Int?
    /// The time of signing that a timestamp authority states. What it signed before it gave up its key in order stays
    /// valid.
    let made: Int?

    public init(verification: Int, claimed: Int? = nil, proven: Int? = nil) {
        self.init(verification: verification, claimed: claimed, proven: proven, made: nil)
    }

    init(verification: Int, claimed: Int?, proven: Int?, made: Int?) {
        self.verification = verification
        self.claimed = claimed
        self.proven = proven
        self.made = made
    }

    /// The moment for which a path is validated.
    var control: Int { proven ?? verification }
}

/// The judgement of a certificate.
public struct PathJudgement: Sendable {
    /// The faults of the path; empty if it is valid.
    public internal(set) var details: [VerificationDetail]
    /// From the certificate to the anchor, as far as a path was found; at least the certificate.
    public let path: [Certificate]
    /// The evidence that revocation was judged by.
    public internal(set) var evidence = RevocationEvidence()
}

/// Validation of certification paths (RFC 5280 §6), by OpenSSL.
public enum CertificatePath {
    /// Looks for a path from `certificate` to an anchor of `policy` and judges it, with revocation as the policy says.
    /// - Parameters:
    ///   - others: Further certificates that the path may lead over.
    ///   - extra: Revocation data that came along.
    /// - Throws: ``CryptographyError`` if OpenSSL cannot carry out the validation.
    public static func judge(
        _ certificate: Certificate, others: [Certificate] = [], policy: TrustPolicy, times: SignatureTimes,
        use: CertificateUse, extra: RevocationEvidence = RevocationEvidence()
    ) throws(CryptographyError) -> PathJudgement {
        let search = PathSearch(certificate: certificate, others: others, policy: policy, times: times)
        let run = try search.run(at: times.control)
        var details = run.findings.details
        if !run.isGood && details.isEmpty {
            details.append(
                VerificationDetail(.issuerTrust, .indeterminate, "the path cannot be built: \(run.words)"))
        }
        if !run.findings.nameDetails.isEmpty, MailboxConstraints.allowsOtherNames(of: run.path) {
            details.removeAll { run.findings.nameDetails.contains($0) }
        }
        details += MailboxConstraints.details(of: run.path)
        details += certificate.details(of: use)
        for (place, link) in run.path.enumerated() {
            let isAnchor = place == run.path.count - 1 && policy.anchors.contains(link)
            details += AlgorithmStrength.details(of: link, isAnchor: isAnchor, policy)
            // An anchor is used as configured.
            if place > 0, !isAnchor { details += link.details(ofIssuingFor: use) }
        }
        var judgement = PathJudgement(details: details, path: run.path)
        guard policy.revocation != .none, let end = run.path.last, policy.anchors.contains(end) else {
            return judgement
        }
        // Nobody is asked about a certificate that is no good anyway.
        let mayAsk = !details.contains { $0.level == .invalid }
        var check = RevocationCheck(search: search, path: run.path, extra: extra, source: mayAsk ? policy.online : nil)
        judgement.details += try check.details()
        judgement.evidence = check.used
        return judgement
    }

    /// Validates like the function above, with single times, and returns the details alone.
    /// - Parameters:
    ///   - time: The time of verification, Unix seconds.
    ///   - signingTime: The time of signing that the signer claims.
    /// - Throws: ``CryptographyError`` if OpenSSL cannot carry out the validation.
    public static func validate(
        _ certificate: Certificate, others: [Certificate] = [], policy: TrustPolicy, time: Int,
        use: CertificateUse, signingTime: Int? = nil
    ) throws(CryptographyError) -> [VerificationDetail] {
        let times = SignatureTimes(verification: time, claimed: signingTime)
        return try judge(certificate, others: others, policy: policy, times: times, use: use).details
    }
}

/// One certificate, and where paths from it may lead.
struct PathSearch {
    let certificate: Certificate
    let others: [Certificate]
    let policy: TrustPolicy
    let times: SignatureTimes

    /// The result of one run of OpenSSL.
    struct Run {
        let isGood: Bool
        let findings: PathFindings
        let path: [Certificate]
        /// OpenSSL's own words.
        let words: String
    }

    /// Builds and validates a path for the moment `time`.
    /// - Parameter lists: Checks revocation with these; nil: not at all.
    func run(at time: Int, lists: [RevocationList]? = nil) throws(CryptographyError) -> Run {
        OpenSSLErrors.clear()
        defer { OpenSSLErrors.clear() }
        guard let store = X509_STORE_new() else { throw Self.memory }
        defer { X509_STORE_free(store) }
        guard let context = X509_STORE_CTX_new() else { throw Self.memory }
        defer { X509_STORE_CTX_free(context) }
        for anchor in policy.anchors where X509_STORE_add_cert(store, anchor.handle.raw) != 1 { throw Self.memory }
        let known = try RevocationListStack(lists ?? [])
        let untrusted = try CertificateStack(others + policy.intermediates)
        guard X509_STORE_CTX_init(context, store, certificate.handle.raw, untrusted.raw) == 1 else { throw Self.memory }
        // In the store only lists by the certificate's own issuer would be found, and no indirect ones.
        X509_STORE_CTX_set0_crls(context, known.raw)
        let parameters = X509_STORE_CTX_get0_param(context)
        X509_VERIFY_PARAM_set_time(parameters, time)
        X509_VERIFY_PARAM_set_depth(parameters, 16)
        X509_VERIFY_PARAM_set_auth_level(parameters, 0)
        var flags = copenssl_flag_partial_chain | copenssl_flag_trusted_first
        flags |= try add(policy.certificatePolicies, to: parameters)
        if lists != nil {
            flags |= copenssl_flag_crl_check | copenssl_flag_crl_check_all
            flags |= copenssl_flag_extended_crl | copenssl_flag_deltas
        }
        X509_VERIFY_PARAM_set_flags(parameters, flags)
        let findings = PathFindings(times: times, lists: lists ?? [])
        guard copenssl_context_set_object(context, Unmanaged.passUnretained(findings).toOpaque()) == 1 else {
            throw Self.memory
        }
        X509_STORE_CTX_set_verify_cb(context) { isGood, context in
            guard isGood == 0 else { return 1 }
            // An error that cannot be noted must end the validation.
            guard let context, let object = copenssl_context_object(context) else { return 0 }
            Unmanaged<PathFindings>.fromOpaque(object).takeUnretainedValue().note(context)
            return 1
        }
        let result = X509_verify_cert(context)
        withExtendedLifetime(findings) { findings.end(successfully: result == 1) }
        let words = OpenSSLErrors.words()
        return Run(
            isGood: result == 1, findings: findings, path: Self.path(of: context, from: certificate), words: words)
    }

    /// Sets the inputs of policy processing (RFC 5280 §6.1.1).
    /// - Returns: The flags that go with them.
    private func add(
        _ policies: CertificatePolicies, to parameters: OpaquePointer?
    ) throws(CryptographyError) -> UInt {
        var flags = copenssl_flag_policy_check
        if policies.isRequired { flags |= copenssl_flag_explicit_policy }
        if policies.inhibitsMapping { flags |= copenssl_flag_inhibit_mapping }
        if policies.inhibitsAnyPolicy { flags |= copenssl_flag_inhibit_any_policy }
        // Without any acceptable policy OpenSSL would accept none where the path demands one.
        for text in policies.acceptable.isEmpty ? [ObjectIdentifier.anyPolicy] : policies.acceptable {
            guard let object = OBJ_txt2obj(text, 1) else {
                throw CryptographyError(.malformed, "the certificate policy \(text) is no object identifier")
            }
            guard X509_VERIFY_PARAM_add0_policy(parameters, object) == 1 else {
                ASN1_OBJECT_free(object)
                throw Self.memory
            }
        }
        return flags
    }

    private static func path(of context: OpaquePointer, from certificate: Certificate) -> [Certificate] {
        guard let chain = X509_STORE_CTX_get0_chain(context) else { return [certificate] }
        let links = (0..<max(copenssl_certificates_count(chain), 0)).compactMap {
            Certificate(sharing: copenssl_certificates_at(chain, $0))
        }
        return links.isEmpty ? [certificate] : links
    }

    private static let memory = CryptographyError(.failed, "OpenSSL has no memory")
}
