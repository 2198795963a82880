import CProcess
import Glibc

/// File descriptors, which connections, scratch files and calls to others share.
///
/// The last one must never be taken. libdispatch, on which Swift runs tasks, opens a file of `/proc` each second in
/// which its queues are busy, and ends the process by a trap if it cannot (`_dispatch_workq_monitor_pools`). The same
/// holds for its epoll(7) and eventfd(2) at the start. So programs refuse to start with too few descriptors, and bound
/// what they open afterwards.
package enum Descriptors {
    /// The descriptors that any program needs besides those that are open at its start: event loops, timers, signals,
    /// a log, a few files.
    package static let leastFree = 40

    /// Raises the soft limit of descriptors to `wanted` as far as the system allows.
    /// - Returns: The limit then.
    package static func raiseLimit(to wanted: Int) -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        if limit.rlim_cur < rlim_t(wanted) {
            var raised = limit
            raised.rlim_cur = min(rlim_t(wanted), limit.rlim_max)
            if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        }
        return Int(clamping: limit.rlim_cur)
    }

    /// Returns the number of descriptors that are open.
    /// - Throws: ``DescriptorShortage`` if `/proc` does not tell.
    package static func countOpen() throws(DescriptorShortage) -> Int {
        guard let directory = opendir("/proc/self/fd") else {
            let number = errno
            if number == EMFILE || number == ENFILE {
                throw DescriptorShortage("all file descriptors are in use; " + DescriptorShortage.advice)
            }
            throw DescriptorShortage(
                "/proc/self/fd cannot be read: \(String(cString: strerror(number))); mount /proc for this program")
        }
        defer { closedir(directory) }
        var count = 0
        while let entry = readdir(directory) {
            if entry.pointee.d_name.0 != CChar(bitPattern: UInt8(ascii: ".")) { count += 1 }
        }
        // One of them is the directory itself.
        return count - 1
    }

    /// The errors of system calls that mean: this machine has no descriptors, buffers or memory left.
    package static let shortages: Set<Int32> = [EMFILE, ENFILE, ENOBUFS, ENOMEM]

    /// Asks for a descriptor, to find out why a library failed that does not tell errno.
    /// - Returns: The errno if there is none to be had; nil if there is one.
    package static func shortage() -> Int32? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor < 0 else {
            close(descriptor)
            return nil
        }
        let number = errno
        return shortages.contains(number) ? number : nil
    }

    /// Sees to it that `count` descriptors can still be opened; raises the soft limit if need be.
    /// - Throws: ``DescriptorShortage`` if the system does not allow so many.
    package static func require(_ count: Int) throws(DescriptorShortage) {
        let needed = try countOpen() + count
        let limit = raiseLimit(to: needed)
        guard limit >= needed else {
            throw DescriptorShortage(limit: limit, needed: needed)
        }
    }

    /// Makes a pipe whose ends do not block and are closed in other programs.
    /// - Returns: nil, and errno, if there is none to be had.
    package static func pipe() -> (read: CInt, write: CInt)? {
        var ends: [CInt] = [0, 0]
        return cprocess_pipe(&ends) == 0 ? (ends[0], ends[1]) : nil
    }

    /// Accepts a connection, closed in other programs.
    /// - Returns: -1, and errno, if there is none.
    package static func accept(_ listener: CInt) -> CInt { cprocess_accept(listener) }
}

/// The reason why a program has too few file descriptors, with advice; one line.
package struct DescriptorShortage: Error, Sendable, CustomStringConvertible {
    static let advice = "raise the limit (LimitNOFILE= of the unit, or ulimit -n)"
    package let description: String

    init(_ description: String) { self.description = description }

    /// - Parameters:
    ///   - limit: The number that the system allows.
    ///   - needed: The fewest that suffice.
    package init(limit: Int, needed: Int) {
        description = "\(limit) file descriptors are too few: \(needed) are needed; " + Self.advice
    }
}
