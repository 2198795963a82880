import CLinux
import Glibc
import Synchronization

/// The time, as the spool sees it. Given from outside, so that tests can turn it.
public struct SpoolClock: Sendable {
    /// Milliseconds since 1970.
    public let milliseconds: @Sendable () -> Int
    /// Time that never jumps, from an unknown beginning.
    public let monotonic: @Sendable () -> Duration

    public init(milliseconds: @escaping @Sendable () -> Int, monotonic: @escaping @Sendable () -> Duration) {
        self.milliseconds = milliseconds
        self.monotonic = monotonic
    }

    /// Unix seconds.
    public func now() -> Int { milliseconds() / 1_000 }

    /// The UTC day so many days ago, as the names of journals have it: `20260102`.
    public func day(before days: Int) -> String {
        Timestamp(milliseconds: milliseconds() - days * 86_400_000).day
    }

    public static let system = SpoolClock(
        milliseconds: {
            let time = read(CLOCK_REALTIME)
            return time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
        },
        monotonic: {
            let time = read(CLOCK_MONOTONIC)
            return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
        })

    private static func read(_ clock: clockid_t) -> timespec {
        var time = timespec()
        // Both clocks exist on every Linux, so the call cannot fail.
        _ = clock_gettime(clock, &time)
        return time
    }
}

/// A source of random octets.
public struct SpoolRandom: Sendable {
    /// Exactly `count` unpredictable octets.
    public let octets: @Sendable (_ count: Int) -> [UInt8]

    public init(octets: @escaping @Sendable (_ count: Int) -> [UInt8]) { self.octets = octets }

    /// The kernel's, fetched 256 at a time, which is what one call gives whole (getrandom(2)). None is given out twice:
    /// no program here goes on after a fork(2).
    public static let system = SpoolRandom { count in
        guard count <= RandomBlock.size else { return RandomBlock.fetch(count) }
        return block.withLock { $0.removeLast(count) }
    }

    private static let block = Mutex(RandomBlock())
}

/// Random octets that were fetched and not yet given out.
private struct RandomBlock {
    static let size = 256

    private var octets: [UInt8] = []

    /// - Parameter count: At most ``size``.
    mutating func removeLast(_ count: Int) -> [UInt8] {
        if octets.count < count { octets = Self.fetch(Self.size) }
        defer { octets.removeLast(count) }
        return Array(octets.suffix(count))
    }

    static func fetch(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = getrandom(buffer.baseAddress.map { $0 + filled }, UInt(count - filled), 0)
                // Only a signal can interrupt it; there is no other failure once the system has booted.
                precondition(got > 0 || errno == EINTR, "the system has no random octets")
                filled += max(0, got)
            }
        }
    }
}
