public import InternetMessage
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
    /// `out` or `in`: the way it travels from here.
    public let origin: String?

    public init(
        envelope: Envelope, entry: String?, queueID: String? = nil, outcome: String? = nil, workflow: String? = nil,
        reason: String? = nil,
        origin: String? = nil
    ) {
        self.envelope = envelope
        self.entry = entry
        self.queueID = queueID
        self.outcome = outcome
        self.workflow = workflow
        self.reason = reason
        self.origin = origin
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
        for (name, value) in [
            (Self.entry, entry), (Self.queueID, queueID), (Self.outcome, outcome), (Self.workflow, workflow),
            (Self.reason, reason),
            (Self.origin, origin),
        ] {
            guard let value, !value.isEmpty else { continue }
            text += FieldLines.field(name, text: value, limit: 1_000)
        }
        text += Self.end
        return OctetString(lineEnd == .lf ? text.replacing("\r\n", with: "\n") : text)
    }

    /// Reads a whole block.
    /// - Throws: ``CompositionError/Kind/damagedEnvelopeBlock`` if the octets are not exactly a block: fields, the last
    ///   of them X-SES-End, with addresses and requests that can be read.
    public init(parsing octets: OctetString) throws(CompositionError) {
        let header: Header
        do {
            header = try Header(
                reading: octets, limits: Message.Limits(parts: 0, depth: 0, headerOctets: max(octets.count, 1)))
        } catch {
            throw Self.damaged("it cannot be read (\(error))")
        }
        guard header.range == 0..<octets.count, let last = header.fields.last, last.isNamed("X-SES-End"),
            last.text == "1"
        else { throw Self.damaged("it does not end with X-SES-End: 1") }
        var sender: ReversePath?
        if let field = header.first(Self.returnPath) {
            guard let path = ReversePath(parsing: field.text) else { throw Self.damaged("its Return-Path is no path") }
            sender = path
        }
        var recipients: [AddrSpec] = []
        for field in header.all(Self.envelopeTo) {
            let list = AddressList(parsing: field)
            guard list.isWellFormed else { throw Self.damaged("its Envelope-To is no list of addresses") }
            recipients += list.mailboxes.map(\.address)
        }
        func value(_ name: String) -> String? {
            header.first(name).map { EncodedWords.decode($0.text, using: BuiltInCharsets()) }
        }
        self.init(
            envelope: Envelope(
                sender: sender, recipients: recipients, source: .block, notification: try Self.notification(of: header)),
            entry: value(Self.entry), queueID: value(Self.queueID),
            outcome: value(Self.outcome), workflow: value(Self.workflow), reason: value(Self.reason),
            origin: value(Self.origin))
    }

    /// Blocks of earlier versions have none of these fields: nothing was asked for.
    private static func notification(of header: Header) throws(CompositionError) -> NotificationRequest {
        func value<Value>(_ name: String, _ read: (String) -> Value?) throws(CompositionError) -> Value? {
            guard let field = header.first(name) else { return nil }
            guard let value = read(field.text) else { throw damaged("its \(name) is none") }
            return value
        }
        return NotificationRequest(
            notify: try value(notify) { NotificationRequest.Notify(parsing: $0) },
            returned: try value(returned) { NotificationRequest.Returned(parsing: $0) },
            identifier: try value(envelopeID) { EnvelopeIdentifier(xtext: $0) })
    }

    private static func damaged(_ why: String) -> CompositionError {
        CompositionError(.damagedEnvelopeBlock, "the envelope block at the head of the file is damaged: " + why)
    }

    private static let returnPath = "Return-Path"
    private static let envelopeTo = "Envelope-To"
    private static let notify = "X-SES-Notify"
    private static let returned = "X-SES-Return"
    private static let envelopeID = "X-SES-Envelope-Id"
    private static let entry = "X-SES-Entry"
    private static let queueID = "X-SES-Queue-Id"
    private static let outcome = "X-SES-Outcome"
    private static let workflow = "X-SES-Workflow"
    private static let reason = "X-SES-Reason"
    private static let origin = "X-SES-Origin"
    /// The last line.
    private static let end = "X-SES-End: 1\r\n"
}
