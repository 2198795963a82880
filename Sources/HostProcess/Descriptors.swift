import Glibc

/// File descriptors, which connections, scratch files and calls to others share.
package enum Descriptors {
    /// The number of descriptors that the process needs besides connections: standard streams, event loops, calls to
    /// others.
    private static let reserve = 48

    /// Returns the number of connections that may be open at a time; raises the soft limit of descriptors as far as the
    /// system allows.
    /// - Parameter most: The most that are wanted.
    package static func connections(atMost most: Int) -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return most / 4 }
        let wanted = rlim_t(2 * most + reserve)
        if limit.rlim_cur < wanted {
            var raised = limit
            raised.rlim_cur = min(wanted, limit.rlim_max)
            if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        }
        // One for the connection, one for the file that its document waits in.
        let room = (Int(clamping: limit.rlim_cur) - reserve) / 2
        return max(4, min(most, room))
    }
}
