import HeapModule
import Spool
import Synchronization

/// The deferred messages in the order in which they are due, so that a large folder need not be read for each of them.
///
/// A hint: the folder is the truth, and a listing makes the agenda anew. Times are those of the monotonic clock, so
/// that a jump of the time of day changes no waiting time.
final class DeferredAgenda: Sendable {
    struct Item: Comparable, Sendable {
        let entry: DeferredEntry
        let due: Duration

        static func < (left: Item, right: Item) -> Bool { left.due < right.due }
        static func == (left: Item, right: Item) -> Bool { left.due == right.due }
    }

    private let items = Mutex(Heap<Item>())

    init() {}

    var count: Int { items.withLock { $0.count } }
    /// The time at which the first is due.
    var next: Duration? { items.withLock { $0.min?.due } }

    func add(_ entry: DeferredEntry, due: Duration) { items.withLock { $0.insert(Item(entry: entry, due: due)) } }

    /// Puts what a listing found in place of everything before.
    func replace(with items: [Item]) {
        let made = Heap(items)
        self.items.withLock { $0 = made }
    }

    /// Takes out the first that is due.
    func popDue(at now: Duration) -> DeferredEntry? {
        items.withLock { items in
            guard let first = items.min, first.due <= now else { return nil }
            return items.popMin()?.entry
        }
    }
}
