import HeapModule
import ProgramLife
import Synchronization

/// When entries in `retry` are due, so that a large folder is read only when something in it is.
///
/// A hint only: the folder is the truth, and every listing makes the agenda anew.
final class RetryAgenda: Sendable {
    private let due = Mutex(Heap<Int>())
    private let bell: WakeBell

    /// - Parameter bell: Rung when something is due earlier than all before.
    init(bell: WakeBell) { self.bell = bell }

    /// - Parameter time: Unix seconds.
    func add(due time: Int) {
        let isEarliest = due.withLock { due in
            let earliest = due.min
            due.insert(time)
            return earliest.map { time < $0 } ?? true
        }
        if isEarliest { bell.ring() }
    }

    /// Puts what a listing found in place of everything before.
    func replace(with times: [Int]) {
        let made = Heap(times)
        due.withLock { $0 = made }
    }

    /// When the next entry is due.
    var next: Int? { due.withLock { $0.min } }
}
