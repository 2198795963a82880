import Logging
import Monitoring
import Processing
import ProgramLife
import SESConfiguration
import Spool
import Workflows

/// Claims entries and brings each to its end: the one place where spool, processing and their faults meet.
final class Engine: Sendable {
    let spool: Spool
    let log: Logger
    let board: HealthBoard
    let configuration: InForce<LiveConfiguration>
    /// Closed while a local fault (a full disk, say) lets nothing be done.
    let gate: IntakeGate
    let meter: SESMeter
    let clock: SpoolClock
    let lanes: [WorkLane]
    /// Messages that may be what ended earlier starts, to be worked one after the other.
    let suspects = Leftovers()
    let claims: ClaimDesk
    /// The messages in work.
    let inHand = WorkInHand()

    init(
        spool: Spool, configuration: InForce<LiveConfiguration>, board: HealthBoard, meter: SESMeter = SESMeter(),
        clock: SpoolClock = .system, log: Logger
    ) {
        self.meter = meter
        self.spool = spool
        self.configuration = configuration
        self.board = board
        self.clock = clock
        self.log = log
        let width = configuration.current.width
        lanes = [Direction.outgoing, .incoming].map { WorkLane($0, width: width) }
        gate = IntakeGate(spool: spool, board: board, log: log, clock: clock)
        claims = ClaimDesk(spool: spool, gate: gate, board: board, log: log)
    }

    var mayClaim: Bool { gate.mayClaim }
    var isStopping: Bool { gate.isStopping }
    /// Entries brought to an end by this process.
    var handledCount: Int { claims.handledCount }

    func lane(of direction: Direction) -> WorkLane { direction == .outgoing ? lanes[0] : lanes[1] }

    // MARK: - One entry

    /// Takes up something that waits, and brings it to its end.
    /// - Parameter server: The lane of its signing server; nil for a message that is processed alone.
    func claim(_ waiting: Waiting, at server: ServerLane?) async {
        let key = waiting.key
        guard claims.admits(key) else { return postpone(waiting) }
        do {
            switch waiting {
            case .fresh(let candidate):
                let result = try spool.claim(candidate)
                if let transaction = claims.transaction(of: result, key) { await work(on: transaction, at: server) }
            case .left(let left): try await resume(left, server)
            }
        } catch {
            gate.postpone(key)
            gate.meet(error, about: "claiming a message")
        }
    }

    /// Postpones a message. A listing finds fresh ones again, and left ones only a recovery that is asked for.
    private func postpone(_ waiting: Waiting) {
        guard case .left(let left) = waiting, !isStopping else { return }
        gate.postpone(left.entry)
    }

    private func resume(_ left: LeftEntry, _ server: ServerLane?) async throws(SpoolError) {
        let (recovered, report) = try spool.resume(left)
        gate.tell(report)
        switch recovered {
        case nil: return
        case .work(let transaction): await work(on: transaction, at: server)
        case .poison(let transaction): isolate(transaction)
        }
    }

    /// Brings a claimed entry to its end; whatever happens, it is in one place afterwards.
    func work(on transaction: Transaction, at server: ServerLane?) async {
        let number = inHand.begin()
        defer { inHand.end(number) }
        let run = makeRun(transaction, server)
        do {
            let ending = try await run.toEnd()
            claims.countHandled()
            gate.succeeded(transaction.entry)
            if case .deferred(_, let due) = ending { lane(of: transaction.origin.direction).addRetry(due: due) }
            note(run.account, transaction.origin)
            meter.ended(run, transaction.origin.direction)
        } catch {
            interrupted(transaction, error)
        }
    }

    private func makeRun(_ transaction: Transaction, _ server: ServerLane?) -> EntryRun {
        EntryRun(
            transaction: transaction, configuration: configuration.current, server: server, spool: spool, gate: gate,
            log: log)
    }

    // MARK: - Recovery

    /// Repairs what an earlier process left, and hands on what is to be worked again. It talks to no server.
    func recover() {
        do {
            let recovery = try spool.makeRecovery(leaving: gate.mustWait)
            let found = try recovery.repair()
            gate.tell(recovery.report)
            suspects.add(found.filter { $0.isSuspect || $0.isPoison })
            for lane in lanes {
                lane.leftovers.add(
                    found.filter { !$0.isSuspect && !$0.isPoison && $0.origin.direction == lane.direction })
            }
        } catch {
            gate.meet(error, about: "recovery")
        }
    }

    /// Works the suspects that are known, one after the other.
    /// - Returns: The number of messages processed.
    func workSuspects() async -> Int {
        var count = 0
        while !isStopping, let left = suspects.pop() {
            count += 1
            await claim(.left(left), at: nil)
        }
        return count
    }

    /// Hands a message that ended three starts to the administrator unparsed, so that the rest of the queue continues.
    private func isolate(_ transaction: Transaction) {
        let run = makeRun(transaction, nil)
        do {
            _ = try run.isolate()
            claims.countHandled()
            meter.ended(run, transaction.origin.direction)
            gate.succeeded(transaction.entry)
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
        let subject = Self.subject(of: origin.direction)
        let lane = lane(of: origin.direction)
        if account.hasServerResult {
            board.lift(subject)
            // What waited for it need not wait any more.
            if lane.serverReturn.noteAnswer(now: clock.now()) { lane.retryBell.ring() }
        }
        guard let failure = account.failure else { return }
        if failure.serverIsAway { lane.serverReturn.noteAway() }
        if failure.pointsAtConfiguration {
            board.raise(subject, .serverRefuses, failure.summary)
        } else {
            board.note(failure.summary)
        }
    }

    private static func subject(of direction: Direction) -> String {
        switch direction {
        case .outgoing: "server for outgoing"
        case .incoming: "server for incoming"
        }
    }

    /// Lifts the refusals of signing servers, because another configuration is in force.
    func forgetRefusals() {
        for lane in lanes { board.lift(Self.subject(of: lane.direction)) }
    }

    // MARK: - What is left

    /// Returns the number of messages that should have been taken and still wait: all except retries that were not due
    /// at `then`, and later arrivals.
    /// - Parameters:
    ///   - queues: Those that were to be emptied.
    ///   - then: Unix seconds at which they were last looked through.
    func leftoverCount(in queues: [Queue], since then: Int) throws(SpoolError) -> Int {
        var count = try spool.forsakenCount()
        let longest = configuration.current.server.processing.retry.maximumDelay
        // What came in the same second may have been seen: times of files are told in whole seconds here.
        for queue in queues {
            count += try spool.waiting(in: queue, since: then + 1, maximumDelay: longest).count
        }
        return count
    }
}
