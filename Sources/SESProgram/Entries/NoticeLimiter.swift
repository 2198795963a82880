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
    /// Senders choose their addresses, so that there may be many; further ones are not notified in this hour.
    private static let maximumAddresses = 10_000
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
            guard window.counts[address] != nil || window.counts.count < Self.maximumAddresses else { return false }
            window.counts[address, default: 0] += 1
            return window.counts[address, default: 0] <= limit
        }
    }
}
