/// Wakes one loop. Rings that come before the loop listens are one ring: it only says "look again".
package struct WakeBell: Sendable {
    private let rings: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    package init() {
        (rings, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    package func ring() { continuation.yield() }

    /// Ends the loop that listens.
    package func silence() { continuation.finish() }

    /// Waits for a ring, or until `limit` has passed.
    /// - Returns: false once the bell is silenced.
    package func wait(atMost limit: Duration?) async -> Bool {
        let timer = limit.map { limit in
            Task {
                // A cancelled timer has nothing left to ring for.
                guard (try? await Task.sleep(for: limit)) != nil else { return }
                ring()
            }
        }
        defer { timer?.cancel() }
        var iterator = rings.makeAsyncIterator()
        return await iterator.next() != nil
    }
}
