import Glibc
import HostProcess

/// A look at sockets of this machine, by connecting to them.
public enum LocalSocket {
    public enum Listening: Sendable {
        case answered, refused
        /// The caller may not connect.
        case hidden
    }

    /// Milliseconds for a connection on the loopback.
    private static let patience: CInt = 100

    /// Nil for an address of another machine, or one that has to be resolved.
    public static func of(_ url: String) -> Listening? {
        if let path = unixPath(url) { return unix(path) ?? .refused }
        guard let scheme = url.firstRange(of: "://") else { return nil }
        let authority = url[scheme.upperBound...].prefix { $0 != "/" }
        let place = authority[
            (authority.lastIndex(of: "@").map { authority.index(after: $0) } ?? authority.startIndex)...]
        let isSecure = url.hasPrefix("https")
        guard let match = place.wholeMatch(of: /(127\.[0-9.]+|localhost|\[::1\])(?::([0-9]+))?/),
            let port = match.2.map({ UInt16($0) }) ?? (isSecure ? 443 : 80)
        else { return nil }
        return match.1 == "[::1]" ? six(port) : four(match.1 == "localhost" ? "127.0.0.1" : String(match.1), port)
    }

    /// The path in `http://unix:PATH:/service`.
    public static func unixPath(_ url: String) -> String? {
        url.wholeMatch(of: /https?:\/\/unix:([^:]+):.*/).map { String($0.1) }
    }

    /// Nil if there is no socket.
    public static func unix(_ path: String) -> Listening? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return errno == EACCES ? .hidden : nil }
        guard status.st_mode & S_IFMT == S_IFSOCK, path.utf8.count <= UnixSocket.maximumPathLength else { return nil }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return connect(AF_UNIX, &address)
    }

    private static func four(_ text: String, _ port: UInt16) -> Listening? {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        guard inet_pton(AF_INET, text, &address.sin_addr) == 1 else { return nil }
        return connect(AF_INET, &address)
    }

    private static func six(_ port: UInt16) -> Listening? {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        address.sin6_addr = in6addr_loopback
        return connect(AF_INET6, &address)
    }

    private static func connect<Address>(_ family: CInt, _ address: inout Address) -> Listening? {
        let flags = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(family, flags, 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let outcome = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
        if outcome == 0 { return .answered }
        switch errno {
        case EACCES, EPERM: return .hidden
        // A full backlog: somebody listens there.
        case EAGAIN: return .answered
        case EINPROGRESS:
            var waited = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard poll(&waited, 1, patience) == 1 else { return nil }
            var cause: CInt = 0
            var length = socklen_t(MemoryLayout<CInt>.size)
            getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &cause, &length)
            return cause == 0 ? .answered : .refused
        default: return .refused
        }
    }
}
