import Glibc

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

    /// The kernel's.
    public static let system = SpoolRandom { count in
        var generator = SystemRandomNumberGenerator()
        var octets: [UInt8] = []
        octets.reserveCapacity(count + 7)
        while octets.count < count {
            withUnsafeBytes(of: generator.next()) { octets.append(contentsOf: $0) }
        }
        return Array(octets.prefix(count))
    }
}
