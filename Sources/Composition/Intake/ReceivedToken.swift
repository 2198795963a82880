import DomainNames
public import InternetMessage
import Octets

/// By what a message that SES has handled is known again when it comes back.
///
/// The tokens are authentication codes under the spool's secret, so that nobody can forge or hide a loop. The first
/// covers message, direction and recipients, the second not the recipients: a hosted list that sends a mail out again
/// to others makes a new first token.
public struct ReceivedToken: Sendable, Hashable {
    /// HMAC-SHA256 under the spool's secret.
    public typealias AuthenticationCode = (_ octets: [UInt8]) -> [UInt8]

    /// The result of looking for loops.
    public enum Verdict: Sendable, Hashable {
        case passes
        /// The loop, in words.
        case loop(String)
    }

    /// Such as `outgoing`.
    public let direction: String
    /// With or without brackets, as long as it is always the same; empty when the message has none.
    public let messageID: String
    public let recipients: [AddrSpec]

    public init(direction: String, messageID: String?, recipients: [AddrSpec]) {
        self.direction = direction
        self.messageID = messageID ?? ""
        self.recipients = recipients
    }

    /// More Received fields than this are a loop (RFC 5321 §6.3 asks for at least 100 in servers; no route has 50).
    public static let maximumReceived = 50
    /// The number of passages of one message in one direction that are a loop, whatever the recipients.
    static let maximumPassages = 5

    /// Our Received field (RFC 5321 §4.4), with its final CRLF.
    ///
    /// - Parameters:
    ///   - unique: Names this passage: letters, digits, hyphens and dots; anything else is left out.
    ///   - host: Our name.
    public func field(unique: String, host: String, date: MailDate, code: AuthenticationCode) -> String {
        let (first, second) = tokens(code)
        return FieldLines.field(
            "Received",
            [
                "by", Self.atom(host), "(SES)", "id",
                Self.atom(unique) + "." + first + "." + second + ";", "\(date)",
            ])
    }

    /// Looks for our own tokens in the Received fields of `header`.
    public static func judge(_ header: Header, token: ReceivedToken, code: AuthenticationCode) -> Verdict {
        let received = header.all("Received")
        guard received.count <= maximumReceived else {
            return .loop("mail loop: the message has \(received.count) Received fields, \(maximumReceived) are allowed")
        }
        let (first, second) = token.tokens(code)
        var passages = 0
        for field in received {
            // A field that is not ours has hardly two such tokens; their order in the text is all that counts.
            let words = field.text.split { " ;\t".contains($0) }.filter { $0.utf8.count > 65 }
            for word in words {
                let pieces = word.split(separator: ".", omittingEmptySubsequences: false)
                guard pieces.count >= 3 else { continue }
                if pieces[pieces.count - 2].equalsIgnoringASCIICase(first) {
                    return .loop("mail loop: the message has been here before, to the same recipients")
                }
                if pieces[pieces.count - 1].equalsIgnoringASCIICase(second) { passages += 1 }
            }
        }
        return passages >= maximumPassages
            ? .loop("mail loop: the message has been here \(passages) times") : .passes
    }

    /// 32 hexadecimal digits each.
    private func tokens(_ code: AuthenticationCode) -> (first: String, second: String) {
        let known = "\(direction)\0\(messageID)"
        let sorted = Set(recipients.map { $0.localPart + "@" + $0.canonicalDomain.name }).sorted()
        let first = code(Array(([known] + sorted).joined(separator: "\0").utf8))
        let second = code(Array(known.utf8))
        return (first.prefix(16).hexadecimal, second.prefix(16).hexadecimal)
    }

    static func atom(_ text: String) -> String {
        let safe = text.utf8.prefix(200).filter {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D
                || $0 == 0x2E
        }
        return safe.isEmpty ? "unknown" : String(decoding: safe, as: UTF8.self)
    }
}
