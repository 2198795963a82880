import InternetMessage
public import MailEnvelope
public import Octets

extension EnvelopeBlock {
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
            direction: value(Self.origin).flatMap { Direction(rawValue: $0) })
    }

    /// Returns the mail server's identifier in a block; nil if it has none, or cannot be read.
    public static func queueID(in block: OctetString) -> String? {
        // Most blocks have none, and need not be read for it.
        guard block.array.firstRange(of: Array((queueID + ":").utf8)) != nil else { return nil }
        return (try? EnvelopeBlock(parsing: block))?.queueID
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
            identifier: try value(envelopeID) { EnvelopeIdentifier(xtext: $0) },
            originals: try originals(of: header))
    }

    /// Each field has the parameter, a blank and the recipient that it belongs to.
    private static func originals(of header: Header) throws(CompositionError) -> [AddrSpec: OriginalRecipient] {
        var originals: [AddrSpec: OriginalRecipient] = [:]
        for field in header.all(original) {
            let text = field.text
            guard let blank = text.firstIndex(of: " "), let parameter = OriginalRecipient(parsing: text[..<blank]),
                let recipient = AddrSpec(parsing: text[text.index(after: blank)...])
            else { throw damaged("its \(original) is none") }
            originals[recipient] = parameter
        }
        return originals
    }

    private static func damaged(_ why: String) -> CompositionError {
        CompositionError(.damagedEnvelopeBlock, "the envelope block at the head of the file is damaged: " + why)
    }
}
