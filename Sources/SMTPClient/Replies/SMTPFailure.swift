/// The failure of a delivery or of a part of it. Every failure is transient or permanent, and concerns the route, the
/// message or one recipient.
public struct SMTPFailure: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Permanence: String, Sendable, Hashable { case transient, permanent }

    /// The deliveries that would fail in the same way.
    public enum Scope: String, Sendable, Hashable {
        /// Any message over this route: connection, TLS, greeting, EHLO, AUTH, or the server is going down. A permanent
        /// one (a wrong password) asks for the administrator and says nothing against the message.
        case route
        /// This message to any recipient of it.
        case message
        /// This recipient.
        case recipient
    }

    /// The place in the dialogue.
    public enum Phase: String, Sendable, Hashable {
        case lookup, connect, greeting, ehlo, startTLS, handshake, auth
        /// Before any command, because of what the message or an address is.
        case preparation
        case mail, rcpt, data
        /// While the message was being sent.
        case content
        /// The reply to the final dot.
        case finalReply
        case reset
    }

    public let permanence: Permanence
    public let scope: Scope
    public let phase: Phase
    /// The server's, or the one that fits best.
    public let status: EnhancedStatus
    /// The server's reply, if there was one.
    public let reply: SMTPReply?
    /// The event, its place and its cause, in one line; no credentials, no content.
    public let summary: String
    /// The errno if this machine has no descriptors or no memory left: nobody was asked.
    public private(set) var machineFault: Int32?

    public var description: String { summary }

    public init(
        _ permanence: Permanence, _ scope: Scope, _ phase: Phase, status: (subject: Int, detail: Int), _ summary: String
    ) {
        self.permanence = permanence
        self.scope = scope
        self.phase = phase
        self.status = EnhancedStatus(permanence == .permanent ? 5 : 4, status.subject, status.detail)
        reply = nil
        self.summary = summary
    }

    /// A refusal in the server's words.
    init(_ reply: SMTPReply, _ scope: Scope, _ phase: Phase, _ subject: String) {
        let isPermanent = reply.severity == .permanent
        permanence = isPermanent ? .permanent : .transient
        self.scope = scope
        self.phase = phase
        status = reply.status ?? EnhancedStatus(isPermanent ? 5 : 4, 0, 0)
        self.reply = reply
        summary = "\(subject) was answered \(reply)"
    }

    /// Nothing was tried, for want of descriptors or memory.
    init(machineFault errno: Int32, _ phase: Phase, _ summary: String) {
        self.init(.transient, .route, phase, status: (3, 0), summary)
        machineFault = errno
    }

    /// The same, as permanent as `permanence` says.
    func becoming(_ permanence: Permanence, because reason: String) -> SMTPFailure {
        SMTPFailure(
            permanence: permanence, scope: scope, phase: phase,
            status: EnhancedStatus(permanence == .permanent ? 5 : 4, status.subject, status.detail), reply: reply,
            summary: summary + "; " + reason)
    }

    private init(
        permanence: Permanence, scope: Scope, phase: Phase, status: EnhancedStatus, reply: SMTPReply?, summary: String
    ) {
        self.permanence = permanence
        self.scope = scope
        self.phase = phase
        self.status = status
        self.reply = reply
        self.summary = summary
    }
}
