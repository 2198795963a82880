import ProgramLife
import Synchronization

/// The messages that are at one signing server at a time: as many as the configuration asks for.
///
/// Who finds the lane full waits a moment. When nobody there comes on for ``patience``, the server hangs or is slow: whoever
/// comes then is told to wait elsewhere, so that the workers stay free for messages that need another server, or none.
final class ServerLane: Sendable {
    private struct State {
        var limit: Int
        var inside = 0
        /// When somebody came in, left, or got an answer last.
        var lastProgress: ContinuousClock.Instant
        /// Of those that wait for a place.
        var bells: [Int: WakeBell] = [:]
        var nextBell = 0
        /// Whether somebody was sent away since there was room last.
        var owesCall = false
    }

    private enum Turn {
        case now, never
        case after(Duration, bell: Int, WakeBell)
    }

    private let state: Mutex<State>
    /// Rung when there is room again after somebody was sent away.
    private let roomBell: WakeBell

    /// How long nobody may come on before those who come are sent away.
    static let patience = Duration.seconds(1)

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

    /// Whether the lane is full and nobody there comes on.
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
