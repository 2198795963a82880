import HostProcess
import Logging
import ProgramLife
import ServiceLifecycle
import Spool
import SpoolWatch
import Synchronization
import Workers

/// The work of one relay on one spool: recovery, then intake until it is told to stop or nothing is left.
final class RelayService: Service {
    private let isDaemon: Bool
    private let watcher: SpoolWatcher?
    private let engine: RelayEngine
    private let post: StatePost
    private let watch: NextHopWatch
    private let handoff: Handoff<RelayEngine.Waiting>
    private let bell = WakeBell()
    private let tidyBell = WakeBell()
    private let crew: WorkerCrew
    private let threads: WorkerThreads
    private let log: Logger
    /// Nil for a drain, which a service manager does not watch.
    private let notices: DaemonNotices?
    private let watchedFresh: Watchdog.Part?
    private let watchedDeferred: Watchdog.Part?
    /// True after an operator's order, until the folder of deferred messages is read anew.
    private let isRelistingWanted = Atomic(false)
    /// The time that deliveries under way may take after the order to stop, before their waiting is ended.
    private static let patience: Duration = .seconds(5)
    /// After that the program ends whatever is under way: a disk that does not answer cannot be interrupted.
    private static let maximumEndTime: Duration = .seconds(9)
    /// The interval at which the folder of deferred messages is read anew while nothing asks for it.
    private static let relisting = Duration.seconds(300)

    init(
        isDaemon: Bool, watcher: SpoolWatcher?, engine: RelayEngine, post: StatePost, threads: WorkerThreads,
        notices: DaemonNotices? = nil, log: Logger
    ) {
        self.isDaemon = isDaemon
        self.watcher = watcher
        self.engine = engine
        self.post = post
        watch = NextHopWatch(engine: engine, log: log)
        self.threads = threads
        self.log = log
        self.notices = notices
        watchedFresh = notices?.watch("the loop over delivered and admin", ringing: bell)
        watchedDeferred = notices?.watch("the loop over deferred messages", ringing: engine.deferredBell)
        notices?.watch("the worker threads", threads)
        let width = engine.settings.current.workers
        crew = WorkerCrew(width: width)
        handoff = Handoff(ahead: width * 2)
    }

    /// Puts new settings in force, for messages claimed later, and with them how many go at a time.
    func apply(_ settings: RelaySettings) {
        engine.settings.replace(with: settings).transport.tidy(all: true)
        threads.grow(to: settings.threads)
        crew.resize(to: settings.workers)
        // An attempt that waits for a turn waits under the former limits. Its message is set aside and due at once,
        // under the new ones.
        engine.lanes.forgetTroubles()
        engine.lanes.sendAwayWaiting()
    }

    func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [post] in await post.run() }
            group.addTask {
                await self.recover()
                await self.intake()
            }
            await group.next()
            post.end()
            group.cancelAll()
        }
        engine.settings.current.transport.tidy(all: true)
    }

    /// The number of faults in a row that a drain waits out before it leaves the rest to the next run.
    private static let faultsInARow = 4

    private func recover() async {
        let recovery = Task(executorPreference: threads) { [engine] in engine.recover() }
        await withGracefulShutdownHandler {
            await end(of: recovery)
        } onGracefulShutdown: { [self] in
            stopIntake()
        }
        guard isDaemon else { return }
        log.notice("watching", metadata: ["spool": "\(engine.spool.path)"])
        if !engine.gate.isStopping { notices?.started() }
    }

    private func intake() async {
        // A task of its own does not take over the preference of the one that makes it, so the threads are named again.
        let work = Task(executorPreference: threads) { [engine, handoff, crew] in
            await crew.work {
                guard let waiting = await handoff.next() else { return false }
                engine.claim(waiting)
                handoff.finished()
                return true
            }
        }
        await withGracefulShutdownHandler {
            if isDaemon { await watchUntilStopped() } else { await drain() }
            handoff.end()
            await end(of: work)
        } onGracefulShutdown: { [self] in
            stopIntake()
        }
    }

    private func stopIntake() {
        notices?.stopping()
        watcher?.stop()
        handoff.end()
        engine.gate.stop()
        engine.lanes.stop()
        bell.silence()
        tidyBell.silence()
        watch.bell.silence()
        engine.deferredBell.silence()
    }

    private func end(of work: Task<Void, Never>) async {
        await OrderlyEnd.of(work, patience: Self.patience, log: log, atTheLatest: Self.maximumEndTime) { [engine] in
            engine.settings.current.transport.interrupt()
        }
    }

    // MARK: - Watching

    private func watchUntilStopped() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.passFresh() }
            group.addTask { await self.passDeferred() }
            group.addTask { [engine, bell] in
                await engine.gate.overcomeFaults(recover: { engine.recover() }) {
                    bell.ring()
                    engine.deferredBell.ring()
                }
            }
            group.addTask { [engine, tidyBell] in
                // Apart from the others: servers may take their time to say goodbye.
                while await tidyBell.wait(atMost: nil) { engine.settings.current.transport.tidy() }
            }
            group.addTask { [watch] in await watch.run() }
            group.addTask { [self] in
                guard let watcher else { return }
                let watched = notices?.watch("the watcher")
                for await wake in watcher.wakes {
                    watched?.beat()
                    if wake.isNoteworthy { log.notice("\(wake)") }
                    bell.ring()
                    if wake.isOrder {
                        engine.lanes.permitTrials()
                        isRelistingWanted.store(true, ordering: .releasing)
                        engine.deferredBell.ring()
                    }
                    if wake.isTimer {
                        engine.gate.lookForLeftBehind()
                        tidyBell.ring()
                    }
                }
            }
        }
    }

    private func passFresh() async {
        repeat {
            for queue in [Queue.delivered, .admin] where engine.gate.mayClaim {
                _ = engine.pass(queue) { put($0, watchedFresh) }
            }
            watchedFresh?.beat()
        } while await bell.wait(atMost: engine.strangers.nextLook)
    }

    private func passDeferred() async {
        var listed: Duration?
        repeat {
            watchedDeferred?.beat()
            guard engine.gate.mayClaim else { continue }
            let now = engine.clock.monotonic()
            let isWanted = isRelistingWanted.exchange(false, ordering: .acquiringAndReleasing)
            if isWanted || listed.map({ now - $0 >= Self.relisting }) ?? true {
                engine.listDeferred()
                listed = now
            }
            _ = engine.passDeferred { put($0, watchedDeferred) }
        } while await engine.deferredBell.wait(atMost: wait)
    }

    /// Hands on a message; waiting for a worker is no hanging, because a delivery may take long.
    private func put(_ waiting: RelayEngine.Waiting, _ watched: Watchdog.Part?) -> Bool {
        guard let watched else { return handoff.put(waiting) }
        return watched.excused { handoff.put(waiting) }
    }

    /// The time until something is due, at most until the folder is read anew, and never less than a moment. During a
    /// pause of the intake only its end rings.
    private var wait: Duration {
        guard engine.gate.mayClaim, let due = engine.agenda.next else { return Self.relisting }
        return min(max(.milliseconds(50), due - engine.clock.monotonic()), Self.relisting)
    }

    // MARK: - Draining

    /// Passes until only messages wait that are not yet due.
    private func drain() async {
        engine.listDeferred()
        while !engine.gate.isStopping {
            if !engine.gate.mayClaim {
                guard engine.gate.streak <= Self.faultsInARow else { return }
                await engine.gate.waitOut { [engine] in engine.recover() }
                engine.listDeferred()
                continue
            }
            let before = engine.handledCount
            var found = 0
            for queue in [Queue.delivered, .admin] { found += engine.pass(queue) { handoff.put($0) } }
            found += engine.passDeferred { handoff.put($0) }
            await handoff.untilIdle()
            guard found > 0, engine.handledCount > before else {
                guard engine.gate.mayClaim else { continue }
                // A file that another program put here is waited for until it is known to be complete.
                guard let wait = engine.strangers.nextLook, await bell.wait(atMost: wait) else { return }
                continue
            }
        }
    }
}
