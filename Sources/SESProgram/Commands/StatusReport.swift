public import HostProcess
import DSSClient
import Foundation
import ProgramLife
import SESConfiguration
import Spool

/// The state of a spool.
public struct StatusReport: ConsoleReport, Sendable {
    public struct Circuit: Encodable, Sendable {
        let address: String
        let state: String
        let since: Int
    }

    public struct Process: Encodable, Sendable {
        let program: String
        let pid: Int32
        let started: Int
        let watches: Bool
    }

    let v = 1
    public let healthy: Bool
    let reasons: [String]
    let folders: [String: PlaceCount]
    let circuits: [Circuit]
    @OrNull var lastError: String?
    let processes: [Process]
    private let order: [String]

    private enum CodingKeys: String, CodingKey {
        case v, healthy, reasons, folders, circuits, lastError, processes
    }

    /// - Parameter configuration: Only read for the spool's place, when `spool` does not name it.
    /// - Throws: ``ProgramError`` if there is no spool, or it cannot be read.
    public static func make(configuration: String?, spool option: String?) throws(ProgramError) -> StatusReport {
        let spool = try ProgramRun.openSpoolForReport(
            for: .ses, option: option, configuration: Surroundings().configurationPath(option: configuration),
            isNamed: configuration != nil
        ) { (path) throws(ProgramError) in try LoadedConfiguration.load(path).processing.spool }
        do {
            let now = SpoolClock.system.now()
            let states = try spool.readStates()
            var overdue: [String: Overdue] = [:]
            for queue in [Queue.outgoing, .incoming, .retry] {
                overdue[queue.rawValue] = try spool.waiting(in: queue, since: now - SpoolHealth.patience)
            }
            return StatusReport(
                counts: try spool.counts(), states: states, now: now,
                seen: try SpoolHealth(of: spool, states: states).reasons, overdue: overdue,
                strays: try spool.strays(now: now))
        } catch {
            throw ProgramError(.noInput, error.description)
        }
    }

    /// - Parameters:
    ///   - seen: Reasons that the status command sees itself.
    ///   - overdue: The messages that wait for too long, by queue.
    init(
        counts: [FolderCount], states: [ProcessState], now: Int, seen: [String] = [], overdue: [String: Overdue] = [:],
        strays: [LeftInPlace] = []
    ) {
        let published = PublishedStates<ServerAddresses>(states, of: .ses)
        let known = published.known
        var reasons = Reasons()
        for reason in seen + published.reasons { reasons.add(reason) }
        for (queue, overdue) in overdue.sorted(by: { $0.key < $1.key }) {
            reasons.add(SpoolHealth.overdue(queue, overdue, taker: "ses", isRunning: !known.isEmpty))
        }
        if let publish = counts.first(where: { $0.name == "publish" }), let oldest = publish.oldest,
            now - oldest > SpoolHealth.patience
        {
            reasons.add("publish holds \(publish.count), the oldest for \(now - oldest) s: no process publishes them")
        }
        for (_, state) in known {
            for reason in state.reasons { reasons.add(reason) }
        }
        if let corrupt = counts.first(where: { $0.name == Folder.corrupt.rawValue }), corrupt.count > 0 {
            reasons.add("corrupt/ holds \(corrupt.count) that cannot be messages: look at them and remove them")
        }
        for reason in Self.reasons(of: strays) { reasons.add(reason) }
        for (_, state) in known {
            for circuit in state.own.circuits where circuit.state != CircuitBreaker.State.answering.rawValue {
                reasons.add("the signing server at \(circuit.address) is not answering")
            }
        }
        self.reasons = reasons.all
        healthy = reasons.all.isEmpty
        order = counts.map(\.name)
        folders = PlaceCount.of(counts, now: now)
        circuits = known.flatMap { $0.1.own.circuits }.map {
            Circuit(address: $0.address, state: $0.state, since: $0.since)
        }
        lastError = known.compactMap { $0.1.lastError }.last
        processes = known.map {
            Process(program: $0.0.program, pid: $0.0.pid, started: $0.1.started, watches: $0.1.watches)
        }
    }

    /// One line for what lies somewhere for the same reason.
    private static func reasons(of strays: [LeftInPlace]) -> [String] {
        var causes: [String] = []
        for stray in strays where !causes.contains(stray.reason) { causes.append(stray.reason) }
        return causes.map { cause in
            let paths = strays.filter { $0.reason == cause }.map(\.path)
            let named =
                paths.prefix(3).joined(separator: ", ") + (paths.count > 3 ? " and \(paths.count - 3) more" : "")
            return "not taken for more than ten minutes: \(named): \(cause)"
        }
    }

    /// Exit 1 when unhealthy.
    public var status: ExitStatus { healthy ? .success : .unhealthy }

    /// For people.
    public var text: String {
        var lines = [healthy ? "healthy" : "UNHEALTHY"]
        lines += reasons.map { "  - " + $0 }
        lines += PlaceCount.lines(folders, in: order)
        for circuit in circuits { lines.append("server     \(circuit.address): \(circuit.state)") }
        for process in processes {
            lines.append("process    \(process.program) \(process.pid)" + (process.watches ? ", watching" : ""))
        }
        if let lastError { lines.append("last error " + lastError) }
        return lines.joined(separator: "\n")
    }
}
