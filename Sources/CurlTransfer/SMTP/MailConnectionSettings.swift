/// The way in which a connection to a mail server is made (RFC 5321 §3.1, 3.2).
public struct MailConnectionSettings: Sendable {
    /// The requirements on a server's certificate. Postfix calls these levels `encrypt`, `verify` and `fingerprint`.
    public enum Trust: Sendable, Hashable {
        /// Encryption alone: any certificate will do. It keeps listeners out, not an impostor.
        case unverified
        /// The certificate leads to a trusted authority, is in force and names ``MailConnectionSettings/host``.
        case verified
        /// The public key is one of these; names, authorities and dates do not count.
        case pinned([PublicKeyPin])
    }

    /// The encryption of the connection. Postfix calls the first two `none` and `may`.
    public enum Encryption: Sendable, Hashable {
        case off
        /// STARTTLS (RFC 3207) if the server offers it, with any certificate. In clear if it does not, refuses, or the
        /// handshake fails. Credentials are not sent in clear: if there are any, the level is as strict as
        /// ``startTLS(_:)`` unverified, unless ``Credentials/Exposure/inClear`` says otherwise.
        case opportunistic
        /// No mail without STARTTLS.
        case startTLS(Trust)
        /// TLS from the first octet (RFC 8314 §3.3).
        case implicitTLS(Trust)
    }

    /// A name and password for AUTH (RFC 4954).
    public struct Credentials: Sendable {
        public enum Mechanism: String, Sendable, Hashable, CaseIterable {
            case cramMD5 = "CRAM-MD5"
            case plain = "PLAIN"
            case login = "LOGIN"
        }
        public enum Exposure: Sendable, Hashable {
            /// They are sent under TLS only; without it there is no connection.
            case underTLS
            /// They may go over an unencrypted connection, where anyone on the way can read them.
            case inClear
        }
        public let user: String
        public let password: String
        /// Those that may be used; of what the server offers the first in the order of ``Mechanism``.
        public let mechanisms: Set<Mechanism>
        public let exposure: Exposure

        public init(
            user: String, password: String, mechanisms: Set<Mechanism> = Set(Mechanism.allCases),
            exposure: Exposure = .underTLS
        ) {
            self.user = user
            self.password = password
            self.mechanisms = mechanisms
            self.exposure = exposure
        }
    }

    /// The server's name, or an IP address (IPv6 without brackets). A certificate must show it.
    public var host: String
    public var port: Int
    /// The address to connect to instead of what the system finds for ``host``.
    public var address: String?
    /// Said in EHLO: a domain, or an address literal in brackets.
    public var heloName: String
    public var encryption = Encryption.opportunistic
    /// PEM certificates that a verified certificate must lead to; nil: the system's.
    public var trustStore: String?
    public var credentials: Credentials?
    /// The local IP address to connect from; nil: the system's choice.
    public var bindAddress: String?
    /// Until the connection stands; of TLS only the implicit one counts.
    public var connectTimeout: Duration = .seconds(30)
    /// From the start until the server's last reply to EHLO or AUTH (RFC 5321 §4.5.3.2.1: five minutes for the
    /// greeting).
    public var openingTimeout: Duration = .seconds(300)

    public init(host: String, port: Int, heloName: String) {
        self.host = host
        self.port = port
        self.heloName = heloName
    }
}
