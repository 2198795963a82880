import Synchronization
import Workers

/// The threads that wait for tokens, a few for each token: one that does not answer holds up nobody but those who want
/// a key of it.
final class TokenLanes: Sendable {
    private struct Lane {
        let workers: WorkerThreads
        /// The beginnings of the calls that have not ended, by their numbers.
        var begun: [Int: ContinuousClock.Instant] = [:]
    }

    private struct Lanes {
        var byToken: [String: Lane] = [:]
        var number = 0
    }

    private let lanes = Mutex(Lanes())
    /// Calls into one token at a time.
    private static let threads = 4
    /// Calls that are in a token or wait for it.
    private static let maximumCalls = 20
    /// The time after which a token counts as one that does not answer.
    private static let patience = Duration.seconds(20)

    /// Runs `body` on a thread of the token.
    /// - Returns: nil, at once, if the token does not keep up.
    func run<Value: Sendable>(_ token: String, _ body: @escaping @Sendable () -> Value) async -> Value? {
        guard let (workers, number) = enter(token) else { return nil }
        let value = await workers.run { body() }
        lanes.withLock { $0.byToken[token]?.begun[number] = nil }
        return value
    }

    private func enter(_ token: String) -> (WorkerThreads, Int)? {
        lanes.withLock { lanes in
            var lane =
                lanes.byToken[token]
                ?? Lane(workers: WorkerThreads(count: Self.threads, name: "token", stackSize: nil))
            defer { lanes.byToken[token] = lane }
            let now = ContinuousClock.now
            let isStuck = lane.begun.values.contains { now - $0 > Self.patience }
            guard !isStuck, lane.begun.count < Self.maximumCalls else { return nil }
            lanes.number += 1
            lane.begun[lanes.number] = now
            return (lane.workers, lanes.number)
        }
    }
}
