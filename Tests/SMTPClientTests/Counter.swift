import Synchronization

/// Counts over several threads.
final class Counter: Sendable {
    private let count = Atomic(0)

    /// One more than the last time.
    func next() -> Int { count.add(1, ordering: .relaxed).newValue }

    func reset() { count.store(0, ordering: .relaxed) }
}
