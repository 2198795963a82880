public import InternetMessage

/// From whom and to whom one message goes over one connection, with what RFC 3461 lets a sender ask for.
public struct SMTPEnvelope: Sendable, Hashable {
    /// The null sender is said as `<>`.
    public var sender: ReversePath
    /// In the order in which they are named to the server; results refer to them by index.
    public var recipients: [SMTPRecipient]
    /// The parts of the message that a notification returns (RFC 3461 §4.3).
    public var returned: NotificationRequest.Returned?
    /// The identifier of the message in notifications (ENVID).
    public var identifier: EnvelopeIdentifier?

    public init(
        sender: ReversePath, recipients: [SMTPRecipient], returned: NotificationRequest.Returned? = nil,
        identifier: EnvelopeIdentifier? = nil
    ) {
        self.sender = sender
        self.recipients = recipients
        self.returned = returned
        self.identifier = identifier
    }

    public init(sender: ReversePath, recipients: [AddrSpec]) {
        self.init(sender: sender, recipients: recipients.map { SMTPRecipient($0) })
    }
}

/// One recipient of a message.
public struct SMTPRecipient: Sendable, Hashable {
    public var address: AddrSpec
    /// The events of which a notification is wanted (RFC 3461 §4.1).
    public var notify: NotificationRequest.Notify?
    /// The recipient as the first sender named it (ORCPT).
    public var original: OriginalRecipient?

    public init(_ address: AddrSpec, notify: NotificationRequest.Notify? = nil, original: OriginalRecipient? = nil) {
        self.address = address
        self.notify = notify
        self.original = original
    }
}
