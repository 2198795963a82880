import HeapModule
import ProgramLife
import Synchronization

/// The times at which entries in `retry` are due, so that a large folder is read only when one of them is.
///
/// A hint only: the folder is the truth, and every listing makes the agenda anew.
final class RetryAgenda: Sendable {
    private struct State {
        var due = Heap<Int>()
        /// Added since the listing began that is under way.
        var recent: [Int] = []
    }

    private let state = Mutex(State())
    private let bell: WakeBell

    /// - Parameter bell: Rung when something is due earlier than all before.
    init(bell: WakeBell) { self.bell = bell }

    /// - Parameter time: Unix seconds.
    func add(due time: Int) {
        let isEarliest = state.withLock { state in
            let earliest = state.due.min
            state.due.insert(time)
            state.recent.append(time)
            return earliest.map { time < $0 } ?? true
        }
        if isEarliest { bell.ring() }
    }

    /// Says that a listing begins: it may miss what is added from now on.
    func beginListing() { state.withLock { $0.recent = [] } }

    /// Puts what a listing found in place of everything that was there when it began.
    func replace(with times: [Int]) { state.withLock { $0.due = Heap(times + $0.recent) } }

    /// The time at which the next entry is due.
    var next: Int? { state.withLock { $0.due.min } }
}
