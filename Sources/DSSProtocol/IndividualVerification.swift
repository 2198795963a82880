/// A server's statement about one signature of a document. Texts are bounded and free of control characters, but still
/// not trustworthy.
public struct IndividualVerification: Sendable, Hashable {
    public var verdict: Verdict
    /// The name in the signer's certificate.
    public var signer: String?
    /// The time at which the signer claims to have signed; RFC 3339 as received.
    public var signingTime: String?
    /// The latest time at which the signature existed, as a timestamp proves; RFC 3339 as received.
    public var provenTime: String?
    /// The PDF field that holds it.
    public var fieldName: String?
    /// The server's objections, in order.
    public var messages: [String]

    public init(
        _ verdict: Verdict, signer: String? = nil, signingTime: String? = nil, provenTime: String? = nil,
        fieldName: String? = nil, messages: [String] = []
    ) {
        self.verdict = verdict
        self.signer = signer
        self.signingTime = signingTime
        self.provenTime = provenTime
        self.fieldName = fieldName
        self.messages = messages
    }

    /// Returns two statements about the same signature as one: the worse verdict, and all details.
    public func merged(with other: IndividualVerification) -> IndividualVerification {
        IndividualVerification(
            max(verdict, other.verdict), signer: signer ?? other.signer,
            signingTime: signingTime ?? other.signingTime, provenTime: provenTime ?? other.provenTime,
            fieldName: fieldName ?? other.fieldName,
            messages: messages + other.messages.filter { !messages.contains($0) })
    }
}
