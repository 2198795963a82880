import Glibc

/// The limits that the kernel sets for this user; nil where it does not tell.
public struct InotifyLimits: Sendable, Hashable {
    /// Events that wait before the queue overflows.
    public let queuedEvents: Int?
    /// inotify instances of this user.
    public let instances: Int?
    /// Watches of this user.
    public let watches: Int?

    /// Read from /proc; the library's own function reads a file that does not exist.
    public static func current() -> InotifyLimits {
        InotifyLimits(
            queuedEvents: read("max_queued_events"), instances: read("max_user_instances"),
            watches: read("max_user_watches"))
    }

    private static func read(_ name: String) -> Int? {
        let file = open("/proc/sys/fs/inotify/" + name, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 32)
        let count = Glibc.read(file, &buffer, buffer.count)
        guard count > 0 else { return nil }
        return Int(String(decoding: buffer.prefix(count).filter { $0 > 0x20 }, as: UTF8.self))
    }
}

func errorText(_ errno: Int32) -> String { String(cString: strerror(errno)) }
