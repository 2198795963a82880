import Synchronization

/// Work that a fault of this machine has prevented, each with a delay that grows until it is tried again.
///
/// Times are of the monotonic clock.
final class Postponements: Sendable {
    private struct Item {
        var tries: Int
        var due: Duration
    }

    private let items = Mutex<[String: Item]>([:])

    private static let firstDelay = Duration.milliseconds(500)
    static let maximumDelay = Duration.seconds(8)
    /// Work that is due and was not tried for so long is gone, or another process has it.
    private static let lifetime = Duration.seconds(3)
    private static let limit = 10_000

    init() {}

    var count: Int { items.withLock { $0.count } }

    func add(_ key: String, now: Duration) {
        items.withLock { items in
            guard items.count < Self.limit || items[key] != nil else { return }
            let tries = (items[key]?.tries ?? 0) + 1
            let delay = min(Self.maximumDelay, Self.firstDelay * (1 << min(tries - 1, 10)))
            items[key] = Item(tries: tries, due: now + delay)
        }
    }

    func contains(_ key: String) -> Bool { items.withLock { $0[key] != nil } }

    func mustWait(_ key: String, now: Duration) -> Bool {
        items.withLock { items in items[key].map { now < $0.due } ?? false }
    }

    func remove(_ key: String) { items.withLock { $0[key] = nil } }

    /// Has all that waits be due.
    func makeDue(now: Duration) {
        items.withLock { items in items = items.mapValues { Item(tries: $0.tries, due: now) } }
    }

    /// Forgets work that is no longer tried.
    func prune(now: Duration) {
        items.withLock { items in items = items.filter { now < $0.value.due + Self.lifetime } }
    }

    /// Returns the time at which the first becomes due after `now`; nil if there is none.
    func next(after now: Duration) -> Duration? {
        items.withLock { items in items.values.lazy.map(\.due).filter { $0 > now }.min() }
    }

    /// Returns true if something became due after `past` and until `now`.
    func hasBecomeDue(after past: Duration, until now: Duration) -> Bool {
        items.withLock { items in items.values.contains { $0.due > past && $0.due <= now } }
    }
}
