public import DSSProtocol
public import Workflows

/// All that `ses.xml` says, as plain values with every default filled in.
public struct SESSettings: Sendable {
    /// The rules that decide about mail.
    public let policy: Policy
    /// The client id at the signing server.
    public let originatorID: String
    /// nil when the service is not configured; no workflow uses it then.
    public let signing: ServiceAddresses?
    public let verification: ServiceAddresses?
    /// nil when there is none or it is disabled.
    public let proxy: ProxySettings?
    /// nil when there is none or it is disabled.
    public let clientPFX: ClientPFX?
    public let processing: ProcessingSettings
    public let dialect: Dialect
    /// Settings that work, but probably not as intended; in the order of lines.
    public let warnings: [ConfigurationWarning]
}

/// The addresses of a service: checked http or https URLs.
public struct ServiceAddresses: Sendable, Hashable {
    public let primary: String
    public let secondary: String?

    public init(primary: String, secondary: String?) {
        self.primary = primary
        self.secondary = secondary
    }

    /// The primary, then the secondary if there is one.
    public var all: [String] { [primary] + (secondary.map { [$0] } ?? []) }
}

/// The HTTP proxy in front of the signing server.
public struct ProxySettings: Sendable, Hashable {
    public struct Credentials: Sendable, Hashable {
        public let user: String
        public let password: Secret
        public let scheme: AuthenticationScheme
    }
    public enum AuthenticationScheme: String, Sendable, Hashable, CaseIterable {
        case basic = "BASIC"
        case digest = "DIGEST"
    }
    public let host: String
    public let port: Int
    /// nil when there are none or they are disabled.
    public let credentials: Credentials?
}

/// The TLS client certificate with its key (PKCS#12).
public struct ClientPFX: Sendable, Hashable {
    public let path: String
    public let password: Secret
}

/// `Processing`: how the program works, whatever the mail.
public struct ProcessingSettings: Sendable, Hashable {
    /// nil: the program's own default.
    public var spool: String?
    /// The number of messages that are worked on at the same time.
    public var concurrency = 8
    /// Seconds until a connection must stand.
    public var connectTimeout = 10
    /// Seconds until an answer must be complete.
    public var totalTimeout = 120
    /// Octets.
    public var maxMessageSize = 200 << 20
    public var retry = RetrySchedule.standard
    /// PEM certificates that a server's TLS certificate may lead to; nil: the system's.
    public var trustStore: String?
    /// The number of copies, of messages that go on to their recipients, that the administrator gets in an hour; nil
    /// for all of them.
    public var adminCopiesPerHour: Int?
    /// The number of days for which journals are kept.
    public var journalDays = 90
    /// Octets that all journals and their indexes may have together.
    public var journalMaxSize = 10 << 30
    /// True if subjects stand in the journal.
    public var journalsSubjects = false
    /// The number of days for which the copy of a message is kept that went to the administrator or back to its sender.
    public var heldCopyDays = 30

    public init() {}
}
