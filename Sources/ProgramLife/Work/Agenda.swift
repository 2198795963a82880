import HeapModule
import Synchronization

/// The items that become due, in the order of their times, so that a large folder is read only when one of them is due.
///
/// A hint only: the folder is the truth, and every listing makes the agenda anew.
package final class Agenda<Due: Comparable & Sendable, Item: Sendable>: Sendable {
    package struct Entry: Comparable, Sendable {
        package let due: Due
        package let item: Item

        package init(due: Due, item: Item) {
            self.due = due
            self.item = item
        }

        package static func < (left: Entry, right: Entry) -> Bool { left.due < right.due }
        package static func == (left: Entry, right: Entry) -> Bool { left.due == right.due }
    }

    private struct State {
        var entries = Heap<Entry>()
        /// Added since the listing began that is under way.
        var recent: [Entry] = []
        var isListed = false
    }

    private let state = Mutex(State())

    package init() {}

    package var count: Int { state.withLock { $0.entries.count } }
    /// The time at which the first item is due.
    package var next: Due? { state.withLock { $0.entries.min?.due } }

    /// - Returns: True if the item is due earlier than all before.
    @discardableResult
    package func add(_ item: Item, due: Due) -> Bool {
        let entry = Entry(due: due, item: item)
        return state.withLock { state in
            let earliest = state.entries.min?.due
            state.entries.insert(entry)
            if state.isListed { state.recent.append(entry) }
            return earliest.map { due < $0 } ?? true
        }
    }

    /// Says that a listing begins: it may miss what is added from now on.
    package func beginListing() {
        state.withLock { state in
            state.isListed = true
            state.recent = []
        }
    }

    /// Puts what a listing found in place of everything that was there when it began.
    package func replace(with entries: [Entry]) {
        state.withLock { state in
            state.entries = Heap(entries + state.recent)
            state.recent = []
            state.isListed = false
        }
    }

    /// Takes out the first item if it is due.
    package func popDue(at now: Due) -> Item? {
        state.withLock { state in
            guard let first = state.entries.min, first.due <= now else { return nil }
            return state.entries.popMin()?.item
        }
    }
}

extension Agenda where Item == Void {
    @discardableResult
    package func add(due: Due) -> Bool { add((), due: due) }

    package func replace(dueAt times: [Due]) { replace(with: times.map { Entry(due: $0, item: ()) }) }
}
