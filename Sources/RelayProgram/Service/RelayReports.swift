public import HostProcess
import Foundation
public import ProgramLife
import SESConfiguration
import Spool

extension CheckReport {
    /// Of a `relay.xml`.
    /// - Parameter isStrict: Loose modes of files with secrets are faults.
    public static func makeForRelay(configuration option: String?, isStrict: Bool) -> CheckReport {
        let path = Surroundings().relayConfigurationPath(option: option)
        do {
            let configuration = try loadRelay(path: path, environment: Surroundings().environment)
            return CheckReport(faults: [], warnings: configuration.warnings, isStrict: isStrict)
        } catch {
            return CheckReport(error, isStrict: isStrict)
        }
    }
}

/// The state of the relay's side of a spool.
public struct RelayStatusReport: ConsoleReport, Sendable {
    public struct Route: Encodable, Sendable {
        let route: String
        let reason: String
        let since: Int
    }

    public struct Process: Encodable, Sendable {
        let program: String
        let pid: Int32
        let started: Int
        let watches: Bool
        let counters: RelayCounters.Values
    }

    let v = 1
    public let healthy: Bool
    let reasons: [String]
    let folders: [String: PlaceCount]
    /// Those that are not tried for now.
    let routes: [Route]
    @OrNull var lastError: String?
    let processes: [Process]
    private let order: [String]

    private enum CodingKeys: String, CodingKey {
        case v, healthy, reasons, folders, routes, lastError, processes
    }

    /// - Parameter configuration: Only read for the spool's place, when `spool` does not name it.
    /// - Throws: ``ProgramError`` if there is no spool, or it cannot be read.
    public static func make(configuration: String?, spool option: String?) throws(ProgramError) -> RelayStatusReport {
        let spool = try ProgramRun.openSpoolForReport(
            for: .relay, option: option, configuration: Surroundings().relayConfigurationPath(option: configuration),
            isNamed: configuration != nil
        ) { (path) throws(ProgramError) in try RelayDaemon.loaded(path, Surroundings()).spool }
        do {
            let states = try spool.readStates()
            return RelayStatusReport(
                counts: try spool.counts(), states: states, seen: try SpoolHealth(of: spool, states: states).reasons,
                now: SpoolClock.system.now())
        } catch {
            throw ProgramError(.noInput, error.description)
        }
    }

    /// - Parameter seen: Reasons that the status command sees itself.
    init(counts: [FolderCount], states: [ProcessState], seen: [String] = [], now: Int) {
        let published = PublishedStates<RelayProgress>(states, of: .relay)
        let known = published.known
        var reasons = Reasons()
        for reason in seen + published.reasons { reasons.add(reason) }
        for count in counts where [Folder.delivered.rawValue, Folder.admin.rawValue, "publish"].contains(count.name) {
            guard let oldest = count.oldest, now - oldest > SpoolHealth.patience else { continue }
            let place = count.name == "publish" ? "relay/publish" : count.name + "/new"
            let what = known.isEmpty ? "no ses-relay says that it runs" : "ses-relay does not take them"
            reasons.add("\(place) holds \(count.count), the oldest for \(now - oldest) s: \(what)")
        }
        for (_, state) in known {
            for reason in state.reasons { reasons.add(reason) }
            for route in state.own.routes { reasons.add("route \(route.route) is not answering: \(route.reason)") }
        }
        if let failed = counts.first(where: { $0.name == Folder.failed.rawValue }), failed.count > 0 {
            reasons.add(
                "failed/ holds \(failed.count) that could not be delivered: look at them, then move them to delivered/new or remove them"
            )
        }
        self.reasons = reasons.all
        healthy = reasons.all.isEmpty
        order = counts.map(\.name)
        folders = PlaceCount.of(counts, now: now)
        routes = known.flatMap { $0.1.own.routes }.map { Route(route: $0.route, reason: $0.reason, since: $0.since) }
        lastError = known.compactMap { $0.1.lastError }.last
        processes = known.map {
            Process(
                program: $0.0.program, pid: $0.0.pid, started: $0.1.started, watches: $0.1.watches,
                counters: $0.1.own.counters)
        }
    }

    /// Exit 1 when unhealthy.
    public var status: ExitStatus { healthy ? .success : .unhealthy }

    /// For people.
    public var text: String {
        var lines = [healthy ? "healthy" : "UNHEALTHY"]
        lines += reasons.map { "  - " + $0 }
        lines += PlaceCount.lines(folders, in: order)
        for process in processes {
            let counts = process.counters
            lines.append(
                "process    \(process.program) \(process.pid)" + (process.watches ? ", watching" : "")
                    + ": \(counts.sent) sent, \(counts.failed) failed, \(counts.deferred) put off,"
                    + " \(counts.possibleRepeats) possible repeats")
        }
        if let lastError { lines.append("last error " + lastError) }
        return lines.joined(separator: "\n")
    }
}
