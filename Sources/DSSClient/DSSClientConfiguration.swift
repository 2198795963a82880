public import DSSProtocol
import CurlTransfer

/// The addresses of the signing server, and the way to reach them.
public struct DSSClientConfiguration: Sendable {
    /// The addresses of one service: http or https URLs.
    public struct Addresses: Sendable, Hashable {
        public let primary: String
        public let secondary: String?

        public init(primary: String, secondary: String?) {
            self.primary = primary
            self.secondary = secondary
        }

        /// In the order in which they are tried, each once.
        var all: [String] { [primary] + (secondary.map { $0 == primary ? [] : [$0] } ?? []) }
    }

    /// An HTTP proxy in front of the server.
    public struct Proxy: Sendable {
        public enum Scheme: Sendable, Hashable { case basic, digest }
        public let host: String
        public let port: Int
        /// User, password and how they are sent; nil for none.
        public let credentials: (user: String, password: String, scheme: Scheme)?

        public init(host: String, port: Int, credentials: (user: String, password: String, scheme: Scheme)?) {
            self.host = host
            self.port = port
            self.credentials = credentials
        }
    }

    /// The TLS client certificate with its key: a PKCS#12 file, or its octets.
    public enum ClientCertificate: Sendable {
        case file(path: String, password: String)
        case octets([UInt8], password: String)
    }

    /// nil when no workflow uses the service.
    public var signing: Addresses?
    public var verification: Addresses?
    public var dialect: Dialect
    public var proxy: Proxy?
    public var clientCertificate: ClientCertificate?
    /// PEM certificates that a server's certificate must lead to; nil: the system's.
    public var trustStore: String?
    /// Until a connection stands.
    public var connectTimeout: Duration = .seconds(10)
    /// Until the answer is complete.
    public var totalTimeout: Duration = .seconds(120)
    /// The most octets of an answer's body.
    public var maximumAnswer = 512 << 20

    public init(signing: Addresses?, verification: Addresses?, dialect: Dialect = .adss) {
        self.signing = signing
        self.verification = verification
        self.dialect = dialect
    }

    var transferSettings: TransferSettings {
        var settings = TransferSettings()
        settings.connectTimeout = connectTimeout
        settings.totalTimeout = totalTimeout
        settings.maximumAnswer = maximumAnswer
        settings.trustStore = trustStore
        settings.clientCertificate = clientCertificate.map {
            switch $0 {
            case .file(let path, let password): .file(path: path, password: password)
            case .octets(let octets, let password): .octets(octets, password: password)
            }
        }
        settings.proxy = proxy.map { proxy in
            TransferSettings.Proxy(
                host: proxy.host, port: proxy.port,
                credentials: proxy.credentials.map {
                    .init(user: $0.user, password: $0.password, scheme: $0.scheme == .basic ? .basic : .digest)
                })
        }
        return settings
    }
}

/// The form of an address in errors, logs and the status.
enum ShownAddress {
    /// The URL without user information and query, bounded.
    static func of(_ url: String) -> String {
        var shown = url.prefix { $0 != "?" && $0 != "#" }
        if let slashes = shown.firstRange(of: "://") {
            let authority = shown[slashes.upperBound...].prefix { $0 != "/" }
            if let at = authority.lastIndex(of: "@") {
                shown.removeSubrange(slashes.upperBound...at)
            }
        }
        return String(shown.prefix(200))
    }
}
