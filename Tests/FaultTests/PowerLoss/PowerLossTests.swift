import Foundation
import Glibc
import TestSupport
import Testing

extension FaultBench {
    @Suite("Programs whose power fails")
    struct PowerLosses {
        private struct Point: Sendable, CustomStringConvertible {
            let scenario: Int
            let name: String
            let step: Int
            let order: PowerLossModel.Order
            let seed: UInt64

            var description: String { "\(name), power lost after step \(step), \(order), image \(seed)" }
        }

        /// A scenario, what it changed, and what may be left of that.
        private struct Recorded: Sendable {
            let name: String
            let state: any KillState
            let trace: ChangeTrace

            init(_ scenario: KillScenario) async throws {
                name = scenario.name
                let prepared = try await scenario.prepare()
                state = try await prepared.copy()
                let scratch = try ScratchDirectory()
                guard chmod(scratch.path, 0o777) == 0 else { throw HarnessError("chmod: \(errno)") }
                let (before, inodes) = try FileTree.read(state.spool)
                let environment = try await FaultPoint.environment(program: scenario.program)
                    .merging(["FAULTPOINT_TRACE": scratch.file("trace")]) { $1 }
                _ = try await state.run(environment)
                trace = try ChangeTrace(
                    of: state.spool, before: before, inodes: inodes,
                    log: try TestMaterial.octets(scratch.file("trace")))
            }

            func faults(_ point: Point) async throws -> [String] {
                let model = PowerLossModel(trace)
                let tree = model.image(after: point.step, point.order, seed: point.seed)
                let isLast = point.step == trace.steps.count - 1
                let time = isLast ? nil : trace.steps[point.step + 1].time
                let image = try await state.image(at: time) { try tree.write(to: $0) }
                try await image.finish()
                let faults = try image.faults()
                guard !faults.isEmpty else { return [] }
                // Names are drawn anew in each run: what was on the disk is told with the failure.
                return faults + [model.account(after: point.step, point.order, seed: point.seed)]
            }

            /// Returns the faults of the trace itself: with everything durable, the tree must be the one that the
            /// program left.
            func faultsOfTrace() throws -> [String] {
                let whole = PowerLossModel(trace).image(after: trace.steps.count - 1, .whole, seed: 0)
                let left = try FileTree.read(state.spool).tree
                let (ours, theirs) = (whole.list, left.list)
                return ours == theirs ? [] : ["the trace of \(name) leads to \(ours), not to \(theirs)"]
            }
        }

        @Test("lose nothing and double nothing but what they announce, whatever was not synced")
        func images() async throws {
            var recorded: [Recorded] = []
            for scenario in GatewayScenarios.all + RelayScenarios.all + OrderScenarios.all {
                recorded.append(try await Recorded(scenario))
            }
            for one in recorded { #expect(try one.faultsOfTrace() == []) }
            let points = recorded.enumerated().flatMap { index, one in
                one.trace.steps.indices.filter { !one.trace.steps[$0].isProbe }.flatMap { step in
                    [(.ordered, 1), (.weak, 2), (.weak, 3)].map { (order: PowerLossModel.Order, seed: Int) in
                        Point(
                            scenario: index, name: one.name, step: step, order: order,
                            seed: FaultShare.seed &* 1_000_003 &+ UInt64(step * 8 + seed))
                    }
                }
            }
            let all = recorded
            let chosen = FaultShare.of(points, normally: 50)
            let found = await FaultShare.faults(of: chosen) { try await all[$0.scenario].faults($0) }
            for (point, faults) in found { Issue.record("\(point): \(faults.joined(separator: "; "))") }
            FaultShare.tell(
                "power-loss images, ordered and weak model", points: chosen.count, of: points.count,
                failures: found.count)
        }
    }
}

extension FileTree {
    /// Path and size of all files and directories, sorted.
    fileprivate var list: [String] {
        func walk(_ number: Int, _ path: String) -> [String] {
            switch objects[number].content {
            case .file(let octets): ["\(path) \(octets.count)"]
            case .symbolicLink(let target): ["\(path) -> \(target)"]
            case .directory(let children):
                [path + "/"] + children.sorted { $0.key < $1.key }.flatMap { walk($0.value, path + "/" + $0.key) }
            }
        }
        return walk(root, "").sorted()
    }
}
