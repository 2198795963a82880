/// Whom a verification trusts, and how strictly.
public struct TrustPolicy: Sendable {
    /// How revocation is looked at.
    public enum Revocation: String, Sendable, Hashable, CaseIterable {
        /// Not at all.
        case none
        /// With the lists at hand; a certificate that names a source of which there is no list here is indeterminate.
        case present
        /// A list must be at hand for every certificate of the path.
        case require
    }

    /// Where paths may end. An anchor need not be self-signed (partial chains).
    public var anchors: [Certificate]
    /// Issuers that signatures often leave out.
    public var intermediates: [Certificate]
    public var revocationLists: [RevocationList]
    public var revocation: Revocation
    /// The time of verification, Unix seconds; nil takes the present.
    public var verificationTime: Int?
    /// Whether SHA-1, MD5, DSA and RSA from 1024 bits on may be trusted. What is weaker still never is.
    public var allowsWeakAlgorithms: Bool

    public init(
        anchors: [Certificate], intermediates: [Certificate] = [], revocationLists: [RevocationList] = [],
        revocation: Revocation = .none, verificationTime: Int? = nil, allowsWeakAlgorithms: Bool = false
    ) {
        self.anchors = anchors
        self.intermediates = intermediates
        self.revocationLists = revocationLists
        self.revocation = revocation
        self.verificationTime = verificationTime
        self.allowsWeakAlgorithms = allowsWeakAlgorithms
    }
}

/// What a certificate is asked to be good for.
public enum CertificateUse: Sendable, Hashable {
    /// Signing mail: digitalSignature or nonRepudiation, and emailProtection where purposes are named (RFC 8550 §4.4).
    case mail
    /// Signing documents: digitalSignature or nonRepudiation.
    case document
    /// Whatever it likes: only the path counts.
    case any
}

/// One thing that keeps a signature from being trusted.
public struct VerificationDetail: Sendable, Hashable {
    /// The detail types of OASIS DSS core.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case issuerTrust = "IssuerTrust"
        case revocationStatus = "RevocationStatus"
        case validityInterval = "ValidityInterval"
        case signature = "Signature"
        /// Ours: who signed is not who is named as the author.
        case signerIdentity = "SignerIdentity"
    }
    /// How bad it is.
    public enum Level: Sendable, Hashable, CaseIterable {
        /// Too little is known.
        case indeterminate
        /// It speaks against the signature.
        case invalid
    }
    public let kind: Kind
    public let level: Level
    /// One line for people; names of certificates in it are a stranger's words.
    public let message: String

    public init(_ kind: Kind, _ level: Level, _ message: String) {
        self.kind = kind
        self.level = level
        self.message = message
    }
}

/// What is to be thought of a signature.
public enum TrustVerdict: Sendable, Hashable {
    case trusted, indeterminate, notTrusted

    /// The worst detail decides; without any the signature is trusted.
    public init(_ details: some Sequence<VerificationDetail>) {
        var verdict = TrustVerdict.trusted
        for detail in details {
            switch detail.level {
            case .invalid: verdict = .notTrusted
            case .indeterminate: if verdict == .trusted { verdict = .indeterminate }
            }
        }
        self = verdict
    }
}
