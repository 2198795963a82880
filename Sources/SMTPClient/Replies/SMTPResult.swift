/// The result for one recipient. Each recipient of a delivery gets exactly one.
public struct SMTPRecipientResult: Sendable, Hashable {
    public enum Outcome: Sendable, Hashable {
        /// The server took responsibility for it: this is its reply to the final dot.
        case accepted(SMTPReply)
        case failed(SMTPFailure)
        /// All of the message was sent, the final dot too, and no reply came. It is unknown whether the server has the
        /// message. This is a transient failure: the message is tried again, because it could be lost otherwise, and
        /// counted as a possible repeat.
        case unknown(SMTPFailure)
    }

    /// Its index in ``SMTPEnvelope/recipients``.
    public let recipient: Int
    public let outcome: Outcome

    public init(recipient: Int, outcome: Outcome) {
        self.recipient = recipient
        self.outcome = outcome
    }
}

/// The state in which a delivery left the connection.
public enum SMTPDeliveryEnd: Sendable, Hashable {
    /// Every recipient has its result, and the next message may follow.
    case open
    /// Every recipient has its result, and the connection is over, for this reason.
    case closed(SMTPFailure)
    /// The connection had died while it waited between two messages: nothing of this one was sent. Recipients that had
    /// no result before the first command still have none. A new connection is to be made for them, and it costs the
    /// message no attempt.
    case stale(SMTPFailure)
}

/// The rule for a message when a server refuses some of the recipients.
public enum SMTPPartialDelivery: Sendable, Hashable {
    /// The others get the message.
    case allowed
    /// Nobody gets it (RSET before DATA). If one of the refusals is permanent, all recipients fail permanently, because
    /// the condition cannot be met any more. Otherwise all are deferred.
    case refused
}
