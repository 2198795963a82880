import Logging
import ProgramLife
import SESConfiguration
import ServiceLifecycle
import Spool
import SpoolWatch

/// The work of one process on one spool: recovery, then intake until it is told to stop or nothing is left.
final class GatewayService: Service {
    let board: HealthBoard
    private let mode: Daemon.Mode
    private let watcher: SpoolWatcher?
    private let engine: Engine
    private let handoff: Handoff<Candidate>
    private let loops: [QueueLoop]
    private let statePost: StatePost
    private let summaries: CopySummaries
    private let crew: WorkerCrew
    private let threads: WorkerThreads
    private let log: Logger
    /// How long what is in work may take after the order to stop, before it is put back.
    private static let patience: Duration = .seconds(20)

    init(
        mode: Daemon.Mode, spool: Spool, watcher: SpoolWatcher?, configuration: ActiveConfiguration,
        copies: AdministratorCopies, clock: SpoolClock, threads: WorkerThreads, log: Logger
    ) {
        self.mode = mode
        self.watcher = watcher
        let width = configuration.current.width
        crew = WorkerCrew(width: width)
        self.threads = threads
        self.log = log
        let post = StatePost(
            spool: spool, configuration: configuration, clock: clock, watches: watcher != nil)
        statePost = post
        summaries = CopySummaries(copies: copies, spool: spool, configuration: configuration, log: log)
        let board = HealthBoard(changed: { post.bell.ring() })
        self.board = board
        let retryBell = WakeBell()
        let engine = Engine(
            spool: spool, configuration: configuration, board: board, agenda: RetryAgenda(bell: retryBell), log: log)
        self.engine = engine
        let handoff = Handoff<Candidate>(ahead: width * 2)
        self.handoff = handoff
        let queues: [Queue] = mode == .sweep ? [.retry] : [.outgoing, .incoming, .retry]
        loops = queues.map { queue in
            QueueLoop(
                queue: queue, engine: engine, handoff: handoff, bell: queue == .retry ? retryBell : WakeBell(),
                clock: clock, longestDelay: { configuration.current.server.processing.retry.longestDelay })
        }
    }

    /// Puts a new configuration in force for messages claimed later, and with it the number of messages worked on at a time.
    func apply(_ configuration: LiveConfiguration) {
        engine.configuration.replace(with: configuration)
        threads.grow(to: configuration.threads)
        crew.resize(to: configuration.width)
    }

    func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [statePost, board] in await statePost.run(board) }
            group.addTask { [summaries] in await summaries.run() }
            group.addTask {
                await self.recover()
                await self.intake()
            }
            await group.next()
            statePost.end()
            summaries.end()
            group.cancelAll()
        }
    }

    private func recover() async {
        let recovery = Task(executorPreference: threads) { [engine] in await engine.recover() }
        await withGracefulShutdownHandler {
            await end(of: recovery)
        } onGracefulShutdown: { [engine] in
            engine.stop()
        }
        if mode == .watch { log.notice("watching", metadata: ["spool": "\(engine.spool.path)"]) }
    }

    private func intake() async {
        // Cancelling is for what is still in work when patience ends; an orderly stop only ends the intake.
        // A task of its own does not take over the preference of the one that makes it, so the threads are named again.
        let work = Task(executorPreference: threads) { [engine, handoff, crew] in
            await crew.work {
                guard let candidate = await handoff.take() else { return false }
                await engine.take(candidate)
                handoff.finished()
                return true
            }
        }
        await withGracefulShutdownHandler {
            switch mode {
            case .watch: await watchUntilStopped()
            case .process, .sweep:
                let telling =
                    DrainProgress.isWanted
                    ? Task(executorPreference: threads) { [progress] in await progress.run() } : nil
                await drain()
                telling?.cancel()
            }
            handoff.end()
            await end(of: work)
        } onGracefulShutdown: { [self] in
            stopIntake()
        }
    }

    private var progress: DrainProgress {
        DrainProgress(spool: engine.spool, handled: { [engine] in engine.handledCount })
    }

    private func stopIntake() {
        watcher?.stop()
        handoff.end()
        engine.stop()
        for loop in loops { loop.bell.silence() }
    }

    private func end(of work: Task<Void, Never>) async {
        await OrderlyEnd.of(work, patience: Self.patience, log: log)
    }

    // MARK: - Watching

    private func watchUntilStopped() async {
        await withTaskGroup(of: Void.self) { group in
            for loop in loops { group.addTask { await loop.run() } }
            group.addTask { [engine, loops] in
                await engine.overcomeFaults { for loop in loops { loop.bell.ring() } }
            }
            group.addTask { [watcher, loops, engine, log] in
                guard let watcher else { return }
                var swept = ContinuousClock.now
                for await wake in watcher.wakes {
                    if wake.isTimer, ContinuousClock.now - swept >= LitterSweep.interval {
                        LitterSweep.run(on: engine.spool, log)
                        swept = .now
                    }
                    if wake.isNoteworthy { log.notice("\(wake)") }
                    for loop in loops where loop.queue != .retry || wake.isTimer { loop.bell.ring() }
                    if wake.isTimer { engine.lookForLeftBehind() }
                }
            }
        }
    }

    // MARK: - Draining

    /// Passes over the queues until one finds nothing any more; a bare file is waited for until it is known to be complete.
    private func drain() async {
        var judges = [StillnessJudge](repeating: StillnessJudge(), count: loops.count)
        while !engine.isStopping {
            let before = engine.handledCount
            var found = 0
            for (index, loop) in loops.enumerated() { found += loop.pass(&judges[index]) }
            await handoff.untilIdle()
            guard engine.mayClaim else { return }
            if found > 0 && engine.handledCount > before { continue }
            // A bare file is waited for until it is known to be complete; a retry that is not yet due is not.
            guard let wait = zip(loops, judges).compactMap({ $0.waitForStillness($1) }).min() else { return }
            guard await loops[0].bell.wait(atMost: wait) else { return }
        }
    }
}
