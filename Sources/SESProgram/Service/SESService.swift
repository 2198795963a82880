import HostProcess
import HouseStatus
import Logging
import Monitoring
import ProgramLife
import SESConfiguration
import ServiceLifecycle
import Spool
import SpoolWatch
import Synchronization
import Workflows
import Workers

/// The work of one process on one spool: recovery and intake, until it is told to stop or nothing is left.
final class SESService: Service {
    let engine: Engine
    private let mode: Daemon.Mode
    private let watcher: SpoolWatcher?
    private let loops: [QueueLoop]
    private let statePost: StatePost
    private let watch: ServerWatch
    private let summaries: CopySummaries
    private let upkeep: JournalUpkeep
    private let threads: WorkerThreads
    private let log: Logger
    private let endsProcess: Bool
    /// Nil for a drain, which a service manager does not watch.
    private let notices: DaemonNotices?
    /// Unix seconds at which the last pass of a drain began.
    private let lastPass = Atomic(0)
    var board: HealthBoard { engine.board }

    /// The time that entries in work may take after the order to stop, before they are put back.
    private static let patience = Duration.seconds(5)
    /// After that the process ends whatever is under way: a disk that does not answer cannot be interrupted.
    private static let maximumEndTime = Duration.seconds(9)
    /// The time that one start of a message may take beside its calls to the signing server, before the watchdog counts
    /// it as hanging.
    private static let maximumWorkTime = Duration.seconds(1_800)
    /// The number of faults in a row that a drain waits out before it leaves the rest to the next run.
    private static let faultsInARow = 4

    /// - Parameters:
    ///   - record: The files of the configuration, for the status.
    ///   - endsProcess: True if the process ends with 75 a while after the order to stop, whatever is under
    ///   way.
    init(
        mode: Daemon.Mode, spool: Spool, watcher: SpoolWatcher?, configuration: InForce<LiveConfiguration>,
        copies: AdministratorCopies, clock: SpoolClock, threads: WorkerThreads,
        record: ConfigurationRecord = ConfigurationRecord([]), meter: SESMeter = SESMeter(), endsProcess: Bool = false,
        log: Logger
    ) {
        self.mode = mode
        self.endsProcess = endsProcess
        self.watcher = watcher
        self.threads = threads
        self.log = log
        let notices = mode == .watch ? DaemonNotices(log) : nil
        self.notices = notices
        let bell = WakeBell()
        engine = Engine(
            spool: spool, configuration: configuration, board: HealthBoard(changed: { bell.ring() }), meter: meter,
            clock: clock, log: log)
        statePost = StatePost(
            bell: bell, spool: spool, board: engine.board, gate: engine.gate, clock: clock, watches: watcher != nil,
            record: record, tally: meter.tally, notices: notices
        ) { configuration.current.client.states }
        watch = ServerWatch(configuration: configuration, log: log) { bell.ring() }
        summaries = CopySummaries(copies: copies, spool: spool, configuration: configuration, log: log)
        upkeep = JournalUpkeep(spool: spool, configuration: configuration, clock: clock, log: log)
        loops = engine.lanes.flatMap { [engine] lane in
            let own = lane.direction == .outgoing ? Queue.outgoing : .incoming
            let queues = mode == .sweep ? [.retry] : [own, .retry]
            return queues.map { queue in
                let bell = queue == .retry ? lane.retryBell : WakeBell()
                return QueueLoop(
                    queue: queue, lane: lane, engine: engine, bell: bell,
                    maximumDelay: { configuration.current.server.processing.retry.maximumDelay },
                    watched: notices?.watch("the loop over \(queue.rawValue), \(lane.direction)", ringing: bell))
            }
        }
        notices?.watch("the worker threads", threads)
        notices?.watch(engine.inHand, limit: { configuration.current.maximumAttempt * 2 + Self.maximumWorkTime })
    }

    /// Puts a new configuration in force for messages claimed later, and with it the number of messages processed at a
    /// time.
    func apply(_ configuration: LiveConfiguration) {
        engine.configuration.replace(with: configuration)
        // What a server refused may be right now; the next call shows it.
        engine.forgetRefusals()
        threads.grow(to: configuration.threads)
        for lane in engine.lanes { lane.resize(to: configuration.width) }
    }

    func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [statePost] in await statePost.run() }
            group.addTask { [summaries] in await summaries.run() }
            // It ends when it is cancelled, which the end of the others brings.
            let looking = Task { [watch] in await watch.run() }
            defer { looking.cancel() }
            if mode == .watch { group.addTask { [upkeep] in await upkeep.run() } }
            group.addTask { await self.work() }
            await group.next()
            statePost.end()
            summaries.end()
            upkeep.end()
            group.cancelAll()
        }
    }

    private func work() async {
        // Cancelling is for what is still in work when patience ends; an orderly stop only ends the intake.
        // A task of its own does not take over the preference of the one that makes it, so the threads are named again.
        let work = Task(executorPreference: threads) { [engine, mode] in
            await withTaskGroup(of: Void.self) { group in
                for lane in engine.lanes { group.addTask { await lane.work(by: engine) } }
                guard mode == .watch else { return }
                group.addTask {
                    repeat { _ = await engine.workSuspects() } while await engine.suspects.bell.wait(atMost: nil)
                }
            }
        }
        await withGracefulShutdownHandler {
            await Task(executorPreference: threads) { [engine] in engine.recover() }.value
            switch mode {
            case .watch:
                log.notice("watching", metadata: ["spool": "\(engine.spool.path)"])
                notices?.started()
                await watchUntilStopped()
            case .process, .sweep:
                let telling =
                    DrainProgress.isWanted
                    ? Task(executorPreference: threads) { [progress] in await progress.run() } : nil
                await drain()
                telling?.cancel()
                if !engine.isStopping { await Task(executorPreference: threads) { [upkeep] in upkeep.runOnce() }.value }
            }
            stopIntake()
            await OrderlyEnd.of(work, patience: Self.patience, log: log)
        } onGracefulShutdown: { [self] in
            notices?.stopping()
            stopIntake()
            if endsProcess { OrderlyEnd.endProcess(after: Self.maximumEndTime, log) }
        }
    }

    private var progress: DrainProgress {
        DrainProgress(spool: engine.spool, handled: { [engine] in engine.handledCount })
    }

    private func stopIntake() {
        upkeep.hurry()
        watcher?.stop()
        engine.gate.stop()
        engine.suspects.bell.silence()
        for lane in engine.lanes {
            lane.handoff.end()
            lane.leftovers.bell.silence()
            lane.serverReturn.end()
        }
        for loop in loops { loop.bell.silence() }
    }

    // MARK: - Watching

    private func watchUntilStopped() async {
        await withTaskGroup(of: Void.self) { group in
            for loop in loops { group.addTask { await loop.run() } }
            for lane in engine.lanes {
                group.addTask {
                    repeat { _ = lane.passLeftovers() } while await lane.leftovers.bell.wait(atMost: nil)
                }
            }
            for lane in engine.lanes {
                group.addTask { [engine] in
                    await lane.serverReturn.watch {
                        await engine.configuration.current.isServerAnswering(lane.direction)
                    } call: {
                        lane.retryBell.ring()
                    }
                }
            }
            group.addTask { [engine, loops] in
                await engine.gate.overcomeFaults(recover: { engine.recover() }) {
                    for loop in loops { loop.bell.ring() }
                }
            }
            let watched = notices?.watch("the watcher")
            group.addTask { [watcher, loops, engine, log] in
                guard let watcher else { return }
                var swept = ContinuousClock.now
                for await wake in watcher.wakes {
                    if wake.isTimer, ContinuousClock.now - swept >= LitterSweep.interval {
                        LitterSweep.run(on: engine.spool, log)
                        swept = .now
                    }
                    if wake.isNoteworthy { log.notice("\(wake)") }
                    for loop in loops where loop.queue != .retry || wake.isTimer || wake.isOrder { loop.bell.ring() }
                    if wake.isTimer { engine.gate.lookForLeftBehind() }
                    watched?.beat()
                }
            }
        }
    }

    // MARK: - Draining

    /// Passes over the queues until one pass finds nothing; waits for a bare file until it is known to be complete.
    private func drain() async {
        let lanes = engine.lanes.map { lane in
            LaneDrain(lane: lane, loops: loops.filter { $0.lane === lane })
        }
        while !engine.isStopping {
            if !engine.mayClaim {
                guard engine.gate.streak <= Self.faultsInARow else { return }
                // A drain does not wait for ever: what was put back is tried again with the first that is let in.
                engine.gate.waitNoMore()
                await engine.gate.waitOut { [engine] in engine.recover() }
                continue
            }
            let before = engine.handledCount
            lastPass.store(engine.clock.now(), ordering: .relaxed)
            let found = await withTaskGroup(of: Int.self) { group in
                for lane in lanes { group.addTask { await lane.pass() } }
                group.addTask { [engine] in await engine.workSuspects() }
                return await group.reduce(0, +)
            }
            if !engine.mayClaim || (found > 0 && engine.handledCount > before) { continue }
            // A bare file is waited for until it is known to be complete; a retry that is not yet due is not.
            guard let wait = lanes.compactMap(\.waitForStillness).min() else { return }
            guard await loops[0].bell.wait(atMost: wait) else { return }
        }
    }

    /// Returns the number of messages that a drain should have moved and did not.
    func leftoverCount() throws(SpoolError) -> Int {
        let queues: [Queue] = mode == .sweep ? [.retry] : [.outgoing, .incoming, .retry]
        return try engine.leftoverCount(in: queues, since: lastPass.load(ordering: .relaxed))
    }
}

/// The passes of a drain over the queues of one lane.
private final class LaneDrain: Sendable {
    private let lane: WorkLane
    private let loops: [QueueLoop]
    private let judges: Mutex<[StillnessJudge]>

    init(lane: WorkLane, loops: [QueueLoop]) {
        self.lane = lane
        self.loops = loops
        judges = Mutex([StillnessJudge](repeating: StillnessJudge(), count: loops.count))
    }

    /// Hands on what waits, and waits for its end.
    /// - Returns: The number of messages handed on.
    func pass() async -> Int {
        var found = lane.passLeftovers()
        var judges = judges.withLock { $0 }
        for (index, loop) in loops.enumerated() { found += loop.pass(&judges[index]) }
        let seen = judges
        self.judges.withLock { $0 = seen }
        await lane.handoff.untilIdle()
        return found
    }

    /// The time until a bare file can be known to be complete; nil if there is none.
    var waitForStillness: Duration? {
        let judges = judges.withLock { $0 }
        return zip(loops, judges).compactMap { $0.waitForStillness($1) }.min()
    }
}
