import Composition
import InternetMessage
import MailEnvelope
import Delivery
import Spool

/// The facts about a standing message that its file tells.
struct StandingFacts: Sendable {
    /// The envelope sender, empty for the null sender; nil if unknown.
    let sender: String?
    /// The address in From; nil if none can be read.
    let author: String?
    /// The envelope recipients, of a deferred message those who wait; those of the address fields for a bare file.
    let recipients: [String]
    let subject: String?
    let messageID: String?
    let octets: Int
    let outcome: String?
    let workflow: String?
    let reason: String?
    let queueID: String?
    /// Fields of the header that are shown, in their order: name and text as decoded.
    let fields: [(name: String, text: String)]

    private static let shownFields = ["From", "Sender", "To", "Cc", "Subject", "Date", "Message-ID", "Content-Type"]

    /// - Parameter unreadable: The reason why the file cannot be read.
    init(unreadable: String) {
        sender = nil
        author = nil
        recipients = []
        subject = nil
        messageID = nil
        octets = 0
        outcome = nil
        workflow = nil
        reason = unreadable
        queueID = nil
        fields = []
    }

    /// - Throws: ``SpoolError`` if the file cannot be read.
    /// - Returns: nil if it is gone.
    init?(_ message: StandingMessage, in spool: Spool) throws(SpoolError) {
        guard let head = try spool.head(of: message) else { return nil }
        octets = head.octets
        let block = head.block.flatMap { try? EnvelopeBlock(parsing: $0) }
        outcome = block?.outcome
        workflow = block?.workflow
        queueID = block?.queueID
        let header = try? Header(reading: head.front, limits: Message.Limits(parts: 0, depth: 0, headerOctets: 65_536))
        let envelope =
            block?.envelope
            ?? header.flatMap { try? Envelope.reading(block: nil, header: $0, isBare: message.isBare) }
        sender = envelope?.sender.map(\.shown)
        let history = DeliveryHistory(lines: try spool.record(of: message))
        let waiting = history.pending(of: envelope?.recipients ?? [])
        recipients = waiting.map(\.description)
        // Of a deferred message the last that a server said tells more than why it was sent.
        reason =
            waiting.lazy.compactMap { history.lastReport(of: $0)?.text }.first.map { "deferred: " + $0 }
            ?? block?.reason
        author = header?.first("From").flatMap { AddressList(parsing: $0).mailboxes.first?.address.description }
        func text(_ field: HeaderField) -> String { EncodedWords.decode(field.text, using: BuiltInCharsets()) }
        subject = header?.first("Subject").map(text)
        messageID = header?.first("Message-ID").flatMap { MessageID(parsing: $0.rawBody) }.map { "\($0)" }
        fields = Self.shownFields.flatMap { name in (header?.all(name) ?? []).map { (name, text($0)) } }
    }
}
