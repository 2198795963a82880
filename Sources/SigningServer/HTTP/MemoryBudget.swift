import Synchronization

/// The memory that documents and parts of requests may use together while they wait. Octets without room go to a file.
///
/// Each place is small against the whole, so that one client cannot take it all: the more are waiting, the less each
/// gets.
final class MemoryBudget: Sendable {
    private struct State {
        var taken = 0
        var holders = 0
    }

    /// Octets in all.
    let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = limit }

    /// One holder's part; given back with the last use.
    final class Share: Sendable {
        private let budget: MemoryBudget
        private let taken = Mutex(0)

        fileprivate init(_ budget: MemoryBudget) { self.budget = budget }

        /// Asks for `count` octets more.
        /// - Returns: false when they are not to be had; nothing is taken then.
        func reserve(_ count: Int) -> Bool {
            taken.withLock { taken in
                guard budget.reserve(count, having: taken) else { return false }
                taken += count
                return true
            }
        }

        /// Gives everything back.
        func giveBack() {
            taken.withLock { taken in
                budget.giveBack(taken)
                taken = 0
            }
        }

        deinit {
            giveBack()
            budget.leave()
        }
    }

    func makeShare() -> Share {
        state.withLock { $0.holders += 1 }
        return Share(self)
    }

    private func reserve(_ count: Int, having: Int) -> Bool {
        state.withLock { state in
            guard having + count <= limit / max(state.holders, 1), state.taken + count <= limit else { return false }
            state.taken += count
            return true
        }
    }

    private func giveBack(_ count: Int) { state.withLock { $0.taken -= count } }
    private func leave() { state.withLock { $0.holders -= 1 } }
}
