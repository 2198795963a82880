public import InternetMessage

/// From whom and to whom one message goes over one connection, with what RFC 3461 lets a sender ask for.
public struct SMTPEnvelope: Sendable, Hashable {
    /// Which parts of the message a notification returns (RFC 3461 §4.3).
    public enum Returned: String, Sendable, Hashable {
        case full = "FULL"
        case header = "HDRS"
    }

    /// The null sender is said as `<>`.
    public var sender: ReversePath
    /// In the order in which they are named to the server; results refer to them by index.
    public var recipients: [SMTPRecipient]
    public var returned: Returned?
    /// What notifications call the message (ENVID), as octets; sent as xtext.
    public var identifier: String?

    public init(
        sender: ReversePath, recipients: [SMTPRecipient], returned: Returned? = nil, identifier: String? = nil
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
    /// When a notification is wanted (RFC 3461 §4.1).
    public enum Notify: Sendable, Hashable {
        case never
        case on(Set<Event>)

        public enum Event: String, Sendable, Hashable, CaseIterable {
            case success = "SUCCESS"
            case failure = "FAILURE"
            case delay = "DELAY"
        }
    }

    public var address: AddrSpec
    public var notify: Notify?
    /// The recipient as the sender gave it (ORCPT, type rfc822, or utf-8 where it is not ASCII).
    public var original: AddrSpec?

    public init(_ address: AddrSpec, notify: Notify? = nil, original: AddrSpec? = nil) {
        self.address = address
        self.notify = notify
        self.original = original
    }
}
