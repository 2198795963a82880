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
    /// Closed while a local fault (a full disk, say) lets nothing be done.
    let gate: IntakeGate
    private let handled = Atomic(0)

    init(
        spool: Spool, configuration: ActiveConfiguration, board: HealthBoard, agenda: RetryAgenda, log: Logger
    ) {
        self.spool = spool
        self.configuration = configuration
        self.board = board
        self.agenda = agenda
        self.log = log
        gate = IntakeGate(spool: spool, board: board, log: log)
    }

    var mayClaim: Bool { gate.mayClaim }
    var isStopping: Bool { gate.isStopping }
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
            gate.succeeded(transaction.entry)
            if case .deferred(_, let due) = ending { agenda.add(due: due) }
            note(run.account, transaction.origin)
        } catch {
            interrupted(transaction, error)
        }
    }

    // MARK: - Recovery

    /// Goes on in place with what an earlier process left, one entry at a time.
    func recover() async {
        do {
            let recovery = try spool.makeRecovery(leaving: gate.mustWait)
            while mayClaim, !isStopping, let recovered = try recovery.next() {
                switch recovered {
                case .work(let transaction): await work(on: transaction)
                case .poison(let transaction): isolate(transaction)
                }
            }
            gate.tell(recovery.report)
        } catch {
            meet(error, about: "recovery")
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
        case .stopped, .tooLarge: gate.putBack(transaction)
        case .spool(let error): gate.putBack(transaction, after: error)
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

    // MARK: - Faults and stopping

    func meet(_ error: SpoolError, about subject: String) { gate.meet(error, about: subject) }

    func stop() { gate.stop() }

    func lookForLeftBehind() { gate.lookForLeftBehind() }

    func overcomeFaults(_ resumed: @Sendable () -> Void) async {
        await gate.overcomeFaults(recover: { await self.recover() }, resumed)
    }

    func tryAgain() async {
        gate.waitNoMore()
        await gate.tryAgain { await self.recover() }
    }
}
