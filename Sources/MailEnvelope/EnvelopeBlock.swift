public import Octets

/// The header fields at the head of a spool file that carry its envelope and what became of it.
///
/// ``end`` stands last, so that nothing of the message behind it can be read as a continuation of ours.
public struct EnvelopeBlock: Sendable, Hashable {
    public let envelope: Envelope
    /// The entry's identifier.
    public let entry: String?
    /// The mail server's identifier of the message.
    public let queueID: String?
    /// One word for what the file is, such as `signed`.
    public let outcome: String?
    public let workflow: String?
    /// One plain sentence.
    public let reason: String?
    /// The way it travels from here.
    public let direction: Direction?

    /// The values of ``origin``.
    public enum Direction: String, Sendable, Hashable {
        case outgoing = "out"
        case incoming = "in"
    }

    public init(
        envelope: Envelope, entry: String?, queueID: String? = nil, outcome: String? = nil, workflow: String? = nil,
        reason: String? = nil, direction: Direction? = nil
    ) {
        self.envelope = envelope
        self.entry = entry
        self.queueID = queueID
        self.outcome = outcome
        self.workflow = workflow
        self.reason = reason
        self.direction = direction
    }

    /// The block's octets. Nothing in a value can begin a field or end the block.
    ///
    /// Recipients beyond US-ASCII are in UTF-8 (RFC 6532). Lines have at most 78 octets unless an address is longer.
    /// - Parameter lineEnd: ``LineEnding/lf`` for a file that has LF; anything else gives CRLF.
    public func rendered(lineEnd: LineEnding = .crlf) -> OctetString {
        var text = ""
        switch envelope.sender {
        case nil: break
        case .null: text += FieldLines.field(Self.returnPath, ["<>"])
        case .address(let address): text += FieldLines.field(Self.returnPath, ["<" + address.description + ">"])
        }
        if !envelope.recipients.isEmpty {
            let last = envelope.recipients.count - 1
            text += FieldLines.field(
                Self.envelopeTo,
                envelope.recipients.enumerated().map { $1.description + ($0 == last ? "" : ",") })
        }
        // Each of these is one word by its grammar.
        let notification = envelope.notification
        if let notify = notification.notify { text += FieldLines.field(Self.notify, ["\(notify)"]) }
        if let returned = notification.returned { text += FieldLines.field(Self.returned, [returned.rawValue]) }
        if let identifier = notification.identifier {
            text += FieldLines.field(Self.envelopeID, [identifier.xtext])
        }
        if !notification.originals.isEmpty {
            for recipient in envelope.recipients {
                guard let original = notification.originals[recipient] else { continue }
                text += FieldLines.field(Self.original, ["\(original)", recipient.description])
            }
        }
        for (name, value) in [
            (Self.entry, entry), (Self.queueID, queueID), (Self.outcome, outcome), (Self.workflow, workflow),
            (Self.reason, reason), (Self.origin, direction?.rawValue),
        ] {
            guard let value, !value.isEmpty else { continue }
            text += FieldLines.field(name, text: value, limit: 1_000)
        }
        text += Self.end
        // A CR stands in line ends alone.
        return lineEnd == .lf ? OctetString(text.utf8.filter { $0 != 0x0D }) : OctetString(text)
    }

    package static let returnPath = "Return-Path"
    package static let envelopeTo = "Envelope-To"
    package static let notify = "X-SES-Notify"
    package static let returned = "X-SES-Return"
    package static let envelopeID = "X-SES-Envelope-Id"
    package static let original = "X-SES-Original-Recipient"
    package static let entry = "X-SES-Entry"
    package static let queueID = "X-SES-Queue-Id"
    package static let outcome = "X-SES-Outcome"
    package static let workflow = "X-SES-Workflow"
    package static let reason = "X-SES-Reason"
    package static let origin = "X-SES-Origin"
    /// The last line.
    package static let end = "X-SES-End: 1\r\n"
}
