import Foundation
import Glibc
import Synchronization

/// The socket of a service manager, to which programs say how they are (sd_notify(3)).
public final class NotifySocket: Sendable {
    /// The value of `NOTIFY_SOCKET`.
    public let address: String
    private let descriptor: Int32
    private let scratch: ScratchDirectory
    private let received = Mutex<[String]>([])

    /// The notices so far, in order.
    public var notices: [String] { received.withLock { $0 } }

    /// - Parameter isAbstract: True for a name that no file has (unix(7)).
    public init(isAbstract: Bool = false) throws {
        scratch = try ScratchDirectory()
        let path = scratch.file("notify")
        address = isAbstract ? "@" + path : path
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        let octets = isAbstract ? [0] + Array(path.utf8) : Array(path.utf8)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: octets) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.offset(of: \.sun_path).map { $0 + octets.count } ?? 0)
        let bound = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        guard bound == 0 else { throw HarnessError("bind \(address): \(String(cString: strerror(errno)))") }
        if !isAbstract {
            guard chmod(scratch.path, 0o755) == 0, chmod(path, 0o666) == 0 else {
                throw HarnessError("chmod: \(errno)")
            }
        }
        let thread = Thread { [descriptor, weak self] in
            var buffer = [UInt8](repeating: 0, count: 4_096)
            while true {
                let count = recv(descriptor, &buffer, buffer.count, 0)
                guard count > 0, let self else { return }
                let text = String(decoding: buffer.prefix(count), as: UTF8.self)
                self.received.withLock { $0.append(text) }
            }
        }
        thread.start()
    }

    deinit { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// The environment of a program that this service manager has started.
    /// - Parameter watchdog: The interval within which it expects signs of life; nil for none.
    public func environment(watchdog: Duration? = nil) -> [String: String] {
        var environment = ["NOTIFY_SOCKET": address]
        if let watchdog { environment["WATCHDOG_USEC"] = "\(Int64(watchdog / .microseconds(1)))" }
        return environment
    }

    /// The number of notices that have a line such as `WATCHDOG=1`.
    public func count(_ line: String) -> Int {
        notices.count { $0.split(separator: "\n").contains { $0 == line } }
    }

    /// Waits until a line has come more often than before.
    public func more(_ line: String, than before: Int = 0, within limit: Duration = .seconds(20)) async throws {
        try await eventually("\(line), more than \(before) times; so far: \(notices.suffix(20))", within: limit) {
            count(line) > before ? () : nil
        }
    }
}
