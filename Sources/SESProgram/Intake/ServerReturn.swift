import ProgramLife
import Synchronization

/// The absence of a lane's signing server, and its return: all that waits in `retry` is then tried at once. The first
/// message goes alone, so that a server that only seems to be back costs one message an attempt and not all.
final class ServerReturn: Sendable {
    private struct State {
        var isAway = false
        /// True if one message may be tried ahead of its time.
        var sendsForerunner = false
        /// Unix seconds at which the server answered again.
        var returned: Int?
        /// The question under way.
        var question: Task<Bool, Never>?
        var isEnding = false
    }

    private let state = Mutex(State())
    /// Rung when the server is found to be away, and when it is back.
    let bell = WakeBell()

    var isAway: Bool { state.withLock { $0.isAway } }

    /// No address answered a message.
    func noteAway() {
        let isNew = state.withLock { state in
            defer { state.isAway = true }
            return !state.isAway
        }
        if isNew { bell.ring() }
    }

    /// The server gave a message a result.
    /// - Parameter now: Unix seconds.
    /// - Returns: True if it was away before.
    func noteAnswer(now: Int) -> Bool {
        let isNews = state.withLock { state in
            guard state.isAway else { return false }
            state.isAway = false
            state.sendsForerunner = false
            state.returned = now
            return true
        }
        if isNews { bell.ring() }
        return isNews
    }

    /// Somebody answers there: one message finds out whether it is the server.
    func permitForerunner() { state.withLock { $0.sendsForerunner = $0.isAway } }

    /// Returns true once after each permission.
    func consumeForerunner() -> Bool {
        state.withLock { state in
            defer { state.sendsForerunner = false }
            return state.sendsForerunner
        }
    }

    /// Returns true if a message that was put aside at that time has waited for a server that is back since.
    /// - Parameter made: Unix seconds.
    func frees(_ made: Int) -> Bool { state.withLock { $0.returned.map { made <= $0 } ?? false } }

    private static let firstPause = Duration.seconds(1)
    private static let maximumPause = Duration.seconds(15)
    /// After a forerunner that failed, somebody else answers there, such as a proxy.
    private static let longPause = Duration.seconds(120)

    /// Ends ``watch(isAnswering:call:)``, also while a server is asked that does not answer.
    func end() {
        bell.silence()
        let question = state.withLock { state in
            state.isEnding = true
            return state.question
        }
        question?.cancel()
    }

    private func ask(_ isAnswering: @escaping @Sendable () async -> Bool) async -> Bool {
        let question = Task { await isAnswering() }
        let isEnding = state.withLock { state in
            state.question = question
            return state.isEnding
        }
        if isEnding { question.cancel() }
        return await question.value
    }

    /// Asks a server that is away whether it is back, until it is told to end.
    /// - Parameters:
    ///   - isAnswering: Returns true if somebody answers there.
    ///   - call: Called when a message may be tried.
    func watch(isAnswering: @escaping @Sendable () async -> Bool, call: () -> Void) async {
        while await bell.wait(atMost: nil) {
            var pause = Self.firstPause
            var hasFailed = false
            while isAway {
                guard await bell.wait(atMost: hasFailed ? Self.longPause : pause) else { return }
                guard isAway else { break }
                pause = min(pause * 2, Self.maximumPause)
                guard await ask(isAnswering) else {
                    hasFailed = false
                    continue
                }
                permitForerunner()
                call()
                hasFailed = true
            }
        }
    }
}
