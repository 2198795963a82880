public import Octets

/// The result of verifying a SignedData.
public struct CMSVerification: Sendable {
    /// In the order of the SignedData.
    public let signers: [SignerResult]
    /// True if the SignedData carries content, whatever content was verified.
    public let enclosesContent: Bool
    /// The type of the content that was signed (RFC 5652 §5.2), as an object identifier.
    public let contentType: String
    /// The faults that do not depend on the signer.
    public let general: [VerificationDetail]

    /// id-data, the content type of a signed message (RFC 8551 §2.4.1).
    public static let data = "1.2.840.113549.1.7.1"

    init(signers: [SignerResult], enclosesContent: Bool, contentType: String, general: [VerificationDetail]) {
        self.contentType = contentType
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
    ///   - content: The signed content, octet for octet; nil for the enclosed content.
    ///   - others: Further certificates that came along.
    ///   - claimedTime: The time of signing that the signer claims by other means than the signingTime attribute, Unix
    ///     seconds.
    ///   - timestamps: Further proof of when the signature existed, such as a later document timestamp of a PDF.
    ///   - revocation: Revocation data that came along; what stands in the SignedData is taken anyway.
    ///   - now: Unix seconds; used when the policy has no time of its own.
    /// - Throws: ``CryptographyError/Kind/malformed`` when `signature` is no SignedData.
    public func verify(
        _ signature: OctetString, content: (any OctetSource)?, others: [Certificate] = [], claimedTime: Int? = nil,
        timestamps: [SignerEvidence.Stamped] = [], revocation: RevocationEvidence = RevocationEvidence(), now: Int
    ) throws(CryptographyError) -> CMSVerification {
        let parsed = try ParsedSignedData(signature, additional: others + policy.intermediates + policy.anchors)
        let findings: [CMSIntegrity]
        if let content = content ?? parsed.enclosedContent {
            findings = try parsed.check(content)
        } else {
            let missing = CMSIntegrity.unknown("the signature contains no content, and no content was given")
            findings = parsed.signers.map { _ in missing }
        }
        let judge = SignerJudge(policy: policy, use: use)
        let revocation = revocation.joined(with: parsed.evidence)
        var results: [SignerResult] = []
        for (signer, finding) in zip(parsed.signers, findings) {
            var evidence = evidence(of: signer, finding)
            evidence.others = parsed.certificates + others
            evidence.claimedTime = evidence.claimedTime ?? claimedTime
            evidence.timestamps += timestamps
            evidence.revocation = revocation
            var result = try judge.judge(evidence, now: now)
            result.isCertificateEnclosed = result.certificate.map { parsed.certificates.contains($0) } ?? false
            results.append(result)
        }
        var general: [VerificationDetail] = []
        if results.isEmpty {
            general.append(VerificationDetail(.signature, .invalid, "the signature has no signer (no signerInfo)"))
        }
        if parsed.isFollowed { general.append(VerificationDetail(.signature, .invalid, CMSInspection.followed)) }
        if let content, let enclosed = parsed.enclosedContent, try !Self.areEqual(content, enclosed) {
            // A reader that opens the signature would see something other than what was verified.
            general.append(
                VerificationDetail(
                    .signature, .invalid, "the content in the signature differs from the content that was given"))
        }
        return CMSVerification(
            signers: results, enclosesContent: parsed.enclosedContent != nil, contentType: parsed.contentTypeText,
            general: general)
    }

    private static func areEqual(
        _ left: any OctetSource, _ right: any OctetSource
    ) throws(CryptographyError) -> Bool {
        guard left.count == right.count else { return false }
        return try DigestAlgorithm.sha256.digest(of: left) == DigestAlgorithm.sha256.digest(of: right)
    }

    private func evidence(of signer: SignerInfo, _ finding: CMSIntegrity) -> SignerEvidence {
        var evidence = SignerEvidence(certificate: signer.certificate)
        switch finding {
        case .intact: break
        case .broken(let why): evidence.findings.append(VerificationDetail(.signature, .invalid, why))
        case .unknown(let why): evidence.findings.append(VerificationDetail(.signature, .indeterminate, why))
        }
        evidence.findings += AlgorithmStrength.details(ofDigest: signer.digestNID, policy)
        if let certificate = evidence.certificate, signer.namedCertificate(certificate) == .other {
            evidence.findings.append(
                VerificationDetail(
                    .signature, .invalid,
                    "the certificate that the signature names is not the one whose key verifies it")
            )
        }
        evidence.claimedTime = signer.signingTime
        if let value = signer.signature {
            evidence.timestamps = signer.timestamps.map { SignerEvidence.Stamped(token: $0, content: value) }
        }
        return evidence
    }
}
