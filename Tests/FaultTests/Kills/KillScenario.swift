import Foundation
import Glibc
import TestSupport

/// A spool in a known state, with what must come of it.
protocol KillState: Sendable {
    var spool: String { get }
    /// A fresh one in the same state.
    func copy() async throws -> any KillState
    /// The same situation on a spool that `write` makes: what a power loss left of this one.
    /// - Parameter time: The time at which the power failed, in monotonic nanoseconds; nil for after the end of the
    ///   run.
    func image(at time: Int?, _ write: (_ spool: String) throws -> Void) async throws -> any KillState
    /// The run that is killed.
    func run(_ environment: [String: String]) async throws -> RunningProgram.Finished
    /// Takes away what is published, as a reader does at any time; nothing where the program has no reader.
    func take() throws
    /// Starts without faults, until nothing is left to do.
    func finish() async throws
    /// Returns the deviations from the expected outcome after ``finish()``.
    func faults() throws -> [String]
}

extension KillState {
    func take() throws {}
}

/// A situation that is brought about once, and whose copies are then killed at each of the calls that change a file.
struct KillScenario: Sendable {
    let name: String
    /// `ses` or `ses-relay`.
    let program: String
    /// Calls on these are not points: each start of a program makes the same ones.
    var passesOver: String? = "/.ses-probe"
    let prepare: @Sendable () async throws -> any KillState

    /// The numbers of the calls that change a file, in a run of a copy without faults.
    func calls(_ state: any KillState) async throws -> [FaultPoint.Call] {
        let scratch = try ScratchDirectory()
        guard chmod(scratch.path, 0o777) == 0 else { throw HarnessError("chmod: \(errno)") }
        let log = scratch.file("calls")
        let copy = try await state.copy()
        _ = try await copy.run(try await FaultPoint.environment(program: program, log: log))
        try await copy.finish()
        let faults = try copy.faults()
        guard faults.isEmpty else { throw HarnessError("\(name), without a kill: \(faults)") }
        return try FaultPoint.calls(in: log).filter { call in
            passesOver.map { !call.path.contains($0) } ?? true
        }
    }
}

/// The point at which a copy is killed.
struct KillPoint: Sendable, CustomStringConvertible {
    let scenario: Int
    let name: String
    let call: FaultPoint.Call
    let isAfter: Bool
    /// True if a reader takes away published files before the next start.
    let takes: Bool
    /// The call before which the next start, that of recovery, is killed.
    var again: Int?

    var description: String {
        "\(name), \(isAfter ? "after" : "before") call \(call.number) (\(call.name)), \(takes ? "taken" : "left")"
            + (again.map { ", recovery killed before call \($0)" } ?? "")
    }
}

/// All scenarios in the states that their points start from.
struct KillBench: Sendable {
    let scenarios: [KillScenario]
    let states: [any KillState]
    let calls: [[FaultPoint.Call]]

    /// - Parameter part: Only scenarios with this in their name.
    init(_ all: [KillScenario], part: String? = ProcessInfo.processInfo.environment["SES_TEST_SCENARIO"]) async throws {
        scenarios = all.filter { scenario in part.map { scenario.name.contains($0) } ?? true }
        var states: [any KillState] = []
        var calls: [[FaultPoint.Call]] = []
        var unready: [String] = []
        for scenario in scenarios {
            do {
                let state = try await scenario.prepare()
                calls.append(try await scenario.calls(state))
                states.append(state)
            } catch {
                unready.append("\(scenario.name): \(error)")
            }
        }
        guard unready.isEmpty else { throw HarnessError(unready.joined(separator: "\n")) }
        self.states = states
        self.calls = calls
    }

    /// Before and after each call, with a reader and without one.
    var points: [KillPoint] {
        scenarios.indices.flatMap { index in
            calls[index].flatMap { call in
                [(false, false), (false, true), (true, false), (true, true)].map { isAfter, takes in
                    KillPoint(
                        scenario: index, name: scenarios[index].name, call: call, isAfter: isAfter, takes: takes)
                }
            }
        }
    }

    /// The same, each with some calls of the recovery that follows.
    func pointsInRecovery(perCall count: Int) -> [KillPoint] {
        var numbers = SeededNumbers(seed: FaultShare.seed)
        return scenarios.indices.flatMap { index in
            let others = calls[index].map(\.number)
            return calls[index].flatMap { call in
                (0..<count).map { _ in
                    KillPoint(
                        scenario: index, name: scenarios[index].name, call: call, isAfter: .random(using: &numbers),
                        takes: .random(using: &numbers), again: others.randomElement(using: &numbers))
                }
            }
        }
    }

    /// Brings a copy to `point`, then to its end, and tells what is not as it must be.
    func faults(_ point: KillPoint) async throws -> [String] {
        let scenario = scenarios[point.scenario]
        let state = try await states[point.scenario].copy()
        let first = try await state.run(
            try await FaultPoint.environment(
                program: scenario.program, point: point.call.number, action: point.isAfter ? .killAfter : .killBefore))
        guard [0, 128 + 9].contains(first.status) else { return ["ended with \(first)"] }
        if point.takes { try state.take() }
        if let again = point.again {
            _ = try await state.run(
                try await FaultPoint.environment(program: scenario.program, point: again, action: .killBefore))
            if point.takes { try state.take() }
        }
        try await state.finish()
        return try state.faults()
    }
}
