public import InternetMessage
public import Delivery

/// `relay.xml` as plain values.
public struct RelayConfiguration: Sendable {
    /// The spool; nil: not said.
    public let spool: String?
    /// In the order in which they are asked; the last takes everything.
    public let routes: [RelayRoute]
    public let schedule: RetrySchedule
    /// Messages under way at a time, over all routes.
    public let deliveryThreads: Int
    /// True if a message goes to the recipients that a server accepts, although it refuses others.
    public let sendsPartial: Bool
    /// Addresses of name servers; empty: the system's.
    public let dnsServers: [String]
    /// From whom delivery reports come; nil: postmaster at this host.
    public let postmaster: AddrSpec?
    /// The names under which this host is known. The first one is used in reports and Received fields; empty means the
    /// system's name.
    public let serverNames: [String]
    /// A file for the node exporter's text collector; nil: none.
    public let metricsPath: String?
    public let warnings: [ConfigurationWarning]
}

/// The next hop of the messages that match.
public struct RelayRoute: Sendable, Hashable {
    /// For logs; the last route without a name is called `default`.
    public let name: String
    public let criteria: RouteCriteria
    public let target: Target
    /// Seconds until a connection must stand, and until a reply must have come.
    public let connectTimeout: Int
    public let replyTimeout: Int
    /// The name given in EHLO; nil for this host's name.
    public let heloName: String?
    /// A local address to connect from.
    public let bindAddress: String?
    /// Connections at a time, to one gateway or one domain.
    public let maxConnections: Int

    public enum Target: Sendable, Hashable {
        /// One mail server.
        case gateway(Gateway)
        /// The mail exchangers of each recipient's domain.
        case mailExchangers(TransportSecurity)
        /// A program with the command line of sendmail.
        /// - Parameter takesDSN: True if it knows sendmail's `-N`, `-R` and `-V`, and sends notifications.
        case sendmail(path: String, takesDSN: Bool)
    }

    public struct Gateway: Sendable, Hashable {
        /// A host name or an address.
        public let host: String
        public let port: Int
        public let security: TransportSecurity
        public let credentials: Credentials?

        public init(host: String, port: Int, security: TransportSecurity, credentials: Credentials?) {
            self.host = host
            self.port = port
            self.security = security
            self.credentials = credentials
        }
    }

    public struct Credentials: Sendable, Hashable {
        public let userName: String
        public let password: Secret
        /// True if the credentials are sent over a connection that is not encrypted.
        public let areSentInClear: Bool
    }

    public struct TransportSecurity: Sendable, Hashable {
        public enum Level: String, Sendable, Hashable, CaseIterable {
            /// Never encrypted.
            case off
            /// STARTTLS if it is offered; the certificate is not checked.
            case may
            /// STARTTLS or nothing; the certificate is not checked.
            case required
            /// STARTTLS or nothing, with a certificate that leads to a trusted one and names the host.
            case verified
            /// STARTTLS or nothing, with the public key that `pin` names.
            case pinned
            /// TLS from the first octet (port 465), verified.
            case implicit
        }

        public let level: Level
        /// A PEM file of trusted certificates; nil: the system's.
        public let authorities: String?
        /// `sha256//` and base64, several separated by semicolons.
        public let pin: String?
    }
}
