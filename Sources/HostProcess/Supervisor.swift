import Glibc

/// The service manager that started the program, such as systemd. It is told of the program's state by datagrams to a
/// Unix socket (sd_notify(3)); without one every notice is left out.
public struct Supervisor: Sendable {
    /// The most octets of a status line; systemctl(1) shows one line.
    private static let maximumStatusLength = 300
    /// The time after which a manager that takes no datagram is given up, seconds.
    private static let maximumSendTime = 2

    /// The address as the environment names it; nil without a service manager.
    private let address: String?
    /// The interval within which the manager expects ``alive()``; nil if it expects none.
    public let watchdogInterval: Duration?

    /// The service manager of this process, by `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`.
    public static let current = Supervisor(
        address: value("NOTIFY_SOCKET"), watchdogMicroseconds: value("WATCHDOG_USEC"),
        watchdogProcess: value("WATCHDOG_PID"))

    /// - Parameters:
    ///   - address: A path, or the name of an abstract socket behind `@`.
    ///   - watchdogMicroseconds: The interval of the watchdog; one that is no number above 0 counts as absent.
    ///   - watchdogProcess: The process that the watchdog is for; one other than this process makes it absent.
    package init(address: String?, watchdogMicroseconds: String? = nil, watchdogProcess: String? = nil) {
        let isSocket = address.map { $0.utf8.count > 1 && ($0.hasPrefix("/") || $0.hasPrefix("@")) } ?? false
        self.address = isSocket ? address : nil
        let isOurs = watchdogProcess.map { $0 == "\(getpid())" } ?? true
        watchdogInterval =
            isSocket && isOurs
            ? watchdogMicroseconds.flatMap { Int64($0) }.flatMap { $0 > 0 ? .microseconds($0) : nil } : nil
    }

    /// True if there is a service manager to tell.
    public var isPresent: Bool { address != nil }

    /// Says that the program has started and does its work.
    /// - Returns: The reason why that could not be told, one line; nil if it was told, or there is nobody to tell.
    @discardableResult
    public func ready(_ status: String) -> String? { send(["READY=1", Self.statusLine(status)]) }

    /// Says that the program reads its configuration again; ``ready(_:)`` says the end of it.
    @discardableResult
    public func reloading() -> String? { send(["RELOADING=1", Self.statusLine("reading the configuration again")]) }

    /// Says that the program has begun to end.
    @discardableResult
    public func stopping() -> String? { send(["STOPPING=1", Self.statusLine("stopping")]) }

    /// Gives the line that `systemctl status` shows.
    @discardableResult
    public func status(_ text: String) -> String? { send([Self.statusLine(text)]) }

    /// Gives a sign of life. To be called only when the work really goes on.
    @discardableResult
    public func alive() -> String? { send(["WATCHDOG=1"]) }

    private static func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// A line of its own: a line feed would begin another notice.
    private static func statusLine(_ text: String) -> String {
        let line = text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : String($0) }.joined()
        return "STATUS=" + line.prefix(maximumStatusLength)
    }

    private func send(_ lines: [String]) -> String? {
        guard let address else { return nil }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return Self.failure(address) }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: Self.maximumSendTime, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        // The name of an abstract socket begins with a NUL and ends with the address (unix(7)).
        let octets = address.hasPrefix("@") ? [0] + Array(address.utf8.dropFirst()) : Array(address.utf8)
        let room = MemoryLayout.size(ofValue: name.sun_path)
        guard octets.count < room else { return "NOTIFY_SOCKET=\(address) is longer than a socket's name may be" }
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: octets) }
        let length = MemoryLayout<sockaddr_un>.size - room + octets.count
        let text = Array(lines.joined(separator: "\n").utf8)
        let sent = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, text, text.count, CInt(MSG_NOSIGNAL), $0, socklen_t(length))
            }
        }
        return sent == text.count ? nil : Self.failure(address)
    }

    private static func failure(_ address: String) -> String {
        "the service manager cannot be told at NOTIFY_SOCKET=\(address): \(String(cString: strerror(errno)))"
    }
}
