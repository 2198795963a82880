import DequeModule
import Logging
import ProgramLife
import Delivery
import Spool
import Synchronization

/// Claims messages and brings each to where it stands next.
final class RelayEngine: Sendable {
    /// Something that waits and may be claimed.
    enum Waiting: Sendable {
        case fresh(Candidate)
        case deferred(DeferredEntry)

        /// Its place and name.
        var key: String {
            switch self {
            case .fresh(let candidate): candidate.key
            case .deferred(let entry): "deferred/\(entry.name)"
            }
        }
    }

    let spool: Spool
    let log: Logger
    let board: HealthBoard
    let gate: IntakeGate
    let settings: InForce<RelaySettings>
    let lanes: LaneBoard
    let agenda = Agenda<Duration, DeferredEntry>()
    /// Rung when something was deferred.
    let deferredBell = WakeBell()
    let clock: SpoolClock
    let counters: RelayCounters
    /// Unix seconds.
    let started: Int
    private let context: RelayContext
    private let claims: ClaimDesk
    /// Files that other programs or persons have put where this one sends from.
    let strangers: StrangerDesk
    /// Unix seconds at which the deferred messages were last looked through for those that are due.
    private let lastPass = Atomic(0)
    /// Messages deferred only because their destinations were busy. A delivery that ends there takes up the next.
    private let parked = Mutex<[Destination: Deque<DeferredEntry>]>([:])

    init(
        spool: Spool, settings: InForce<RelaySettings>, board: HealthBoard, lanes: LaneBoard, counters: RelayCounters,
        clock: SpoolClock, random: SpoolRandom = .system, log: Logger
    ) {
        self.spool = spool
        self.settings = settings
        self.board = board
        self.lanes = lanes
        self.counters = counters
        started = clock.now()
        self.clock = clock
        self.log = log
        let gate = IntakeGate(spool: spool, board: board, log: log, clock: clock)
        self.gate = gate
        strangers = StrangerDesk(spool: spool, clock: clock)
        claims = ClaimDesk(spool: spool, gate: gate, board: board, log: log)
        context = RelayContext(
            spool: spool, lanes: lanes, counters: counters, clock: clock, random: random, solitude: Solitude(),
            gate: gate, log: log)
    }

    var handledCount: Int { claims.handledCount }

    // MARK: - One message

    /// Brings something that waits to where it stands next, and then those for whom that has made room.
    func claim(_ waiting: Waiting) {
        var next: Waiting? = waiting
        var known: [Destination] = []
        while let waiting = next {
            let (served, busy) = claimOne(waiting)
            for destination in served where !known.contains(destination) { known.append(destination) }
            // A delivery under way there takes up messages that were put aside; if there is none any more, this one
            // does.
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
    private func claimOne(_ waiting: Waiting) -> (served: [Destination], busy: Destination?) {
        let key = waiting.key
        guard claims.admits(key) else {
            postpone(waiting)
            return ([], nil)
        }
        do {
            let result: ClaimResult =
                switch waiting {
                case .fresh(let candidate): try spool.claim(candidate)
                case .deferred(let entry): try spool.claim(entry)
                }
            if let transaction = claims.transaction(of: result, key) { return work(on: transaction) }
        } catch {
            gate.postpone(key)
            postpone(waiting)
            gate.meet(error, about: "claiming a message")
        }
        return ([], nil)
    }

    /// Has a message that was taken off the agenda and not claimed looked at again soon. A listing finds fresh ones
    /// again.
    private func postpone(_ waiting: Waiting) {
        guard case .deferred(let entry) = waiting, !gate.isStopping else { return }
        agenda.add(entry, due: clock.monotonic() + .seconds(2))
    }

    @discardableResult
    func work(on transaction: Transaction) -> (served: [Destination], busy: Destination?) {
        var busy: Destination?
        let round = lanes.round
        let run = RelayEntryRun(transaction, settings.current, round: round, context)
        do {
            switch try run.toEnd() {
            case .sent, .failed: break
            case .stopped:
                gate.putBack(transaction)
                return (run.served, nil)
            case .waits(let entry, let fullOne):
                busy = fullOne
                if let busy { parked.withLock { $0[busy, default: []].append(entry) } }
                schedule(entry)
            }
            claims.countHandled()
            gate.succeeded(transaction.entry)
        } catch {
            gate.putBack(transaction, after: error)
        }
        return (run.served, busy)
    }

    // MARK: - Recovery

    /// Repairs what processes that ended have left. It makes no connection: messages to be processed take the way of
    /// all deferred mail.
    func recover() {
        do {
            let recovery = try spool.makeRecovery(leaving: gate.mustWait)
            for entry in try recovery.repair() where gate.mayClaim && !gate.isStopping {
                do throws(SpoolError) {
                    try resume(entry, by: recovery)
                } catch {
                    gate.postpone(entry.entry)
                    gate.meet(error, about: "recovery")
                }
            }
            gate.tell(recovery.report)
        } catch {
            gate.meet(error, about: "recovery")
        }
    }

    private func resume(_ entry: LeftEntry, by recovery: Recovery) throws(SpoolError) {
        guard entry.isPoison else {
            if let deferred = try recovery.putAside(entry) { schedule(deferred) }
            return
        }
        switch try recovery.resume(entry) {
        case nil: return
        case .poison(let transaction): isolate(transaction)
        case .work(let transaction):
            schedule(
                try transaction.setAside(
                    attempts: transaction.attempts, due: clock.now(), interrupted: max(0, transaction.starts - 1)))
        }
    }

    /// Puts away a message that ended three starts unparsed, so that the rest of the queue continues.
    private func isolate(_ transaction: Transaction) {
        let voice = EntryVoice(transaction, context)
        let isolation = EntryIsolation(
            transaction: transaction, settings: settings.current, context: context, voice: voice)
        do {
            let ending = try isolation.run(because: "three starts had no end: the message was not examined")
            claims.countHandled()
            gate.succeeded(transaction.entry)
            guard case .failed(let file, let reason) = ending else { return }
            board.note("failed/\(file.name): \(reason)")
            log.error("failed", metadata: ["entry": "\(file.name.unique.entry)", "reason": "\(reason)"])
        } catch {
            gate.putBack(transaction, after: error)
        }
    }

    // MARK: - What waits

    /// Lists one folder to its end and hands on what stands there.
    /// - Returns: The number of messages handed on.
    func pass(_ queue: Queue, _ hand: (Waiting) -> Bool) -> Int {
        var handed = 0
        let begin = clock.monotonic()
        func handOn(_ candidate: Candidate, _ key: String) throws(SpoolError) -> Bool {
            guard !gate.mustWait(key) else { return true }
            handed += 1
            return hand(.fresh(candidate))
        }
        func judge(_ stranger: Candidate) throws(SpoolError) -> String? {
            switch try strangers.judge(stranger) {
            case .unfit(let reason): return reason
            case .waits: return nil
            case .fit(let candidate):
                _ = try handOn(candidate, candidate.key)
                return nil
            }
        }
        if claims.list(queue, judgeForeign: judge, handOn) { strangers.forget(queue, notSeenSince: begin) }
        return handed
    }

    /// Returns the number of messages that should have been taken and still wait: all except those that are not yet
    /// due.
    func leftoverCount() throws(SpoolError) -> Int {
        var count = try spool.forsakenCount()
        for queue in [Queue.delivered, .admin] {
            let left = try spool.forEachWaiting(in: queue) { (_) throws(SpoolError) in
                count += 1
                return true
            }
            count += left.count { !$0.isForeign }
        }
        // Messages that became due since belong to the next run, and whole seconds make a message wait up to one more.
        let then = lastPass.load(ordering: .relaxed) - 1
        _ = try spool.forEachDeferred { (entry) throws(SpoolError) in
            if isDue(entry, at: then) { count += 1 }
            return true
        }
        return count
    }

    private func isDue(_ entry: DeferredEntry, at now: Int) -> Bool {
        entry.due <= now || entry.due - now > settings.current.maximumWait
    }

    /// The time a deferred message has to wait from now.
    private func delay(of entry: DeferredEntry) -> Duration {
        let now = clock.now()
        // Further ahead than any delay could have set it: the clock jumped.
        return isDue(entry, at: now) ? .zero : .seconds(entry.due - now)
    }

    private func schedule(_ entry: DeferredEntry) {
        agenda.add(entry, due: clock.monotonic() + delay(of: entry))
        deferredBell.ring()
    }

    /// Reads the folder of deferred messages anew.
    func listDeferred() {
        var found: [Agenda<Duration, DeferredEntry>.Entry] = []
        let now = clock.monotonic()
        agenda.beginListing()
        let isWhole = claims.list("deferred") { (seen) throws(SpoolError) in
            let left = try spool.forEachDeferred { (entry) throws(SpoolError) in
                found.append(.init(due: now + delay(of: entry), item: entry))
                seen.insert(Waiting.deferred(entry).key)
                return true
            }
            return (left, true)
        }
        if isWhole { agenda.replace(with: found) }
    }

    /// Hands on what is due.
    func passDeferred(_ hand: (Waiting) -> Bool) -> Int {
        var handed = 0
        lastPass.store(clock.now(), ordering: .relaxed)
        while gate.mayClaim, !gate.isStopping, let entry = agenda.popDue(at: clock.monotonic()) {
            guard hand(.deferred(entry)) else { break }
            handed += 1
        }
        return handed
    }
}
