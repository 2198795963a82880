/// What became of one recipient. Each recipient of a delivery gets exactly one.
public struct SMTPRecipientResult: Sendable, Hashable {
    public enum Outcome: Sendable, Hashable {
        /// The server took responsibility for it: this is its reply to the final dot.
        case accepted(SMTPReply)
        case failed(SMTPFailure)
        /// All of the message was sent, the final dot too, and no reply came. The server has the message or not. It is a
        /// transient failure, to be tried again as it would otherwise be lost perhaps, and to be counted as a possible
        /// repeat.
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

/// How a delivery left the connection.
public enum SMTPDeliveryEnd: Sendable, Hashable {
    /// Every recipient has its result, and the next message may follow.
    case open
    /// Every recipient has its result, and the connection is over, for this reason.
    case closed(SMTPFailure)
    /// The connection had died while it waited between two messages: nothing of this one was sent. Recipients that had no
    /// result before the first command still have none. A new connection is to be made for them, and it costs the message
    /// no attempt.
    case stale(SMTPFailure)
}

/// What is done when a server refuses some of the recipients.
public enum SMTPPartialDelivery: Sendable, Hashable {
    /// The others get the message.
    case allowed
    /// Nobody gets it (RSET before DATA). If one of the refusals is permanent, all recipients fail for good, because the
    /// condition cannot be met any more; else all are deferred.
    case refused
}
