public import Octets

/// One call that has signatures verified.
public struct VerificationOperation: Sendable {
    public let kind: DocumentKind
    /// The whole message with CRLF line ends for a mail. The content for a detached CMS, nil for an enclosing one.
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

/// A verifier's statement about signed content; a later case is worse.
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

/// The result of a verification call. Texts are bounded and free of control characters, but still not trustworthy.
public struct VerificationAnswer: Sendable {
    public let verdict: Verdict
    /// True if a revocation service's answer is missing for a verdict.
    public let isRevocationUnreachable: Bool
    /// True if the server's only objection to the signature is that its signer is not the message's author.
    public let isOnlySignerWrong: Bool
    /// The signers' names as the server gives them.
    public let signerIdentities: [String]
    /// RFC 3339 as received.
    public let signingTimes: [String]
    /// ResultMessage and detail messages, in order.
    public let messages: [String]
    /// Statements about single signatures, in the server's order; empty if the server makes none.
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
