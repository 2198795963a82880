import TestSupport
import Testing

extension FaultBench {
    @Suite("Programs killed at any change of a file")
    struct Kills {
        private static let scenarios = GatewayScenarios.all + RelayScenarios.all + OrderScenarios.all

        private func run(_ suite: String, _ bench: KillBench, _ chosen: [KillPoint], of all: Int) async {
            let found = await FaultShare.faults(of: chosen) { try await bench.faults($0) }
            for (point, faults) in found { Issue.record("\(point): \(faults.joined(separator: "; "))") }
            FaultShare.tell(suite, points: chosen.count, of: all, failures: found.count)
        }

        @Test("each message is where it must be once in the end, whole, whatever was killed")
        func killed() async throws {
            let bench = try await KillBench(Self.scenarios)
            #expect(bench.calls.allSatisfy { !$0.isEmpty })
            let points = bench.points
            let chosen = FaultShare.of(points, normally: 60)
            await run(
                "kills at each change of a file, \(bench.scenarios.count) scenarios", bench, chosen, of: points.count)
        }

        @Test("the same when recovery is killed, too")
        func killedInRecovery() async throws {
            let bench = try await KillBench(Self.scenarios)
            let points = bench.pointsInRecovery(perCall: 2)
            let chosen = FaultShare.of(points, normally: 20, most: 2_500)
            await run("killed again in recovery", bench, chosen, of: points.count)
        }
    }
}
