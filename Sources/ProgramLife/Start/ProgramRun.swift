import Glibc
package import HostProcess
package import Logging
import Monitoring
package import ServiceLifecycle
package import Spool
import UnixSignals
package import Workers

/// The steps that each program takes on a spool from its start to its end.
package enum ProgramRun {
    /// Opens the spool at `path` and performs its protocol on a probe.
    package static func openSpool(_ path: String, for program: Program, _ log: Logger) throws(ProgramError) -> Spool {
        do {
            let spool = try Spool(opening: path, program: program)
            for warning in try spool.probe() { log.warning("\(warning)") }
            LitterSweep.run(on: spool, log)
            return spool
        } catch {
            throw ProgramError(error.pointsAtConfiguration ? .configuration : .inputOutput, error.description)
        }
    }

    /// Returns the place of the spool for a command that needs no configuration.
    /// - Parameters:
    ///   - option: The path that the command line names.
    ///   - configuration: The path of the configuration; it is only read for the place of the spool, when `option` does
    ///     not name it, and may be missing unless `isNamed`.
    ///   - isNamed: True if the command line names the configuration.
    ///   - configured: Returns the place of the spool that the configuration at a path names.
    /// - Throws: The error of `configured`.
    package static func spoolPath(
        option: String?, configuration: String, isNamed: Bool,
        configured: (String) throws(ProgramError) -> String?
    ) throws(ProgramError) -> String {
        var place: String?
        if option == nil, isNamed || SmallFile.exists(configuration) {
            place = try configured(configuration)
        }
        return Surroundings().spoolPath(option: option, configured: place)
    }

    /// Opens the spool for a report, without its protocol. The parameters are those of
    /// ``spoolPath(option:configuration:isNamed:configured:)``.
    package static func openSpoolForReport(
        for program: Program, option: String?, configuration: String, isNamed: Bool,
        configured: (String) throws(ProgramError) -> String?
    ) throws(ProgramError) -> Spool {
        let path = try spoolPath(
            option: option, configuration: configuration, isNamed: isNamed, configured: configured)
        do {
            return try Spool(opening: path, program: program)
        } catch {
            throw ProgramError(.noInput, error.description)
        }
    }

    /// Runs `service` on `threads` until its end, or until SIGTERM or SIGINT ends it in order; `reload` beside it.
    package static func serve(
        _ service: any Service, _ reload: ConfigurationReload, on threads: WorkerThreads, _ log: Logger
    ) async throws(ProgramError) {
        do {
            try await withTaskExecutorPreference(threads) {
                try await ServiceGroup(
                    configuration: ServiceGroupConfiguration(
                        services: [
                            .init(service: service, successTerminationBehavior: .gracefullyShutdownGroup),
                            .init(service: reload, successTerminationBehavior: .ignore),
                        ],
                        gracefulShutdownSignals: [.sigterm, .sigint], logger: log)
                ).run()
            }
        } catch {
            throw ProgramError(.software, "stopped: \(error)")
        }
    }

    /// Logs the start of a program. One that works off what waits, as from cron, says nothing of it.
    package static func tellStart(_ isDaemon: Bool, _ configuration: String, _ spool: Spool, _ log: Logger) {
        log.log(
            level: isDaemon ? .notice : .debug, "started",
            metadata: [
                "version": "\(ProgramRelease.version)", "pid": "\(getpid())", "configuration": "\(configuration)",
                "spool": "\(spool.path)",
            ])
    }

    /// Logs the end of a program, as ``tellStart(_:_:_:_:)`` does its start.
    package static func tellEnd(_ isDaemon: Bool, _ log: Logger) {
        log.log(level: isDaemon ? .notice : .debug, "stopped", metadata: ["version": "\(ProgramRelease.version)"])
    }

    /// Returns the status of a drain, depending on whether it has moved everything that was due.
    /// - Parameters:
    ///   - duty: The words for what should have happened to the messages, such as "due" or "to be processed".
    ///   - left: Counts the messages that should have moved and did not.
    /// - Throws: ``ProgramError`` if messages are left, or cannot be counted.
    package static func drainStatus(
        gate: IntakeGate, board: HealthBoard, duty: String, left: () throws(SpoolError) -> Int
    ) throws(ProgramError) -> ExitStatus {
        let count: Int
        do {
            count = try left()
        } catch {
            throw ProgramError(.tryAgain, error.description)
        }
        guard count > 0 else { return gate.isTroubled ? .tryAgain : .success }
        let reasons = board.snapshot.told.map(\.text)
        throw ProgramError(
            .tryAgain,
            "\(count) \(count == 1 ? "message that was" : "messages that were") \(duty) \(count == 1 ? "is" : "are") left"
                + (reasons.isEmpty ? "; run it again" : ": " + reasons.joined(separator: "; ")))
    }
}

/// Removes what killed processes left in a spool: at each start, and every hour while a daemon runs.
package enum LitterSweep {
    /// The time between two sweeps of a running daemon.
    package static let interval: Duration = .seconds(3_600)

    /// Sweeps once. Litter that cannot be removed stops nothing, so a fault is only logged.
    package static func run(on spool: Spool, _ log: Logger) {
        do {
            let swept = try spool.sweepLitter()
            guard !swept.isEmpty else { return }
            log.notice(
                "removed what killed programs left",
                metadata: ["unfinishedMessages": "\(swept.unfinished)", "stateFiles": "\(swept.states)"])
        } catch {
            log.warning("what killed programs left could not be removed", metadata: ["error": "\(error.description)"])
        }
    }
}

/// Re-reads the configuration on SIGHUP. A good file takes effect for messages claimed later; a faulty one is reported,
/// and the old configuration stays in force.
package struct ConfigurationReload: Service {
    private let path: String
    private let board: HealthBoard
    private let log: Logger
    private let take: @Sendable () throws(ProgramError) -> [String]

    /// - Parameters:
    ///   - path: For the words of reports.
    ///   - take: Reads the file, puts what it says in force, and gives its warnings.
    package init(
        path: String, board: HealthBoard, log: Logger, take: @escaping @Sendable () throws(ProgramError) -> [String]
    ) {
        self.path = path
        self.board = board
        self.log = log
        self.take = take
    }

    package func run() async throws {
        let hangups = await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown()
        // From here on the sequence has each one.
        if EarlySignals.consumeHangup() { reload() }
        for await _ in hangups { reload() }
    }

    private func reload() {
        Supervisor.current.reloading()
        // The end of it: the former configuration stays in force where the new one has faults.
        defer { Supervisor.current.ready(DaemonNotices.line(board.snapshot)) }
        do throws(ProgramError) {
            for warning in try take() { log.warning("\(warning)") }
            board.lift("configuration")
            log.notice("configuration re-read", metadata: ["file": "\(path)"])
        } catch {
            board.raise(
                "configuration", .configurationUnusable,
                "\(path) was not taken; the configuration before it stays in force: \(error.text)")
            log.error("configuration not taken", metadata: ["file": "\(path)", "error": "\(error.text)"])
        }
    }
}
