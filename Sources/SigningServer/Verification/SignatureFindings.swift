public import CMSSignatures

/// The findings of the verification of a signed mail or document.
public struct SignatureFindings: Sendable {
    /// The findings about one signature of a document.
    public struct Individual: Sendable {
        /// The PDF field that holds it.
        public var fieldName: String?
        /// The subject of the signer's certificate.
        public var signer: String?
        /// The signer's claim, Unix seconds.
        public var claimedTime: Int?
        /// The time that a timestamp proves, Unix seconds.
        public var provenTime: Int?
        public var details: [VerificationDetail] = []
        /// From the signer's certificate towards an anchor, as far as a path was found.
        var path: [Certificate] = []
        /// The signer's certificate, where the signature does not carry it.
        var missingCertificate: Certificate?

        public var verdict: TrustVerdict { TrustVerdict(details) }

        init(_ result: SignerResult, fieldName: String? = nil, claimedTime: Int? = nil) {
            self.fieldName = fieldName
            signer = result.certificate?.subject
            self.claimedTime = result.signingTime ?? claimedTime
            provenTime = result.provenTime
            details = result.details
            path = result.path
            missingCertificate = result.isCertificateEnclosed ? nil : result.certificate
        }

        init(fieldName: String?, claimedTime: Int?, details: [VerificationDetail]) {
            self.fieldName = fieldName
            self.claimedTime = claimedTime
            self.details = details
        }
    }

    public let details: [VerificationDetail]
    /// The subjects of the signers' certificates.
    public let signers: [String]
    /// The first signer's claim, Unix seconds.
    public let signingTime: Int?
    /// One for each signature of a document, in its order; empty for a mail.
    public let individual: [Individual]
    /// The signers' certificates that are known here, but not carried by the signature: without them the client cannot
    /// identify the signer.
    let missingCertificates: [Certificate]
    /// The path of each signer, from its certificate towards an anchor.
    let paths: [[Certificate]]
    public var verdict: TrustVerdict { TrustVerdict(details) }

    init(
        details: [VerificationDetail], signers: [String] = [], signingTime: Int? = nil, individual: [Individual] = [],
        missingCertificates: [Certificate] = [], paths: [[Certificate]] = []
    ) {
        self.paths = paths
        self.missingCertificates = missingCertificates
        self.details = details
        self.signers = signers
        self.signingTime = signingTime
        self.individual = individual
    }

    /// A mail's.
    init(_ verification: CMSVerification, adding details: [VerificationDetail] = []) {
        self.init(
            details: details + verification.details,
            signers: verification.signers.compactMap { $0.certificate?.subject },
            signingTime: verification.signers.first?.signingTime,
            missingCertificates: verification.signers.compactMap { $0.isCertificateEnclosed ? nil : $0.certificate },
            paths: verification.signers.map(\.path))
    }

    /// A document's: every one of its signatures must be good.
    /// - Parameter details: The faults that do not depend on the signer.
    init(_ individual: [Individual], adding details: [VerificationDetail] = []) {
        self.init(
            details: details + individual.flatMap(\.details), signers: individual.compactMap(\.signer),
            signingTime: individual.first?.claimedTime, individual: individual,
            missingCertificates: individual.compactMap(\.missingCertificate), paths: individual.map(\.path))
    }

    /// A signature that cannot be read speaks against what it stands on.
    init(unreadable error: CryptographyError) {
        self.init(details: [VerificationDetail(.signature, .invalid, error.reason)])
    }
}
