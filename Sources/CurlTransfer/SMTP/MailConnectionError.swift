/// The reason why a connection to a mail server failed or broke.
public struct MailConnectionError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The state that the connection had reached.
    public enum Phase: String, Sendable, Hashable {
        /// Name, TCP connection, and TLS where that comes first.
        case connect
        case greeting
        /// EHLO, or HELO where the server knows no EHLO.
        case ehlo
        /// The command STARTTLS and its reply.
        case startTLS
        /// The handshake after STARTTLS.
        case handshake
        case auth
        /// Open: what is sent and received from here on is the caller's.
        case open
    }

    public enum Kind: Sendable, Hashable {
        /// The settings cannot be used, whatever the server says.
        case settings
        /// The name has no address that the system knows.
        case unresolved
        /// No connection to the address.
        case unreachable
        /// The peer closed, or the network broke.
        case lost
        case timeout
        /// The certificate, the pin or the handshake.
        case tls
        /// The server said no; ``MailConnectionError/replyLines`` has its words.
        case refused
        /// Encryption is demanded, and the server offers no STARTTLS.
        case noSTARTTLS
        /// There are credentials, and the server offers none of their mechanisms.
        case noMechanism
        /// The octets received are not SMTP, or exceed the size of a reply.
        case notSMTP
        /// By an ``Interruption``.
        case interrupted
        /// This machine has no descriptors or no memory left.
        case machine(errno: Int32)
        /// libcurl itself.
        case `internal`
    }

    public let kind: Kind
    public let phase: Phase
    /// The lines, without line ends, of the last reply in this phase; empty when there was none.
    public let replyLines: [String]
    /// The event, in one line of at most 300 characters, without control characters and without credentials.
    public let detail: String

    public var description: String { "\(phase.rawValue): \(detail)" }

    init(_ kind: Kind, _ phase: Phase, replyLines: [String] = [], _ detail: String) {
        self.kind = kind
        self.phase = phase
        self.replyLines = replyLines
        self.detail = TransferError.oneLine(detail)
    }

    /// A setting that libcurl did not take.
    init(_ error: TransferError, _ phase: Phase) {
        switch error.kind {
        case .machine(let errno): self.init(.machine(errno: errno), phase, error.detail)
        case .internal: self.init(.internal, phase, error.detail)
        default: self.init(.settings, phase, error.detail)
        }
    }
}
