package import Glibc

/// A Unix socket to listen on. Its permissions decide who may connect (unix(7)).
package struct UnixSocket: Sendable, Hashable {
    /// The most octets of a path.
    package static let maximumPathLength = 107

    package var path: String
    /// Write permission is permission to connect.
    package var mode: mode_t = 0o600
    /// nil: that of the process.
    package var group: gid_t?

    package init(path: String) { self.path = path }

    package static func group(named name: String) -> gid_t? {
        if let number = UInt32(name) { return number }
        return getgrnam(name)?.pointee.gr_gid
    }

    /// Makes sure that no server listens there, and that the new socket is for its owner alone until ``open()``.
    /// - Throws: ``SocketError`` when another server listens, or something else is in the place.
    package func prepare() throws(SocketError) {
        var status = stat()
        if lstat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFSOCK else {
                throw SocketError("\(path) is there already and no socket; remove it, or name another")
            }
            guard !isAnswered() else { throw SocketError("another server listens on \(path); stop it first") }
        }
        umask(0o077)
    }

    /// Sets the permissions for those who may connect.
    package func open() throws(SocketError) {
        if let group, chown(path, uid_t.max, group) != 0 { throw failure("cannot give \(path) to the group \(group)") }
        guard chmod(path, mode) == 0 else { throw failure("cannot set the permissions of \(path)") }
    }

    /// Listens, in place of a socket that a server left behind. Nobody but the owner may connect before ``open()``.
    /// - Parameter backlog: The most connections that wait to be accepted.
    /// - Returns: The descriptor, which does not block.
    /// - Throws: ``SocketError`` when another server listens, or something else is in the place.
    package func listen(backlog: CInt) throws(SocketError) -> CInt {
        guard (1...Self.maximumPathLength).contains(path.utf8.count) else {
            throw SocketError("\(path): the path of a socket has 1 to \(Self.maximumPathLength) octets")
        }
        try prepare()
        guard unlink(path) == 0 || errno == ENOENT else { throw failure("cannot take away the old socket \(path)") }
        let flags = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, flags, 0)
        guard descriptor >= 0 else { throw failure("cannot make a socket") }
        let isBound = withAddress { bind(descriptor, $0, $1) == 0 }
        guard isBound, Glibc.listen(descriptor, backlog) == 0 else {
            let error = failure("cannot listen on \(path)")
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Takes the socket away after the server has ended.
    package func remove() { unlink(path) }

    /// Returns the process that listens there (SO_PEERCRED); nil if none does, or this user may not connect.
    package func listeningProcess() -> pid_t? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard withAddress({ connect(descriptor, $0, $1) == 0 }) else { return nil }
        // struct ucred, which glibc hides: process, user and group.
        var credentials: [Int32] = [0, 0, 0]
        var length = socklen_t(MemoryLayout<Int32>.stride * credentials.count)
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0, credentials[0] > 0 else {
            return nil
        }
        return credentials[0]
    }

    private func isAnswered() -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return withAddress { connect(descriptor, $0, $1) == 0 }
    }

    private func withAddress(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Bool) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(Self.maximumPathLength)) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    private func failure(_ words: String) -> SocketError {
        SocketError("\(words): \(String(cString: strerror(errno)))")
    }
}

/// The reason why a socket cannot be used; one line.
package struct SocketError: Error, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
