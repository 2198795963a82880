public import Octets

/// The facts about a signer besides the arithmetic, whatever the format of the signature.
public struct SignerEvidence: Sendable {
    /// The signer's certificate; nil when it was not found.
    public var certificate: Certificate?
    /// Further certificates that came along.
    public var others: [Certificate] = []
    /// The time of signing that the signer claims, Unix seconds.
    public var claimedTime: Int?
    /// Timestamps that prove when the signature existed.
    public var timestamps: [Stamped] = []
    /// Revocation data that came along.
    public var revocation = RevocationEvidence()
    /// Algorithms of the signature that are weak, each as words: `the digest sha-1`. What the certificates are signed
    /// with is looked at anyway.
    public var weakAlgorithms: [String] = []
    /// The findings of the format's own checks.
    public var findings: [VerificationDetail] = []

    /// A timestamp and what it is of.
    public struct Stamped: Sendable {
        /// The token (SignedData).
        public var token: OctetString
        /// In CMS and a PDF signature's CMS the signature value; in XAdES the canonical SignatureValue; for a PDF's
        /// document timestamp the octets of its byte ranges.
        public var content: any OctetSource
        /// The time at which a later timestamp proves that the token existed, Unix seconds.
        public var existence: Int?

        public init(token: OctetString, content: any OctetSource, existence: Int? = nil) {
            self.token = token
            self.content = content
            self.existence = existence
        }
    }

    public init(certificate: Certificate?) { self.certificate = certificate }
}

/// Judges signers: one policy for every format.
///
/// ETSI EN 319 102-1: a timestamp that holds (§5.4) proves when the signature existed, and the signer's path is
/// validated for that moment (§5.5.4); a later expiry or revocation does no harm. A timestamp that does not hold (it is
/// broken, of something else, or by an authority that is not trusted) proves nothing and does no harm either: it stands
/// outside the signature, and anybody can add one. The signature is then judged for the time of verification, as if the
/// timestamp were not there. Its details are in ``SignerResult/timestamps``.
public struct SignerJudge: Sendable {
    public let policy: TrustPolicy
    public let use: CertificateUse
    /// The most timestamps of one signer that are looked at.
    static let maximumTimestamps = 8

    public init(policy: TrustPolicy, use: CertificateUse) {
        self.policy = policy
        self.use = use
    }

    /// - Parameter now: Unix seconds; used when the policy has no time of its own.
    /// - Throws: ``CryptographyError`` if OpenSSL cannot carry out the validation.
    public func judge(_ evidence: SignerEvidence, now: Int) throws(CryptographyError) -> SignerResult {
        var details = evidence.findings
        if !policy.allowsWeakAlgorithms {
            details += evidence.weakAlgorithms.map { VerificationDetail(.signature, .indeterminate, "\($0) is weak") }
        }
        details += timeDetails(claimed: evidence.claimedTime, now)
        var timestamps: [TimestampResult] = []
        let verifier = TimestampVerifier(policy: policy)
        for stamped in evidence.timestamps.prefix(Self.maximumTimestamps) {
            let result = try verifier.verify(
                stamped.token, of: stamped.content, existence: stamped.existence, extra: evidence.revocation,
                others: evidence.others, now: now)
            timestamps.append(result)
        }
        let provenTime = timestamps.compactMap(\.provenTime).min()
        var result = SignerResult(
            details: details, certificate: evidence.certificate, signingTime: evidence.claimedTime,
            provenTime: provenTime, timestamps: timestamps)
        guard let certificate = evidence.certificate else {
            result.details.append(
                VerificationDetail(.issuerTrust, .indeterminate, "the signer's certificate is not available"))
            return result
        }
        let judgement = try CertificatePath.judge(
            certificate, others: evidence.others, policy: policy,
            times: SignatureTimes(
                verification: policy.verificationTime ?? now, claimed: evidence.claimedTime, proven: provenTime),
            use: use, extra: evidence.revocation)
        result.details += judgement.details
        result.path = judgement.path
        result.evidence = judgement.evidence
        return result
    }

    /// A claimed time that lies ahead: the clock of one side is wrong, or the claim is.
    private func timeDetails(claimed: Int?, _ now: Int) -> [VerificationDetail] {
        guard let claimed, claimed > max(now, policy.verificationTime ?? now) + Self.maximumClaimedAhead else {
            return []
        }
        return [
            VerificationDetail(
                .validityInterval, .indeterminate,
                "the signer claims to have signed on \(UnixTime.text(claimed)), which lies in the future")
        ]
    }

    /// The time in seconds that a signer's clock may be ahead. Clocks of desktop machines are sometimes off by an hour.
    private static let maximumClaimedAhead = 2 * 3_600
}

/// The result of verifying one signer.
public struct SignerResult: Sendable {
    /// The faults that keep the signature from being trusted; empty if it is. A format may add its own findings.
    public var details: [VerificationDetail]
    /// The signer's certificate; nil when it was not found.
    public let certificate: Certificate?
    /// True if the signature carries the certificate. Otherwise it was known beforehand, or was not found.
    public internal(set) var isCertificateEnclosed = true
    /// The time of signing that the signer claims, Unix seconds (in CMS the signingTime attribute).
    public let signingTime: Int?
    /// The time at which the signature is proven to have existed, by the earliest timestamp that holds, Unix seconds.
    public let provenTime: Int?
    /// All timestamps, those that prove nothing too.
    public let timestamps: [TimestampResult]
    /// From the signer to its anchor, as far as a path was found.
    public internal(set) var path: [Certificate] = []
    /// The evidence that revocation was judged by: the data that a signature needs to be verified far in the future.
    public internal(set) var evidence = RevocationEvidence()

    init(
        details: [VerificationDetail], certificate: Certificate?, signingTime: Int?, provenTime: Int? = nil,
        timestamps: [TimestampResult] = []
    ) {
        self.details = details
        self.certificate = certificate
        self.signingTime = signingTime
        self.provenTime = provenTime
        self.timestamps = timestamps
    }

    public var verdict: TrustVerdict { TrustVerdict(details) }
}
