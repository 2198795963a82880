/// The settings that all transfers of one ``HTTPTransfers`` share.
public struct TransferSettings: Sendable {
    /// The TLS client certificate with its key (PKCS#12).
    public enum ClientCertificate: Sendable {
        case file(path: String, password: String)
        case octets([UInt8], password: String)
    }

    /// An HTTP proxy; https goes through it by CONNECT.
    public struct Proxy: Sendable {
        public enum Scheme: Sendable, Hashable { case basic, digest }
        public struct Credentials: Sendable {
            public let user: String
            public let password: String
            public let scheme: Scheme

            public init(user: String, password: String, scheme: Scheme) {
                self.user = user
                self.password = password
                self.scheme = scheme
            }
        }
        public let host: String
        public let port: Int
        public let credentials: Credentials?

        public init(host: String, port: Int, credentials: Credentials?) {
            self.host = host
            self.port = port
            self.credentials = credentials
        }
    }

    /// Until a connection stands, TLS included.
    public var connectTimeout: Duration = .seconds(10)
    /// Until the answer is complete.
    public var totalTimeout: Duration = .seconds(120)
    /// The most octets of an answer's body.
    public var maximumAnswer: Int = 512 << 20
    /// PEM certificates that a server's certificate must lead to; nil: the system's.
    public var trustStore: String?
    public var clientCertificate: ClientCertificate?
    /// nil connects directly, whatever the environment says.
    public var proxy: Proxy?
    /// The most connections that are kept open for later use.
    public var maximumConnections = 64

    public init() {}
}
