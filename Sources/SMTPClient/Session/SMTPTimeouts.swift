/// The times that a server may take (RFC 5321 §4.5.3.2). Each is a limit on the whole reply, so that a server gains
/// nothing by sending it slowly.
public struct SMTPTimeouts: Sendable, Hashable {
    /// For the reply to MAIL, RCPT, RSET, and for commands to be taken.
    public var command: Duration = .seconds(300)
    /// For the reply to DATA.
    public var data: Duration = .seconds(120)
    /// For a message to be taken, besides the time its octets need at ``slowest``.
    public var content: Duration = .seconds(180)
    /// For the reply to the final dot. Too short a time makes repeats.
    public var finalReply: Duration = .seconds(600)
    /// For the whole dialogue about one message, besides the time its octets need at ``slowest`` and the wait for the
    /// reply to the final dot. Without it, many small waits would add up to hours.
    public var message: Duration = .seconds(900)
    /// For the reply to QUIT, which is not needed.
    public var quit: Duration = .seconds(2)
    /// Octets a second below which a server counts as not taking the message.
    public var slowest = 500

    public init() {}

    func limit(_ phase: SMTPFailure.Phase) -> Duration {
        switch phase {
        case .data: data
        case .finalReply: finalReply
        case .lookup, .connect, .greeting, .ehlo, .startTLS, .handshake, .auth, .preparation, .mail, .rcpt, .content,
            .reset:
            command
        }
    }
}
