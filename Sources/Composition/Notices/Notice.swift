public import InternetMessage
public import Octets

/// A notice of SES to the administrator or to a sender (RFC 3834).
public struct Notice: Sendable {
    /// The part of the message that goes with the notice.
    public enum Original: Sendable {
        /// All of it, as message/rfc822 where it can be.
        case attached(CleanedMessage)
        /// Its header only: content is not given back to strangers.
        case headerOnly(CleanedMessage)
        /// Its header only, because it is too large; the message itself is kept in the folder `blocked`.
        case headerOfBlocked(CleanedMessage)
        /// Its header only, because it is too large; the message itself went on to its recipients.
        case headerOfDelivered(CleanedMessage)
        /// The file unchanged, in base64: nothing of it is read.
        case raw(any OctetSource)
        /// Nothing: it is too large, or gone.
        case none
    }

    public let from: AddrSpec
    public let to: AddrSpec
    /// The event, in a few words of ours; the subject begins with it.
    public let what: String
    /// The reason, in a sentence.
    public let why: String
    public let workflow: String?
    /// The server's message, in one line.
    public let serverMessage: String?
    /// The entry's identifier.
    public let entry: String
    public let result: ResultText?
    /// The server's, as received.
    public let answers: [ServerAnswer]
    public let original: Original
    /// Messages that the notice is about, where it is about several.
    public let mentioned: [Mention]
    /// For the administrator alone; nil in a notice to anybody else.
    public let inside: Inside?

    /// The facts that only the administrator may know: the envelope names the Bcc recipients.
    public struct Inside: Sendable, Hashable {
        /// The envelope sender, empty for the null sender; nil if unknown.
        public let sender: String?
        public let recipients: [String]
        /// The place in `ses.xml` that decided, and the action.
        public let rule: String?
        /// True if the message stands in `blocked`, so that it can be released.
        public let isKept: Bool

        public init(sender: String?, recipients: [String], rule: String?, isKept: Bool) {
            self.sender = sender
            self.recipients = recipients
            self.rule = rule
            self.isKept = isKept
        }

        /// The number of recipients that are named.
        static let named = 50
    }

    /// A message that a notice is about, without being attached.
    public struct Mention: Sendable, Hashable {
        /// The entry's identifier.
        public let entry: String
        public let messageID: String?
        /// The reason for a separate notice, in a sentence.
        public let reason: String

        public init(entry: String, messageID: String?, reason: String) {
            self.entry = entry
            self.messageID = messageID
            self.reason = reason
        }
    }

    public init(
        from: AddrSpec, to: AddrSpec, what: String, why: String, workflow: String? = nil, serverMessage: String? = nil,
        entry: String, result: ResultText? = nil, answers: [ServerAnswer] = [], original: Original,
        mentioned: [Mention] = [], inside: Inside? = nil
    ) {
        self.inside = inside
        self.from = from
        self.to = to
        self.what = what
        self.why = why
        self.workflow = workflow
        self.serverMessage = serverMessage
        self.entry = entry
        self.result = answers.isEmpty ? result?.withoutResponses : result
        self.answers = answers
        self.original = original
        self.mentioned = mentioned
    }

    /// The whole mail, CRLF line ends.
    /// - Parameters:
    ///   - addedFields: Whole fields with CRLF for the top.
    ///   - token: Random, of letters and digits: Message-ID and boundaries are made of it.
    public func compose(date: MailDate, token: String, addedFields: [String] = []) -> OctetRope {
        var parts = [
            MailPart.alternative(
                plain: text.plain + (result.map { "\r\n" + $0.plain } ?? ""),
                html: text.html + (result?.html ?? ""), boundary: "ses-alternative-" + token)
        ]
        parts += answers.map(\.part)
        switch original {
        case .attached(let message): parts.append(.original(message))
        case .headerOnly(let message), .headerOfBlocked(let message), .headerOfDelivered(let message):
            parts.append(.originalHeader(message))
        case .raw(let file):
            parts.append(
                .file(
                    file, type: "application/octet-stream", name: "original.bin",
                    description: "The file as received, not examined"))
        case .none: break
        }
        var rope = OctetRope()
        for field in addedFields { rope.append(field) }
        rope.append(
            FieldLines.field("From", ["SES", "<" + from.description + ">"])
                + FieldLines.field("To", [to.description])
                + FieldLines.field("Subject", text: subject, limit: 200)
                + FieldLines.field("Date", ["\(date)"])
                + FieldLines.field("Message-ID", ["<ses-" + token + "@" + domain + ">"])
                + (originalID.map { FieldLines.field("References", [$0]) } ?? "")
                + "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n")
        rope.append(MailPart.multipart("mixed", parts, boundary: "ses-mixed-" + token).entity)
        return rope
    }

    /// Returns true if a notice about a message may go to its sender: never to the null sender or an unknown one, never
    /// in answer to a program's message (RFC 3834 §2), and not if the message has passed here too often.
    public static func mayNotify(sender: ReversePath?, header: Header) -> Bool {
        guard case .address? = sender else { return false }
        return mayAnswer(header)
    }

    /// Returns true if the header allows a notice about the message.
    public static func mayAnswer(_ header: Header) -> Bool {
        let isAutomatic = header.all("Auto-Submitted").contains { field in
            let word = field.text.prefix { $0 != ";" && $0 != "(" && $0 != " " && $0 != "\t" }
            return !word.equalsIgnoringASCIICase("no")
        }
        return !isAutomatic && header.all("Received").count <= ReceivedToken.maximumReceived
    }

    // MARK: - Text

    private var text: LabelledText {
        var rows: [LabelledText.Row] = []
        func add(_ label: String, _ value: String?) {
            if let value, !value.isEmpty { rows.append(.init(label: label, value: value)) }
        }
        add("Workflow", workflow)
        add("Server says", serverMessage)
        for name in ["From", "To", "Subject", "Date"] { add(name, shown(name)) }
        add("Message-ID", originalID)
        if let inside {
            if let sender = inside.sender { add("Sent by", sender.isEmpty ? "<>" : sender) }
            let more = inside.recipients.count - Inside.named
            add(
                "Sent to",
                inside.recipients.prefix(Inside.named).joined(separator: ", ") + (more > 0 ? " and \(more) more" : ""))
            add("Rule", inside.rule)
        }
        add("Reference", entry)
        if let inside, !entry.isEmpty {
            let short = entry.prefix(12)
            if inside.isKept {
                add("To deliver it", "ses release \(short)")
                add("To refuse it", "ses reject \(short)")
            }
            add("Every step", "ses trace \(short)")
        }
        switch original {
        case .attached: add("Message", "attached, as received")
        case .headerOnly: add("Message", "kept by the administrator; only its header is attached")
        case .headerOfBlocked:
            add("Message", "too large to be attached; it is kept in the folder blocked, and its header is attached")
        case .headerOfDelivered:
            add("Message", "too large to be attached; it went on to its recipients, and its header is attached")
        case .raw: add("Message", "attached as a file, as received; SES has not examined it")
        case .none: if mentioned.isEmpty { add("Message", "not attached") }
        }
        for mention in mentioned {
            let words = [mention.messageID.map { UntrustedText.plainTextLine($0, limit: 250) }, mention.reason]
            add(mention.entry, words.compactMap { $0 }.joined(separator: ": "))
        }
        if result == nil { for answer in answers { add("Server answer", "attached as " + answer.name) } }
        return LabelledText(title: "Secure Email Server: " + what, summary: why, rows: rows, colour: "#616161")
    }

    private var subject: String {
        shown("Subject").map { what + ": " + $0 } ?? what
    }

    private var header: Header? {
        switch original {
        case .attached(let message), .headerOnly(let message), .headerOfBlocked(let message),
            .headerOfDelivered(let message):
            message.header
        case .raw, .none: nil
        }
    }

    /// The field as a reader sees it.
    private func shown(_ name: String) -> String? {
        guard let field = header?.first(name) else { return nil }
        return EncodedWords.decode(field.rawBody, using: BuiltInCharsets())
    }

    private var originalID: String? {
        guard let field = header?.first("Message-ID"), let id = MessageID(parsing: field.rawBody),
            id.value.utf8.count <= 250, id.value.utf8.allSatisfy({ $0 < 0x7F })
        else { return nil }
        return "\(id)"
    }

    private var domain: String { from.domain.utf8.allSatisfy { $0 < 0x80 } ? from.domain : "localhost" }
}
