public import Octets

/// One call that has signatures verified.
public struct VerificationOperation: Sendable {
    public let kind: DocumentKind
    /// For an e-mail the whole message, CRLF line ends; for a detached CMS the content, nil for an enclosing one.
    public let document: (any OctetSource)?
    /// A signature that stands apart from the document (SignatureObject/Base64Signature).
    public let signature: OctetString?
    public let originatorID: String
    public let requestID: String

    public init(
        kind: DocumentKind, document: (any OctetSource)?, signature: OctetString?, originatorID: String,
        requestID: String
    ) {
        self.kind = kind
        self.document = document
        self.signature = signature
        self.originatorID = originatorID
        self.requestID = requestID
    }
}

/// What a verifier says of signed content; the later word is the worse.
public enum Verdict: Int, Sendable, Hashable, Comparable, CaseIterable {
    case trusted, indeterminate, notTrusted

    public static func < (left: Verdict, right: Verdict) -> Bool { left.rawValue < right.rawValue }

    /// The word for people: `trusted`, `indeterminate`, `not trusted`.
    public var words: String {
        switch self {
        case .trusted: "trusted"
        case .indeterminate: "indeterminate"
        case .notTrusted: "not trusted"
        }
    }
}

/// What a verification call gave. Texts are bounded and free of control characters; they are still a stranger's words.
public struct VerificationAnswer: Sendable {
    public let verdict: Verdict
    /// Whether what is missing for a verdict is a revocation service's answer.
    public let isRevocationUnreachable: Bool
    /// Whether all that the server has against the signature is that its signer is not the message's author.
    public let isOnlySignerWrong: Bool
    /// The signers' names as the server gives them.
    public let signerIdentities: [String]
    /// RFC 3339 as received.
    public let signingTimes: [String]
    /// ResultMessage and detail messages, in order.
    public let messages: [String]
    /// What is said of single signatures, in the server's order; empty when it says nothing of them.
    public let signatures: [IndividualVerification]
    /// The certificates of signers whose signature does not carry them, DER; `ses-dss` gives them.
    public let signerCertificates: [OctetString]
    /// The body of the answer exactly as received, for `attachResponseXml`.
    public let raw: OctetString

    public init(
        verdict: Verdict, isRevocationUnreachable: Bool, isOnlySignerWrong: Bool = false, signerIdentities: [String],
        signingTimes: [String], messages: [String], signatures: [IndividualVerification] = [],
        signerCertificates: [OctetString] = [], raw: OctetString
    ) {
        self.signerCertificates = signerCertificates
        self.verdict = verdict
        self.isRevocationUnreachable = isRevocationUnreachable
        self.isOnlySignerWrong = isOnlySignerWrong
        self.signerIdentities = signerIdentities
        self.signingTimes = signingTimes
        self.messages = messages
        self.signatures = signatures
        self.raw = raw
    }
}
