import DequeModule
import ProgramLife
import Spool
import Synchronization

/// Messages that a recovery has found in `work/`, in the order in which they came, until they are worked again.
final class Leftovers: Sendable {
    private struct State {
        var entries: Deque<LeftEntry> = []
        var known: Set<EntryID> = []
    }

    /// Rung when something was added.
    let bell = WakeBell()
    private let state = Mutex(State())

    init() {}

    /// Adds those that are not here: each recovery finds them again until somebody takes them.
    func add(_ entries: [LeftEntry]) {
        let isNew = state.withLock { state in
            let new = entries.filter { state.known.insert($0.entry).inserted }
            state.entries.append(contentsOf: new)
            return !new.isEmpty
        }
        if isNew { bell.ring() }
    }

    func pop() -> LeftEntry? {
        state.withLock { state in
            let entry = state.entries.popFirst()
            if let entry { state.known.remove(entry.entry) }
            return entry
        }
    }
}
