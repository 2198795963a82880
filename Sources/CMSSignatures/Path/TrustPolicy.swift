import Explanations

/// The anchors that a verification trusts, and its strictness.
public struct TrustPolicy: Sendable {
    /// The handling of revocation.
    public enum Revocation: String, Sendable, Hashable, CaseIterable {
        /// Not at all.
        case none
        /// With what is at hand or can be fetched; a certificate that names a source of which nothing is known is
        /// indeterminate.
        case present
        /// It must be known of every certificate of the path below the anchor.
        case require
    }

    /// The certificates where paths may end. An anchor need not be self-signed (partial chains).
    public var anchors: [Certificate]
    /// The certificates where the paths of timestamp authorities may end; if empty, ``anchors``.
    public var timestampAnchors: [Certificate]
    /// Issuers that signatures often leave out.
    public var intermediates: [Certificate]
    public var revocationLists: [RevocationList]
    public var revocation: Revocation
    /// Asks OCSP responders and fetches lists that certificates name; nil: nobody is asked.
    public var revocationSource: (any RevocationSource)?
    /// Remembers what ``revocationSource`` gave; nil: nothing is remembered.
    public var revocationCache: RevocationCache?
    /// True if responders are asked too, and not only lists fetched. It is false for certificates of responders
    /// themselves.
    var asksResponders = true
    /// The time of verification, Unix seconds; nil takes the present.
    public var verificationTime: Int?
    /// True if SHA-1, MD5, DSA and RSA from 1024 bits on may be trusted. Weaker algorithms are never trusted.
    public var allowsWeakAlgorithms: Bool
    /// The requirements of a path on certificate policies.
    public var certificatePolicies = CertificatePolicies()

    public init(
        anchors: [Certificate], intermediates: [Certificate] = [], revocationLists: [RevocationList] = [],
        revocation: Revocation = .none, verificationTime: Int? = nil, allowsWeakAlgorithms: Bool = false,
        timestampAnchors: [Certificate] = [], revocationSource: (any RevocationSource)? = nil,
        revocationCache: RevocationCache? = nil
    ) {
        self.anchors = anchors
        self.intermediates = intermediates
        self.revocationLists = revocationLists
        self.revocation = revocation
        self.verificationTime = verificationTime
        self.allowsWeakAlgorithms = allowsWeakAlgorithms
        self.timestampAnchors = timestampAnchors
        self.revocationSource = revocationSource
        self.revocationCache = revocationCache
    }

    /// The time in seconds by which the clocks of two hosts may differ.
    static let clockSkew = 300
}

/// The inputs of certificate policy processing (RFC 5280 §6.1.1 c, d, e and g). What a path demands of itself by policy
/// constraints and inhibitAnyPolicy counts in any case.
public struct CertificatePolicies: Sendable, Hashable {
    /// The object identifiers of the policies that are acceptable (user-initial-policy-set); empty: any policy.
    public var acceptable: [String] = []
    /// True if the path must be valid for at least one acceptable policy (initial-explicit-policy).
    public var isRequired = false
    /// True if mappings of one policy to another are forbidden (initial-policy-mapping-inhibit).
    public var inhibitsMapping = false
    /// True if anyPolicy stands for no policy (initial-any-policy-inhibit).
    public var inhibitsAnyPolicy = false

    public init() {}

    /// Returns true if `text` is an object identifier in dotted decimal.
    public static func isObjectIdentifier(_ text: String) -> Bool { ObjectIdentifier.isDotted(text) }
}

/// The use that a certificate must be fit for.
public enum CertificateUse: Sendable, Hashable {
    /// Signing mail: digitalSignature or nonRepudiation, and emailProtection where purposes are named (RFC 8550 §4.4).
    case mail
    /// Signing documents: digitalSignature or nonRepudiation.
    case document
    /// Making timestamps: that purpose alone, and marked critical (RFC 3161 §2.3).
    case timestamping
    /// Answering for an issuer about revocation (RFC 6960 §4.2.2.2).
    case statusAnswers
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
    /// The severity.
    public enum Level: Sendable, Hashable, CaseIterable {
        /// Too little is known.
        case indeterminate
        /// It speaks against the signature.
        case invalid
    }
    /// The causes for which protocols have a word of their own, beyond kind and level.
    public enum Cause: Sendable, Hashable, CaseIterable {
        /// No answer of an OCSP responder that could be relied on (DSS: OcspNotAvailiable).
        case responderUnavailable
        /// No revocation list that could be relied on (DSS: CrlNotAvailiable).
        case listUnavailable
    }
    public let kind: Kind
    public let level: Level
    /// One line for people; names of certificates in it are a stranger's words.
    public let message: String
    /// nil where kind and level say it all.
    public let cause: Cause?

    public init(_ kind: Kind, _ level: Level, _ message: String, cause: Cause? = nil) {
        self.kind = kind
        self.level = level
        self.message = Self.advice(kind, level).added(to: message)
        self.cause = cause
    }
}

/// The verdict on a signature.
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
