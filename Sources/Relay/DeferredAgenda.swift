import HeapModule
import Spool
import Synchronization

/// The deferred messages in the order in which they are due, so that a large folder need not be read for each of them.
///
/// A hint: the folder is the truth, and a listing makes the agenda anew.
final class DeferredAgenda: Sendable {
    private struct Item: Comparable {
        let entry: DeferredEntry

        static func < (left: Item, right: Item) -> Bool { left.entry.due < right.entry.due }
        static func == (left: Item, right: Item) -> Bool { left.entry.due == right.entry.due }
    }

    private let items = Mutex(Heap<Item>())

    init() {}

    var count: Int { items.withLock { $0.count } }
    /// Unix seconds at which the first is due.
    var next: Int? { items.withLock { $0.min?.entry.due } }

    func add(_ entry: DeferredEntry) { items.withLock { $0.insert(Item(entry: entry)) } }

    /// Puts what a listing found in place of everything before.
    func replace(with entries: [DeferredEntry]) {
        let made = Heap(entries.map(Item.init))
        items.withLock { $0 = made }
    }

    /// Takes out the first that is due.
    func popDue(at now: Int) -> DeferredEntry? {
        items.withLock { items in
            guard let first = items.min, first.entry.due <= now else { return nil }
            return items.popMin()?.entry
        }
    }
}
