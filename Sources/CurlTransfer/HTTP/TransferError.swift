import CCurl
import Glibc

/// The reason why a transfer got no answer.
public struct TransferError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Kind: Sendable, Hashable {
        /// The URL cannot be used.
        case url
        /// Name resolution, connection, or its loss.
        case connection
        case timeout
        /// The server's certificate, or the handshake.
        case tls
        /// The client certificate or its password.
        case clientCertificate
        /// The proxy refused, with its status where it gave one.
        case proxy(status: Int?)
        /// The octets received are not HTTP, or end too early.
        case answer
        /// More header or body than allowed.
        case tooLarge
        case stoppedByReceiver
        case cancelled
        /// This machine has no descriptors or no memory left.
        case machine(errno: Int32)
        /// libcurl itself.
        case `internal`
    }
    public let kind: Kind
    /// The event, in one line of at most 300 characters, without control characters and without credentials.
    public let detail: String

    public var description: String { detail }

    static let cancelled = TransferError(.cancelled, "the transfer was cancelled")

    init(_ kind: Kind, _ detail: String) {
        self.kind = kind
        self.detail = Self.oneLine(detail)
    }

    /// - Parameter errno: That of the call that failed for want of descriptors or memory.
    init(machineFault errno: Int32, _ detail: String) {
        self.init(.machine(errno: errno), "\(detail): \(String(cString: strerror(errno)))")
    }

    /// - Parameters:
    ///   - words: libcurl's words for this very transfer; empty when it has none.
    ///   - connectStatus: The proxy's answer to CONNECT; 0 when there was none.
    init(code: CURLcode, words: String, connectStatus: Int = 0) {
        let general = String(cString: ccurl_easy_strerror(code))
        let detail = words.isEmpty ? general : words
        if connectStatus >= 300 {
            self.init(.proxy(status: connectStatus), "the proxy answered \(connectStatus) to CONNECT")
        } else {
            self.init(Self.kind(of: code), detail)
        }
    }

    private static func kind(of code: CURLcode) -> Kind {
        switch code {
        case CURLE_URL_MALFORMAT, CURLE_LOGIN_DENIED: .url
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_SEND_ERROR, CURLE_RECV_ERROR,
            CURLE_INTERFACE_FAILED:
            .connection
        case CURLE_COULDNT_RESOLVE_PROXY, CURLE_PROXY: .proxy(status: nil)
        case CURLE_OPERATION_TIMEDOUT: .timeout
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CIPHER,
            CURLE_SSL_ISSUER_ERROR, CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_INVALIDCERTSTATUS,
            CURLE_SSL_CRL_BADFILE:
            .tls
        case CURLE_SSL_CERTPROBLEM, CURLE_SSL_CLIENTCERT: .clientCertificate
        case CURLE_FILESIZE_EXCEEDED: .tooLarge
        case CURLE_OUT_OF_MEMORY: .machine(errno: ENOMEM)
        // HTTP/0.9 is an unsupported protocol; those of addresses are known before.
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_WEIRD_SERVER_REPLY,
            CURLE_BAD_CONTENT_ENCODING,
            CURLE_WRITE_ERROR, CURLE_HTTP2, CURLE_HTTP2_STREAM:
            .answer
        default: .internal
        }
    }

    /// Another's words as one bounded line.
    static func oneLine(_ text: String) -> String {
        let scalars = text.unicodeScalars.prefix(300).map { scalar in
            scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) ? " " : scalar
        }
        return String(String.UnicodeScalarView(scalars))
    }
}
