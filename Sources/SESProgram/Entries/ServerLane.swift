import ProgramLife
import Synchronization

/// The messages that are at one signing server at a time: as many as the configuration asks for.
///
/// A worker that finds the lane full waits a moment. If no message in the lane makes progress for ``patience``, the
/// server hangs or is slow. The next workers are then told to put their message aside, so that they stay free for
/// messages that need another server, or none.
final class ServerLane: Sendable {
    private struct State {
        var limit: Int
        var inside = 0
        /// The last time at which a message entered or left, or got an answer.
        var lastProgress: ContinuousClock.Instant
        /// The bells of the workers that wait for a place.
        var bells: [Int: WakeBell] = [:]
        var nextBell = 0
        /// True if a worker was sent away since the lane last had room.
        var owesCall = false
    }

    private enum Turn {
        case now, never
        case after(Duration, bell: Int, WakeBell)
    }

    private let state: Mutex<State>
    /// Rung when there is room again after somebody was sent away.
    private let roomBell: WakeBell

    /// The longest time without progress before further workers are sent away.
    static let patience = Duration.milliseconds(500)

    /// - Parameter limit: Messages at the server at a time, at least 1.
    init(limit: Int, roomBell: WakeBell) {
        state = Mutex(State(limit: max(1, limit), lastProgress: .now))
        self.roomBell = roomBell
    }

    /// Changes how many may be there at a time; those that are stay.
    func resize(to limit: Int) {
        state.withLock { $0.limit = max(1, limit) }
        callWaiting()
    }

    /// True if the lane is full and no message in it makes progress.
    var isStuck: Bool { state.withLock { Self.isStuck($0, at: .now) } }

    private static func isStuck(_ state: State, at now: ContinuousClock.Instant) -> Bool {
        state.inside >= state.limit && now - state.lastProgress >= patience
    }

    /// Comes in, after a wait where that helps; ``leave()`` must follow.
    /// - Returns: false when the message is to wait elsewhere.
    func enter() async -> Bool {
        while true {
            switch turn() {
            case .now: return true
            case .never: return false
            case .after(let time, let number, let bell):
                let isAwaited = await bell.wait(atMost: time)
                state.withLock { $0.bells[number] = nil }
                // The program is to stop.
                guard isAwaited else { return false }
            }
        }
    }

    private func turn() -> Turn {
        state.withLock { state in
            let now = ContinuousClock.now
            if state.inside < state.limit {
                state.inside += 1
                state.lastProgress = now
                return .now
            }
            guard !Self.isStuck(state, at: now) else {
                state.owesCall = true
                return .never
            }
            let bell = WakeBell()
            state.bells[state.nextBell] = bell
            defer { state.nextBell += 1 }
            let time = state.lastProgress + Self.patience - now
            return .after(max(.milliseconds(1), time), bell: state.nextBell, bell)
        }
    }

    /// The server has answered somebody who stays.
    func progressed() { state.withLock { $0.lastProgress = .now } }

    func leave() {
        state.withLock { state in
            state.inside -= 1
            state.lastProgress = .now
        }
        callWaiting()
    }

    private func callWaiting() {
        let (bells, isOwed) = state.withLock { state in
            let hasRoom = state.inside < state.limit
            defer { if hasRoom { state.owesCall = false } }
            return (Array(state.bells.values), hasRoom && state.owesCall)
        }
        for bell in bells { bell.ring() }
        if isOwed { roomBell.ring() }
    }
}
