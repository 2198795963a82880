import Glibc
import HostProcess

/// Answers `GET /metrics` over HTTP on a port of the loopback, one connection after the other.
struct MetricsListener: Sendable {
    let address: String
    private let descriptor: CInt

    private static let maximumRequest = 8_192
    /// Milliseconds that a client may take for its request or for taking the answer.
    private static let patience: CInt = 2_000

    /// - Parameter text: `127.0.0.1:9465` or `[::1]:9465`; port 0 takes a free one.
    /// - Throws: ``SocketError`` if it is no address of the loopback, or cannot be listened on.
    init(_ text: String) throws(SocketError) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw SocketError("\(text): expected ADDRESS:PORT, such as 127.0.0.1:9465")
        }
        let host = text[..<colon].trimmingPrefix("[").prefix { $0 != "]" }
        var four = sockaddr_in()
        var six = sockaddr_in6()
        let isFour = inet_pton(AF_INET, String(host), &four.sin_addr) == 1
        let isSix = !isFour && inet_pton(AF_INET6, String(host), &six.sin6_addr) == 1
        guard isFour && UInt32(bigEndian: four.sin_addr.s_addr) >> 24 == 127 || isSix && host == "::1" else {
            throw SocketError(
                "\(text) is no address of the loopback (127.0.0.1 or [::1]): metrics are for this machine only")
        }
        four.sin_family = sa_family_t(AF_INET)
        four.sin_port = port.bigEndian
        six.sin6_family = sa_family_t(AF_INET6)
        six.sin6_port = port.bigEndian
        let family = isFour ? AF_INET : AF_INET6
        let made = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard made >= 0 else { throw Self.failure("cannot make a socket for \(text)") }
        var yes: CInt = 1
        setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<CInt>.size))
        let isBound = isFour ? Self.bind(made, &four) : Self.bind(made, &six)
        guard isBound, listen(made, 16) == 0 else {
            let failure = Self.failure("cannot listen on \(text)")
            close(made)
            throw failure
        }
        descriptor = made
        address = "\(text[..<colon]):\(Self.port(of: made, isFour: isFour))"
    }

    private static func bind<Address>(_ socket: CInt, _ address: inout Address) -> Bool {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(socket, $0, socklen_t(MemoryLayout<Address>.size)) == 0
            }
        }
    }

    private static func port(of socket: CInt, isFour: Bool) -> UInt16 {
        var address = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) }
        }
        // The port stands in the same place in both families.
        return UInt16(bigEndian: address.sin6_port)
    }

    private static func failure(_ words: String) -> SocketError {
        SocketError("\(words): \(String(cString: strerror(errno)))")
    }

    /// Answers until the process ends.
    func serve(_ text: () -> String) {
        while true {
            let client = accept(descriptor, nil, nil)
            if client < 0 {
                // Out of descriptors for a moment: waited for, so that it costs nothing.
                if errno != EINTR, errno != ECONNABORTED { _ = poll(nil, 0, 100) }
                continue
            }
            // accept4 is not seen from Swift: a program that is started meanwhile may hold the descriptor for a while.
            _ = fcntl(client, F_SETFD, FD_CLOEXEC)
            answer(client, text)
            close(client)
        }
    }

    private func answer(_ client: CInt, _ text: () -> String) {
        var limit = timeval(tv_sec: time_t(Self.patience / 1_000), tv_usec: 0)
        setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var request: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 2_048)
        while !Self.isWhole(request) {
            let count = recv(client, &buffer, buffer.count, 0)
            guard count > 0, request.count + count <= Self.maximumRequest else { return }
            request += buffer.prefix(count)
        }
        let line = String(decoding: request.prefix { $0 != 0x0D && $0 != 0x0A }, as: UTF8.self)
        let words = line.split(separator: " ")
        let isWanted = words.count == 3 && words[0] == "GET" && words[1].prefix { $0 != "?" } == "/metrics"
        let body = isWanted ? text() : "only GET /metrics is answered here\n"
        let head =
            "HTTP/1.1 \(isWanted ? "200 OK" : "404 Not Found")\r\n"
            + "Content-Type: \(isWanted ? MetricsText.mediaType : "text/plain")\r\n"
            + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n"
        var rest = Array((head + body).utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(client, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    private static func isWhole(_ request: [UInt8]) -> Bool {
        request.suffix(4) == [0x0D, 0x0A, 0x0D, 0x0A] || request.suffix(2) == [0x0A, 0x0A]
    }
}
