import DequeModule
import Logging
import ProgramLife
import Relaying
import Spool
import Synchronization

/// Claims messages and brings each to where it stands next.
final class RelayEngine: Sendable {
    /// Something that waits and may be claimed.
    enum Waiting: Sendable {
        case fresh(Candidate)
        case deferred(DeferredEntry)
    }

    let spool: Spool
    let log: Logger
    let board: HealthBoard
    let gate: IntakeGate
    let settings: ActiveSettings
    let lanes: LaneBoard
    let counters: RelayCounters
    let agenda: DeferredAgenda
    /// Rung when something was deferred.
    let deferredBell: WakeBell
    let clock: SpoolClock
    private let random: SpoolRandom
    private let handled = Atomic(0)
    /// Deferred only because their destinations were busy. Whoever is through with one there takes up the next.
    private let parked = Mutex<[Destination: Deque<DeferredEntry>]>([:])

    init(
        spool: Spool, settings: ActiveSettings, board: HealthBoard, lanes: LaneBoard, counters: RelayCounters,
        clock: SpoolClock, random: SpoolRandom = .system, log: Logger
    ) {
        self.spool = spool
        self.settings = settings
        self.board = board
        self.lanes = lanes
        self.counters = counters
        self.clock = clock
        self.random = random
        self.log = log
        gate = IntakeGate(spool: spool, board: board, log: log)
        agenda = DeferredAgenda()
        deferredBell = WakeBell()
    }

    var handledCount: Int { handled.load(ordering: .relaxed) }

    /// Brings something that waits to where it stands next, and then those for whom that has made room.
    func take(_ waiting: Waiting) {
        var next: Waiting? = waiting
        var known: [Destination] = []
        while let waiting = next {
            let (served, busy) = takeOne(waiting)
            for destination in served where !known.contains(destination) { known.append(destination) }
            // Somebody who is under way there takes up what was put aside; where nobody is any more, that is us.
            if let busy {
                known.removeAll { $0 == busy }
                if lanes.isIdle(busy) { known.append(busy) }
            }
            next = popParked(known).map { .deferred($0) }
        }
    }

    /// The first that was put aside for one of `destinations`.
    private func popParked(_ destinations: [Destination]) -> DeferredEntry? {
        parked.withLock { parked in
            for destination in destinations {
                guard let entry = parked[destination]?.popFirst() else { continue }
                if parked[destination]?.isEmpty == true { parked[destination] = nil }
                return entry
            }
            return nil
        }
    }

    /// - Returns: The destinations that were served, and the one that was too busy.
    private func takeOne(_ waiting: Waiting) -> (served: [Destination], busy: Destination?) {
        guard gate.mayClaim, !gate.isStopping else { return ([], nil) }
        let name: String
        do {
            let result: ClaimResult
            switch waiting {
            case .fresh(let candidate):
                name = "\(candidate.queue.rawValue)/\(candidate.name)"
                result = try spool.claim(candidate)
            case .deferred(let entry):
                name = "deferred/\(entry.name)"
                result = try spool.claim(entry)
            }
            switch result {
            case .taken: break
            case .left(let reason): board.raise("left \(name)", "\(name) was left where it is: \(reason)")
            case .corrupt(let reason):
                handled.add(1, ordering: .relaxed)
                board.raise("corrupt", "failed/ holds what cannot be a message: \(reason)")
                log.error("moved to failed", metadata: ["file": "\(name)", "reason": "\(reason)"])
            case .claimed(let transaction): return work(on: transaction)
            }
        } catch {
            gate.meet(error, about: "claiming a message")
        }
        return ([], nil)
    }

    @discardableResult
    func work(on transaction: Transaction) -> (served: [Destination], busy: Destination?) {
        var busy: Destination?
        let round = lanes.round
        let run = RelayEntryRun(
            transaction, settings.current, spool: spool, lanes: lanes, round: round, counters: counters, clock: clock,
            random: random, log: log, isStopping: { [gate] in gate.isStopping })
        do {
            if case .waits(let entry, let fullOne) = try run.toEnd() {
                busy = fullOne
                if let busy { parked.withLock { $0[busy, default: []].append(entry) } }
                agenda.add(entry)
                deferredBell.ring()
            }
            handled.add(1, ordering: .relaxed)
        } catch {
            gate.putBack(transaction, after: error)
        }
        return (run.served, busy)
    }

    /// Goes on in place with what an earlier process left, one entry at a time.
    func recover() {
        do {
            let recovery = try spool.makeRecovery()
            while gate.mayClaim, !gate.isStopping, let recovered = try recovery.next() {
                switch recovered {
                case .work(let transaction): work(on: transaction)
                case .poison(let transaction): isolate(transaction)
                }
            }
            gate.tell(recovery.report)
        } catch {
            gate.meet(error, about: "recovery")
        }
    }

    /// A message that ended three starts is put away unparsed, so that the rest of the queue goes on.
    private func isolate(_ transaction: Transaction) {
        do {
            let reason = "three starts had no end: the message was not looked into"
            spool.journal.append(JournalEvent(.failed, entry: transaction.entry, reason: reason))
            let file = try transaction.block()
            handled.add(1, ordering: .relaxed)
            board.raise("isolated", "failed/\(file.name): \(reason); it may have gone to some of its recipients")
            log.error("failed", metadata: ["entry": "\(file.name.unique.entry)", "reason": "\(reason)"])
        } catch {
            gate.putBack(transaction, after: error)
        }
    }

    // MARK: - What waits

    /// Lists one folder to its end and hands on what stands there.
    /// - Returns: How many.
    func pass(_ queue: Queue, _ hand: (Waiting) -> Bool) -> Int {
        var handed = 0
        do {
            let left = try spool.forEachWaiting(in: queue) { (candidate) throws(SpoolError) in
                guard gate.mayClaim, !gate.isStopping else { return false }
                handed += 1
                return hand(.fresh(candidate))
            }
            report(left, "left in \(queue.rawValue)")
            board.lift("listing \(queue.rawValue)")
        } catch {
            gate.meet(error, about: "listing \(queue.rawValue)")
            board.raise("listing \(queue.rawValue)", error.description)
        }
        return handed
    }

    /// Reads the folder of deferred messages anew.
    func listDeferred() {
        var entries: [DeferredEntry] = []
        let longest = settings.current.patience.lifetime
        let now = clock.now()
        do {
            let left = try spool.forEachDeferred { (entry) throws(SpoolError) in
                // Further ahead than any delay could have set it: the clock jumped.
                entries.append(entry.due - now > longest ? entry.dueAtOnce : entry)
                return true
            }
            agenda.replace(with: entries)
            report(left, "left in deferred")
            board.lift("listing deferred")
        } catch {
            gate.meet(error, about: "listing deferred")
            board.raise("listing deferred", error.description)
        }
    }

    /// Hands on what is due.
    func passDeferred(_ hand: (Waiting) -> Bool) -> Int {
        var handed = 0
        while gate.mayClaim, !gate.isStopping, let entry = agenda.popDue(at: clock.now()) {
            guard hand(.deferred(entry)) else { break }
            handed += 1
        }
        return handed
    }

    private func report(_ left: [LeftInPlace], _ subject: String) {
        guard let first = left.first else { return board.lift(subject) }
        let more = left.count > 1 ? " (and \(left.count - 1) more)" : ""
        board.raise(subject, "\(first.path) was left where it is: \(first.reason)\(more)")
    }
}
