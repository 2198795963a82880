public import HostProcess
public import Spool

/// The options of `ses-lmtp`.
public struct LMTPServiceOptions: Sendable {
    /// A socket, and the folder that messages from it go to.
    public struct Door: Sendable, Hashable {
        public var queue: MaildirDelivery.Destination
        public var socket: String

        public init(queue: MaildirDelivery.Destination, socket: String) {
            self.queue = queue
            self.socket = socket
        }
    }

    public var spool: String
    public var doors: [Door]
    /// Write permission on a socket is permission to connect.
    public var mode: UInt32 = 0o660
    /// The name or number of the group of the sockets; nil: that of the process.
    public var group: String?
    /// Octets of a message.
    public var messageOctets = 100 << 20
    /// Recipients of a transaction.
    public var recipients = 1_000
    /// Files in a folder from which on no more are taken.
    public var maximumWaiting = 100_000
    /// Octets of the file system that stay free; nil: as many as it needs to be of use.
    public var leastFree: Int?
    /// Connections at a time.
    public var connections = 100
    /// Seconds without a whole command, or without any octet of a message.
    public var patience = 300
    /// Seconds from DATA to the end of the message.
    public var maximumMessageTime = 900
    /// True if it may run as root.
    public var allowsRoot = false
    /// The form of log lines.
    public var logFormat = LogFormat.fitting

    public init(spool: String, doors: [Door]) {
        self.spool = spool
        self.doors = doors
    }
}
