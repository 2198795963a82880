import Glibc

/// An address of the loopback and a port, to listen on.
public struct LoopbackPlace: Sendable, Hashable {
    public let address: String
    /// 0: a free one.
    public let port: Int

    /// - Parameter port: A port of 127.0.0.1; default: a free one.
    public init(port: Int = 0) {
        address = "127.0.0.1"
        self.port = port
    }

    /// Port 25, where mail exchangers listen, at an address that no other has: by chance one of four million.
    public static func mailExchanger() -> LoopbackPlace {
        let parts = [127, Int.random(in: 128...191), Int.random(in: 1...254), Int.random(in: 1...254)]
        return LoopbackPlace(parts.map(String.init).joined(separator: "."), 25)
    }

    private init(_ address: String, _ port: Int) {
        self.address = address
        self.port = port
    }

    /// The reason why no mail exchanger can run here; nil if one can.
    public static let obstacleToMailExchangers: String? = {
        do {
            _ = try ScriptedPeer(at: .mailExchanger()) { _ in }
            return nil
        } catch {
            return
                "no test can listen on port 25 of an address in 127.0.0.0/8 (\(error)): it needs root, and no server on"
                + " port 25 of all addresses"
        }
    }()

    /// Makes a socket that is bound to this place.
    /// - Parameters:
    ///   - type: `SOCK_STREAM` or `SOCK_DGRAM`, and flags such as `SOCK_NONBLOCK`.
    ///   - backlog: The length of the queue of connections; nil for a socket that does not listen.
    /// - Returns: The descriptor, which the caller closes, and the port.
    /// - Throws: ``HarnessError`` with the call that failed.
    public func boundSocket(_ type: Int32, backlog: Int32?) throws -> (descriptor: Int32, port: Int) {
        let descriptor = socket(AF_INET, type | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw HarnessError("socket: \(errno)") }
        if port != 0 {
            // The remains of its connections must not keep a mail server that takes all addresses from port 25 for a
            // minute.
            var isReused: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &isReused, socklen_t(MemoryLayout<Int32>.size))
        }
        var place = socketAddress
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && (backlog.map { listen(descriptor, $0) } ?? 0) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else {
            let number = errno
            close(descriptor)
            throw HarnessError("bind \(address):\(port): \(String(cString: strerror(number)))")
        }
        return (descriptor, Int(UInt16(bigEndian: place.sin_port)))
    }

    var socketAddress: sockaddr_in {
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = UInt16(port).bigEndian
        inet_pton(AF_INET, address, &place.sin_addr)
        return place
    }
}
