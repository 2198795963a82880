import ProgramLife
import Synchronization

/// Those who work beside one another: as many as are wanted now, which can change while they work.
final class WorkerCrew: Sendable {
    private struct State {
        var wanted: Int
        var present = 0
    }

    private let state: Mutex<State>
    private let bell = WakeBell()

    /// - Parameter width: At least 1.
    init(width: Int) { state = Mutex(State(wanted: max(1, width))) }

    /// Those who are wanted beside the others begin at once; those who are too many leave after what they have in hand.
    func resize(to width: Int) {
        state.withLock { $0.wanted = max(1, width) }
        bell.ring()
    }

    /// Lets them work until the work is at its end.
    /// - Parameter turn: One piece of work; false when there will be no more.
    func work(_ turn: @escaping @Sendable () async -> Bool) async {
        await withDiscardingTaskGroup { group in
            repeat {
                while mayJoin() {
                    group.addTask { [self] in
                        while await turn() {
                            if mayLeave() { return }
                        }
                        bell.silence()
                    }
                }
            } while await bell.wait(atMost: nil)
        }
    }

    private func mayJoin() -> Bool {
        state.withLock { state in
            guard state.present < state.wanted else { return false }
            state.present += 1
            return true
        }
    }

    private func mayLeave() -> Bool {
        state.withLock { state in
            guard state.present > state.wanted else { return false }
            state.present -= 1
            return true
        }
    }
}
