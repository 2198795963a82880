import Foundation
import Logging
import Processing
import ProgramLife
import Spool
import Synchronization

/// Claims entries and brings each to its end: the one place where spool, processing and their faults meet.
final class Engine: Sendable {
    let spool: Spool
    let log: Logger
    let board: HealthBoard
    let configuration: ActiveConfiguration
    let agenda: RetryAgenda
    /// Set while a local fault (a full disk, say) lets nothing be done.
    private let isPaused = Atomic(false)
    private let handled = Atomic(0)
    /// Set when an entry was left in `work/` or `publish/` for recovery, although nothing stops the intake.
    private let hasLeftBehind = Atomic(false)
    private let stopping = Atomic(false)
    private let pauseBell = WakeBell()

    init(
        spool: Spool, configuration: ActiveConfiguration, board: HealthBoard, agenda: RetryAgenda, log: Logger
    ) {
        self.spool = spool
        self.configuration = configuration
        self.board = board
        self.agenda = agenda
        self.log = log
    }

    var mayClaim: Bool { !isPaused.load(ordering: .acquiring) }
    /// Entries brought to an end by this process.
    var handledCount: Int { handled.load(ordering: .relaxed) }

    // MARK: - One entry

    func take(_ candidate: Candidate) async {
        guard mayClaim else { return }
        do {
            switch try spool.claim(candidate) {
            case .taken: return
            case .left(let reason):
                board.raise(
                    "left \(candidate.name)", "\(candidate.name) was left in \(candidate.queue.rawValue): \(reason)")
            case .corrupt(let reason):
                handled.add(1, ordering: .relaxed)
                board.raise("corrupt", "corrupt/ holds what cannot be a message: \(reason)")
                log.error("moved to corrupt", metadata: ["file": "\(candidate.name)", "reason": "\(reason)"])
            case .claimed(let transaction):
                await work(on: transaction)
            }
        } catch {
            meet(error, about: "claiming \(candidate.name)")
        }
    }

    /// Brings a claimed entry to its end; whatever happens, it is in one place afterwards.
    func work(on transaction: Transaction) async {
        let run = EntryRun(transaction: transaction, configuration: configuration.current, spool: spool, log: log)
        do {
            let ending = try await run.toEnd()
            handled.add(1, ordering: .relaxed)
            if case .deferred(_, let due) = ending { agenda.add(due: due) }
            note(run.account, transaction.origin)
        } catch {
            interrupted(transaction, error)
        }
    }

    /// The start did not count: an orderly stop or a local fault is not the message's doing. What is committed stays so, for recovery to publish.
    private func putBack(_ transaction: Transaction) {
        if transaction.isCommitted { return transaction.abandon() }
        do {
            try transaction.rollBackStart()
        } catch {
            meet(error, about: "entry \(transaction.entry)")
        }
    }

    // MARK: - Recovery

    /// Goes on in place with what an earlier process left, one entry at a time.
    func recover() async {
        do {
            let recovery = try spool.makeRecovery()
            while mayClaim, !isStopping, let recovered = try recovery.next() {
                switch recovered {
                case .work(let transaction): await work(on: transaction)
                case .poison(let transaction): isolate(transaction)
                }
            }
            tell(recovery.report)
        } catch {
            meet(error, about: "recovery")
        }
    }

    private func tell(_ report: RecoveryReport) {
        for finding in report.findings where finding.state != .busy {
            log.log(
                level: report.unhealthy.contains(finding) ? .critical : .notice, "recovered",
                metadata: ["state": "\(finding.state.rawValue)", "path": "\(finding.path)", "what": "\(finding.text)"])
        }
        for finding in report.unhealthy {
            board.raise("recovery \(finding.path)", "\(finding.path) (\(finding.state.rawValue)): \(finding.text)")
        }
    }

    /// A message that ended three starts goes to the administrator unparsed, so that the rest of the queue goes on.
    private func isolate(_ transaction: Transaction) {
        let run = EntryRun(transaction: transaction, configuration: configuration.current, spool: spool, log: log)
        do {
            _ = try run.isolate()
            handled.add(1, ordering: .relaxed)
            board.note(run.account.reason)
        } catch {
            interrupted(transaction, error)
        }
    }

    private func interrupted(_ transaction: Transaction, _ interruption: EntryRun.Interruption) {
        switch interruption {
        case .stopped, .tooLarge: putBack(transaction)
        case .spool(let error):
            if error.isLocalFault && !error.isFatal {
                putBack(transaction)
            } else {
                transaction.abandon()
                lookForLeftBehind()
            }
            meet(error, about: "entry \(transaction.entry)")
        }
    }

    /// A refusal that points at our own configuration stays visible until a call succeeds again.
    private func note(_ account: Outcome.Account, _ origin: Origin) {
        // Signing and verifying have addresses of their own.
        let subject =
            switch origin {
            case .outgoing: "server for outgoing"
            case .incoming: "server for incoming"
            }
        if account.hasServerResult { board.lift(subject) }
        guard let failure = account.failure else { return }
        if failure.pointsAtConfiguration { board.raise(subject, failure.summary) } else { board.note(failure.summary) }
    }

    // MARK: - Faults

    /// A local fault stops intake until it is gone; a failed directory fsync ends the process before anything more is published.
    func meet(_ error: SpoolError, about subject: String) {
        log.error("spool fault", metadata: ["about": "\(subject)", "error": "\(error.description)"])
        if error.isFatal {
            Console.writeError("ses: \(error.description)")
            exit(ExitStatus.inputOutput.rawValue)
        }
        if error.isLocalFault {
            board.raise("local", "intake stopped: \(error.description)")
            isPaused.store(true, ordering: .releasing)
            pauseBell.ring()
        } else {
            board.note(error.description)
        }
    }

    // MARK: - Stopping

    /// Claims nothing more; what is in work is finished.
    func stop() {
        stopping.store(true, ordering: .releasing)
        pauseBell.silence()
    }

    var isStopping: Bool { stopping.load(ordering: .acquiring) }

    /// Runs until the order to stop: after a local fault, tries from time to time whether it is gone.
    ///
    /// - Parameter resumed: Called when it is.
    func overcomeFaults(_ resumed: @Sendable () -> Void) async {
        var interval: Duration?
        while await pauseBell.wait(atMost: interval) {
            if !mayClaim {
                await tryAgain()
                if mayClaim { resumed() }
            } else if hasLeftBehind.exchange(false, ordering: .acquiringAndReleasing) {
                await recover()
            }
            interval = mayClaim ? nil : .seconds(5)
        }
    }

    /// Has recovery look again: an entry may be left that nobody works on, by a fault or by a process that died meanwhile.
    func lookForLeftBehind() {
        hasLeftBehind.store(true, ordering: .releasing)
        pauseBell.ring()
    }

    /// Tries whether a local fault is gone: recovery takes up what was put back, and stops again at the first fault.
    func tryAgain() async {
        isPaused.store(false, ordering: .releasing)
        do {
            _ = try spool.probe()
        } catch {
            isPaused.store(true, ordering: .releasing)
            board.note(error.description)
            return
        }
        await recover()
        if mayClaim { board.lift("local") }
    }
}
