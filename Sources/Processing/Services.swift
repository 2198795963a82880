public import Composition
public import InternetMessage
import Octets
public import Workflows

/// The outside services that processing uses, in one value.
public struct Services: Sendable {
    /// Each start of a message may have one of its own.
    public var signatures: any SignatureService
    public let inspection: any SignatureInspection
    public let documents: any DocumentInspection
    /// The facts on which a message is decided. `enclosed` is what its signed S/MIME objects hold.
    public let facts:
        @Sendable (Message, _ enclosed: [Message], _ recipients: [AddrSpec], _ sender: ReversePath?) -> any MessageFacts
    /// For names and texts of messages.
    public let charsets: any CharsetDecoding
    /// HMAC-SHA256 under the spool's secret.
    public let authenticationCode: @Sendable ([UInt8]) -> [UInt8]
    /// `count` random octets.
    public let random: @Sendable (_ count: Int) -> [UInt8]
    /// Unix seconds.
    public let now: @Sendable () -> Int
    /// A time that has surely passed, Unix seconds: if ``now`` says an earlier one, the clock is wrong.
    public let knownPast: Int
    /// The name of this host in Received fields.
    public let hostName: String
    /// The client id at the signing server.
    public let originatorID: String
    /// Seconds to wait after attempt n, counted from 1; nil when there are no more.
    public let retryDelay: @Sendable (_ attempt: Int) -> Int?
    /// Asked before a notice that does not carry the only copy: false when its address had enough of them this hour.
    public let mayNotify: @Sendable (AddrSpec) -> Bool
    /// Asked before the administrator's copy of a message that goes on to its recipients: false when the limit of such
    /// copies is reached; the copy is told of in a summary then.
    public let admitsCopy: @Sendable (Notice.Mention) -> Bool

    public init(
        signatures: any SignatureService, inspection: any SignatureInspection,
        documents: any DocumentInspection,
        facts: @escaping @Sendable (Message, [Message], [AddrSpec], ReversePath?) -> any MessageFacts,
        charsets: any CharsetDecoding = BuiltInCharsets(),
        authenticationCode: @escaping @Sendable ([UInt8]) -> [UInt8], random: @escaping @Sendable (Int) -> [UInt8],
        now: @escaping @Sendable () -> Int, knownPast: Int = 0, hostName: String, originatorID: String,
        retryDelay: @escaping @Sendable (Int) -> Int?, mayNotify: @escaping @Sendable (AddrSpec) -> Bool,
        admitsCopy: @escaping @Sendable (Notice.Mention) -> Bool = { _ in true }
    ) {
        self.signatures = signatures
        self.inspection = inspection
        self.documents = documents
        self.facts = facts
        self.charsets = charsets
        self.authenticationCode = authenticationCode
        self.random = random
        self.now = now
        self.knownPast = knownPast
        self.hostName = hostName
        self.originatorID = originatorID
        self.retryDelay = retryDelay
        self.mayNotify = mayNotify
        self.admitsCopy = admitsCopy
    }

    /// A RequestID for new content: ADSS answers a repeated one from its memory (docs/dss-protocol.md, Common parts).
    public func makeRequestID() -> String {
        var octets = random(16)
        octets[6] = octets[6] & 0x0F | 0x40
        octets[8] = octets[8] & 0x3F | 0x80
        let groups = [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { octets[$0].hexadecimal }
        return "SES-" + groups.joined(separator: "-")
    }

    /// A boundary or Message-ID token that no other message has.
    func makeToken() -> String { random(16).hexadecimal }
}
