public import Octets

/// What came of the verification of one signer.
public struct SignerResult: Sendable {
    /// What keeps the signature from being trusted; nothing when it is.
    public let details: [VerificationDetail]
    /// The signer's certificate; nil when it was not found.
    public let certificate: Certificate?
    /// The signingTime attribute, Unix seconds: the signer's claim.
    public let signingTime: Int?
    public var verdict: TrustVerdict { TrustVerdict(details) }
}

/// What came of the verification of a SignedData.
public struct CMSVerification: Sendable {
    /// In the order of the SignedData.
    public let signers: [SignerResult]
    /// Whether the SignedData carries content, whatever content was verified.
    public let enclosesContent: Bool
    /// What is wrong whoever signed.
    private let general: [VerificationDetail]

    init(signers: [SignerResult], enclosesContent: Bool, general: [VerificationDetail]) {
        self.signers = signers
        self.enclosesContent = enclosesContent
        self.general = general
    }

    /// The details of all signers.
    public var details: [VerificationDetail] { general + signers.flatMap(\.details) }
    /// The worst of all signers; every one must be good.
    public var verdict: TrustVerdict { TrustVerdict(details) }
}

/// Verifies CMS signatures against anchors.
public struct CMSVerifier: Sendable {
    public let policy: TrustPolicy
    public let use: CertificateUse

    public init(policy: TrustPolicy, use: CertificateUse) {
        self.policy = policy
        self.use = use
    }

    /// Verifies every signer of `signature`, in one pass over the content.
    /// - Parameters:
    ///   - signature: A SignedData in BER.
    ///   - content: What was signed, octet for octet; nil takes the enclosed content.
    ///   - now: Unix seconds; used when the policy has no time of its own.
    /// - Throws: ``CryptographyError/Kind/malformed`` when `signature` is no SignedData.
    public func verify(
        _ signature: OctetString, content: (any OctetSource)?, now: Int
    ) throws(CryptographyError) -> CMSVerification {
        let parsed = try ParsedSignedData(signature, additional: policy.intermediates + policy.anchors)
        let findings: [SignatureIntegrity]
        if let content = content ?? parsed.enclosedContent {
            findings = try parsed.check(content)
        } else {
            let missing = SignatureIntegrity.unknown("the signature encloses no content, and none was given")
            findings = parsed.signers.map { _ in missing }
        }
        var results: [SignerResult] = []
        for (signer, finding) in zip(parsed.signers, findings) {
            results.append(try result(of: signer, finding, others: parsed.certificates, now: now))
        }
        var general: [VerificationDetail] = []
        if results.isEmpty {
            general.append(VerificationDetail(.signature, .invalid, "nobody signed: there is no signerInfo"))
        }
        if let content, let enclosed = parsed.enclosedContent, try !Self.areEqual(content, enclosed) {
            // A reader who opens the signature would see something else than was verified.
            general.append(
                VerificationDetail(.signature, .invalid, "the signature encloses other content than what was given"))
        }
        return CMSVerification(signers: results, enclosesContent: parsed.enclosedContent != nil, general: general)
    }

    private static func areEqual(
        _ left: any OctetSource, _ right: any OctetSource
    ) throws(CryptographyError) -> Bool {
        guard left.count == right.count else { return false }
        return try DigestAlgorithm.sha256.digest(of: left) == DigestAlgorithm.sha256.digest(of: right)
    }

    private func result(
        of signer: SignerInfo, _ finding: SignatureIntegrity, others: [Certificate], now: Int
    ) throws(CryptographyError) -> SignerResult {
        var details: [VerificationDetail] = []
        switch finding {
        case .intact: break
        case .broken(let why): details.append(VerificationDetail(.signature, .invalid, why))
        case .unknown(let why): details.append(VerificationDetail(.signature, .indeterminate, why))
        }
        details += AlgorithmStrength.details(ofDigest: signer.digestNID, policy)
        let certificate = signer.certificate
        let signingTime = signer.signingTime
        if let certificate {
            details += try CertificatePath.validate(
                certificate, others: others, policy: policy, time: policy.verificationTime ?? now, use: use,
                signingTime: signingTime)
        } else {
            details.append(
                VerificationDetail(.issuerTrust, .indeterminate, "the signer's certificate is not at hand"))
        }
        return SignerResult(details: details, certificate: certificate, signingTime: signingTime)
    }
}
