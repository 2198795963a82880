import Glibc

/// A connection that is only tried, to see whether somebody listens.
enum ConnectionGlance {
    /// Tries each address of `host`, all within `limit` after its name was resolved.
    static func succeeds(host: String, port: Int, within limit: Duration) -> Bool {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &found) == 0 else { return false }
        defer { freeaddrinfo(found) }
        let end = ContinuousClock.now + limit
        var next = found
        while let one = next {
            if connects(one.pointee, before: end) { return true }
            next = one.pointee.ai_next
        }
        return false
    }

    private static func connects(_ address: addrinfo, before end: ContinuousClock.Instant) -> Bool {
        let flags = Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(address.ai_family, address.ai_socktype | flags, address.ai_protocol)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        if connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 { return true }
        guard errno == EINPROGRESS else { return false }
        let left = max(.zero, end - .now)
        var waited = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&waited, 1, CInt(left / .milliseconds(1))) == 1 else { return false }
        var cause: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &cause, &length) == 0 && cause == 0
    }
}
