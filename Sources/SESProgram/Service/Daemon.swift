public import HostProcess
import DSSClient
import HouseStatus
import Logging
import Monitoring
import Processing
public import ProgramLife
import SESConfiguration
import Spool
import SpoolWatch
import Workers

/// The programs that process mail: the daemon, the drain and the retry sweep.
public enum Daemon {
    public enum Mode: Sendable {
        /// Until told to stop.
        case watch
        /// Until nothing waits but retries that are not yet due.
        case process
        /// Processes retries that are due, once.
        case sweep
    }

    /// - Throws: ``ProgramError`` if the program cannot start, or ends early.
    public static func run(_ mode: Mode, _ options: ProgramOptions) async throws(ProgramError) -> ExitStatus {
        LineLogHandler.bootstrap(options.logFormat)
        let surroundings = Surroundings()
        try surroundings.refuseRoot(allowed: options.allowsRoot)
        let path = surroundings.configurationPath(option: options.configuration)
        var stamps = [FileStamp(of: path)]
        let server = try LoadedConfiguration.load(path)
        stamps += server.namedFiles.map(FileStamp.init(of:))
        let record = ConfigurationRecord(stamps)
        let spoolPath = surroundings.spoolPath(option: options.spool, configured: server.processing.spool)
        // The watcher's descriptor must be small, so it comes before all others.
        let watcher = mode == .watch ? try SpoolWatching.start(spoolPath) : nil
        let log = Logger(label: "ses")
        let spool = try ProgramRun.openSpool(spoolPath, for: .ses, log)
        ProgramRun.tellStart(mode == .watch, path, spool, log)
        let clock = SpoolClock.system
        let limiter = NoticeLimiter(limit: 20, now: { clock.now() })
        let copies = AdministratorCopies(now: { clock.now() })
        let meter = SESMeter(continuing: PublishedState.lastDay(of: spool))
        let make = { @Sendable (server: SESSettings) throws(ProgramError) -> LiveConfiguration in
            try LiveConfiguration(
                server, spool: spool, limiter: limiter, copies: copies, clock: clock, hostName: surroundings.hostName,
                called: meter.called)
        }
        let first = try make(server)
        // A drain that finds nothing needs no client; a daemon had better find out now.
        if mode == .watch {
            do throws(Failure) { try first.client.prepare() } catch { throw ProgramError(.system, error.summary) }
        }
        let active = InForce(first)
        for warning in server.warnings { log.warning("\(warning)") }

        try DescriptorCheck.require(threads: first.threads)
        let threads = WorkerThreads(count: first.threads, name: "ses-worker")
        let gateway = SESService(
            mode: mode, spool: spool, watcher: watcher, configuration: active, copies: copies, clock: clock,
            threads: threads, record: record, meter: meter, endsProcess: true, log: log)
        let metrics = try gateway.metrics(options.metrics)
        let reload = ConfigurationReload(path: path, board: gateway.board, log: log) { () throws(ProgramError) in
            var stamps = [FileStamp(of: path)]
            let server = try LoadedConfiguration.load(path)
            stamps += server.namedFiles.map(FileStamp.init(of:))
            // Messages claimed earlier may still be using the old configuration: its client ends when the last of them
            // releases it.
            gateway.apply(try make(server))
            record.replace(with: stamps)
            return server.warnings.map { "\($0)" }
        }
        metrics.start()
        try await ProgramRun.serve(gateway, reload, on: threads, log)
        metrics.write()
        ProgramRun.tellEnd(mode == .watch, log)
        await active.current.client.shutDown()
        if mode == .watch { return gateway.engine.gate.isTroubled ? .tryAgain : .success }
        return try ProgramRun.drainStatus(
            gate: gateway.engine.gate, board: gateway.board, duty: "to be processed", left: gateway.leftoverCount)
    }
}
