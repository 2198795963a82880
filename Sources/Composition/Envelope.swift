public import InternetMessage

/// From whom and to whom a message travels (RFC 5321 §2.3.1). It is not the header.
public struct Envelope: Sendable, Hashable {
    /// nil: unknown, which is different from the null sender.
    public let sender: ReversePath?
    /// In order, each once. Empty: unknown; never guessed from the header of a delivered message.
    public let recipients: [AddrSpec]
    public let source: Source
    /// What the sender wants to be told of the delivery.
    public let notification: NotificationRequest

    /// Where an envelope was read.
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
        sender: ReversePath?, recipients: [AddrSpec], source: Source,
        notification: NotificationRequest = NotificationRequest()
    ) {
        self.sender = sender
        var seen: Set<AddrSpec> = []
        self.recipients = recipients.filter { seen.insert($0).inserted }
        self.source = source
        self.notification = notification
    }
}
