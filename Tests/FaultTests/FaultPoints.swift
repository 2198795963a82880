import TestSupport
import Testing

/// The points of one suite, several at a time where nothing but waiting is done.
enum FaultPoints {
    /// Tries the chosen points, records what was found, and prints the suite's row of the table.
    /// - Parameters:
    ///   - count: The number of points without `SES_TEST_ALL=1`.
    ///   - width: The number of points tried at the same time.
    ///   - faults: Returns the deviations from the expected outcome at one point.
    static func run<Point: Sendable>(
        _ suite: String, _ points: [Point], normally count: Int, width: Int = 1,
        faults: @escaping @Sendable (Point) async throws -> [String]
    ) async {
        let chosen = FaultShare.of(points, normally: count)
        let begin = ContinuousClock.now
        let next = Counter()
        let failures = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<width {
                group.addTask {
                    var failures = 0
                    while true {
                        let index = next.next() - 1
                        guard index < chosen.count else { return failures }
                        let point = chosen[index]
                        let found: [String]
                        do { found = try await faults(point) } catch { found = ["\(error)"] }
                        #expect(found == [], "\(point)")
                        if !found.isEmpty { failures += 1 }
                    }
                }
            }
            return await group.reduce(0, +)
        }
        let took = (ContinuousClock.now - begin).components.seconds
        FaultShare.tell("\(suite), \(took) s", points: chosen.count, of: points.count, failures: failures)
    }
}
