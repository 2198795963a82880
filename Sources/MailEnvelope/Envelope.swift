/// From whom and to whom a message travels (RFC 5321 §2.3.1). It is not the header.
public struct Envelope: Sendable, Hashable {
    /// nil: unknown, which is different from the null sender.
    public let sender: ReversePath?
    /// In order, each once. Empty: unknown; never guessed from the header of a delivered message.
    public let recipients: [AddrSpec]
    public let source: Source
    /// Text in place of recipients that cannot be read: the message must not go to the others alone.
    public let unreadable: [UnreadableText]
    /// The notifications that the sender asked for.
    public let notification: NotificationRequest

    /// Text of a header field in which no address can be made out.
    public struct UnreadableText: Sendable, Hashable {
        /// The name of the field.
        public let field: String
        /// Untrusted.
        public let text: String

        public init(field: String, text: String) {
            self.field = field
            self.text = text
        }

        /// For people, on one line.
        public var words: String { "\(field): " + UntrustedText.quotedName(text, limit: 120) }
    }

    /// The place where an envelope was found.
    public enum Source: String, Sendable, Hashable {
        /// The block at the head of the file, written by SES.
        case block
        /// The trace fields that the mail server put above the first Received.
        case trace
        /// The address fields of a file that a person put in.
        case addressFields = "address-fields"
        /// Arguments of a command, or made by SES itself.
        case arguments
    }

    public init(
        sender: ReversePath?, recipients: [AddrSpec], source: Source, unreadable: [UnreadableText] = [],
        notification: NotificationRequest = NotificationRequest()
    ) {
        self.unreadable = unreadable
        self.sender = sender
        var seen: Set<AddrSpec> = []
        self.recipients = recipients.filter { seen.insert($0).inserted }
        self.source = source
        self.notification = notification
    }
}
