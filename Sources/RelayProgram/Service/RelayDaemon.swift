public import HostProcess
import HouseStatus
import Logging
import Monitoring
public import ProgramLife
import SESConfiguration
import Spool
import SpoolWatch
import Workers

/// The relay: runs until told to stop, or until only messages wait that are not yet due.
public enum RelayDaemon {
    public enum Mode: Sendable { case run, once }

    /// Runs the relay until it is told to stop, or until nothing is due.
    /// - Throws: ``ProgramError`` if the relay cannot start, or leaves messages that were due.
    public static func start(_ mode: Mode, _ options: ProgramOptions) async throws(ProgramError) -> ExitStatus {
        LineLogHandler.bootstrap(options.logFormat)
        let surroundings = Surroundings()
        try surroundings.refuseRoot(allowed: options.allowsRoot, program: "ses-relay")
        let path = surroundings.relayConfigurationPath(option: options.configuration)
        let stamp = FileStamp(of: path)
        let configuration = try loaded(path, surroundings)
        let record = ConfigurationRecord([stamp] + configuration.namedFiles.map(FileStamp.init(of:)))
        let spoolPath = surroundings.spoolPath(option: options.spool, configured: configuration.spool)
        // The watcher's descriptor must be small, so it comes before all others.
        let watcher = mode == .run ? try watch(spoolPath) : nil
        let log = Logger(label: "ses-relay")
        let spool = try ProgramRun.openSpool(spoolPath, for: .relay, log)
        ProgramRun.tellStart(mode == .run, path, spool, log)
        for warning in configuration.warnings { log.warning("\(warning)") }
        let hostName = surroundings.hostName
        let first = RelaySettings(configuration, hostName: hostName)
        let settings = InForce(first)
        let bell = WakeBell()
        let board = HealthBoard { bell.ring() }
        let lanes = LaneBoard { bell.ring() }
        let counters = RelayCounters(continuing: PublishedState.lastDay(of: spool))
        try DescriptorCheck.require(threads: first.threads)
        let threads = WorkerThreads(count: first.threads, name: "ses-relay-worker")
        let engine = RelayEngine(
            spool: spool, settings: settings, board: board, lanes: lanes, counters: counters, clock: .system, log: log)
        let notices = mode == .run ? DaemonNotices(log) : nil
        let metrics = try engine.metrics(options.metrics)
        let post = StatePost(
            bell: bell, spool: spool, board: board, gate: engine.gate, clock: .system, watches: watcher != nil,
            record: record, tally: counters.tally, notices: notices, servers: { engine.servers })
        let service = RelayService(
            isDaemon: mode == .run, watcher: watcher, engine: engine, post: post, threads: threads, notices: notices,
            log: log)
        let reload = ConfigurationReload(path: path, board: board, log: log) { () throws(ProgramError) in
            let stamp = FileStamp(of: path)
            let configuration = try loaded(path, surroundings)
            service.apply(RelaySettings(configuration, hostName: hostName))
            record.replace(with: [stamp] + configuration.namedFiles.map(FileStamp.init(of:)))
            return configuration.warnings.map { "\($0)" }
        }
        metrics.start()
        try await ProgramRun.serve(service, reload, on: threads, log)
        metrics.write()
        ProgramRun.tellEnd(mode == .run, log)
        if mode == .run { return engine.gate.isTroubled ? .tryAgain : .success }
        return try ProgramRun.drainStatus(gate: engine.gate, board: board, duty: "due", left: engine.leftoverCount)
    }

    static func loaded(_ path: String, _ surroundings: Surroundings) throws(ProgramError) -> RelayConfiguration {
        do {
            return try loadRelay(path: path, environment: surroundings.environment)
        } catch {
            throw ProgramError(.configuration, error.description)
        }
    }

    private static func watch(_ spool: String) throws(ProgramError) -> SpoolWatcher {
        do {
            let bell = spool + "/" + Spool.relayBell
            return try SpoolWatcher(
                directories: ["delivered/new", "admin/new"].map { spool + "/" + $0 } + [bell], bells: [bell],
                interval: DaemonNotices.watcherInterval)
        } catch {
            let status: ExitStatus = error.kind == .directory ? .configuration : .system
            throw ProgramError(status, "cannot watch the spool: \(error) (`ses init \(spool)` makes its folders)")
        }
    }
}
