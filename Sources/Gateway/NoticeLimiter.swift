import Synchronization
import InternetMessage

/// Counts notices for each address and hour, so that a flood of bad mail does not become a flood of notices.
///
/// Only asked for notices that do not carry the only copy of a message.
final class NoticeLimiter: Sendable {
    private struct Window {
        var hour = 0
        var counts: [AddrSpec: Int] = [:]
    }

    private let limit: Int
    private let now: @Sendable () -> Int
    private let window = Mutex(Window())

    /// - Parameters:
    ///   - limit: Notices for one address in one clock hour.
    ///   - now: Unix seconds.
    init(limit: Int, now: @escaping @Sendable () -> Int) {
        self.limit = limit
        self.now = now
    }

    /// Counts one more notice; false when the address has had its share.
    func mayNotify(_ address: AddrSpec) -> Bool {
        let hour = now() / 3_600
        return window.withLock { window in
            if window.hour != hour { window = Window(hour: hour) }
            window.counts[address, default: 0] += 1
            return window.counts[address, default: 0] <= limit
        }
    }
}
