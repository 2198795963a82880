import Synchronization

/// The workers of a program: as many at a time as its configuration asks for, which can change while they work.
package final class WorkerCrew: Sendable {
    private struct State {
        var wanted: Int
        var present = 0
    }

    private let state: Mutex<State>
    private let bell = WakeBell()

    /// - Parameter width: The number of workers, at least 1.
    package init(width: Int) { state = Mutex(State(wanted: max(1, width))) }

    /// Changes the number of workers: further ones begin at once, surplus ones leave after the piece of work in hand.
    package func resize(to width: Int) {
        state.withLock { $0.wanted = max(1, width) }
        bell.ring()
    }

    /// Runs the workers until there is no more work.
    /// - Parameter turn: Does one piece of work; returns false when there will be no more.
    package func work(_ turn: @escaping @Sendable () async -> Bool) async {
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
