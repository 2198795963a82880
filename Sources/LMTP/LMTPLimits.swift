/// The bounds of a session.
package struct LMTPLimits: Hashable, Sendable {
    /// Octets of a message.
    package var messageOctets = 100 << 20
    /// Recipients of a transaction; more are told to come in another (RFC 5321 §4.5.3.1.10).
    package var recipients = 1_000
    /// Octets of a command with its line end. RFC 5321 asks for 512, its extensions for about 1,500 more.
    package var commandOctets = 4_096
    /// Refused commands, after which the connection is closed. Refused recipients do not count.
    package var faults = 20

    package init() {}
}
