import HostProcess
import Glibc
package import Logging
import Monitoring
package import Spool
import Synchronization

/// The gate that decides whether a program may claim messages now. It pauses for a fault of this machine (a full disk,
/// for example), longer each time until something succeeds again, and closes permanently when the program is told to
/// stop.
///
/// An entry that a fault interrupted is put back and tried again after a growing delay of its own. Time is that of the
/// monotonic clock.
package final class IntakeGate: Sendable {
    private struct State {
        /// Until when nothing is claimed; nil while the gate is open.
        var pausedUntil: Duration?
        /// Faults since something succeeded.
        var streak = 0
        var lastFault: Duration?
        var lastFaultText = ""
        /// After a pause, one claim at a time is let in until something succeeds.
        var nextTrial: Duration?
        /// Until when the postponed was looked for.
        var lookedUntil = Duration.zero
        /// Something may wait that was not let in.
        var owesLook = false
        /// Faults that hold up no mail, by what they are about: when each was met last.
        var passing: [String: Duration] = [:]
        /// The findings of recoveries that make the status unhealthy.
        var findings = RecoveryFindings()
    }

    private let spool: Spool
    private let log: Logger
    private let board: HealthBoard
    private let clock: SpoolClock
    package let faults: FaultLog
    private let state = Mutex(State())
    private let postponed = Postponements()
    /// Set if an entry may stand in `work/` or `publish/` on which no process works.
    private let hasLeftBehind = Atomic(false)
    private let stopping = Atomic(false)
    private let bell = WakeBell()

    private static let firstPause = Duration.milliseconds(250)
    private static let maximumPause = Duration.seconds(4)
    /// The time without a fault after which it is taken for gone, where nothing that was postponed can tell.
    private static let quiet = Duration.seconds(6)
    private static let trialInterval = Duration.milliseconds(250)
    private static let subject = "local"
    /// The journal, in ``note(_:about:)``: it is tried before its fault is taken for gone.
    package static let journal = "the journal"

    package init(spool: Spool, board: HealthBoard, log: Logger, clock: SpoolClock = .system) {
        self.spool = spool
        self.board = board
        self.log = log
        self.clock = clock
        faults = FaultLog(log: log, clock: clock)
    }

    package var mayClaim: Bool { state.withLock { $0.pausedUntil == nil } }
    package var isStopping: Bool { stopping.load(ordering: .acquiring) }
    /// True if a fault of this machine was met that is not known to be gone.
    package var isTroubled: Bool { state.withLock { $0.lastFault != nil } }
    /// Faults since something succeeded.
    package var streak: Int { state.withLock { $0.streak } }
    /// The number of things that a fault has postponed and that have not been completed since.
    package var postponedCount: Int { postponed.count }

    /// Asks to claim one more. After a pause only one at a time is let in, so that a fault that lasts costs little.
    package func admit() -> Bool {
        guard !isStopping else { return false }
        let now = clock.monotonic()
        return state.withLock { state in
            guard state.pausedUntil == nil else { return false }
            guard let trial = state.nextTrial else { return true }
            guard now >= trial else {
                state.owesLook = true
                return false
            }
            state.nextTrial = now + Self.trialInterval
            return true
        }
    }

    // MARK: - Faults

    /// Handles a fault of this machine, which pauses intake. A failed directory fsync ends the process before anything
    /// more is published.
    package func meet(_ error: SpoolError, about subject: String) {
        if error.isFatal {
            log.error("spool fault", metadata: ["about": "\(subject)", "error": "\(error.description)"])
            Console.writeError("\(log.label): \(error.description)")
            exit(ExitStatus.inputOutput.rawValue)
        }
        faults.tell("spool fault", error, about: subject)
        note(error.description, pauses: error.isLocalFault)
    }

    private func note(_ text: String, pauses: Bool) {
        let now = clock.monotonic()
        state.withLock { state in
            state.lastFault = now
            state.lastFaultText = text
            state.owesLook = true
            // Those that were under way together when the fault came are one fault.
            if pauses, state.pausedUntil == nil {
                state.nextTrial = nil
                state.streak += 1
                state.pausedUntil = now + Self.pause(afterFaults: state.streak)
            }
        }
        raise()
        bell.ring()
    }

    static func pause(afterFaults count: Int) -> Duration {
        min(maximumPause, firstPause * (1 << min(max(count, 1) - 1, 10)))
    }

    private func raise() {
        let text = state.withLock { $0.lastFaultText }
        let count = postponed.count
        let more =
            count == 0 ? "" : "; \(count) \(count == 1 ? "message waits" : "messages wait") for another try"
        board.raise(Self.subject, .machineFault, "a fault of this machine holds up mail: \(text)\(more)")
    }

    /// Tells of a fault that holds up no mail; it makes the status unhealthy until it has not come for a while.
    package func note(_ error: SpoolError, about subject: String) {
        faults.tell("\(subject) cannot be written", error, about: subject, level: .warning)
        let now = clock.monotonic()
        let isNew = state.withLock { $0.passing.updateValue(now, forKey: subject) == nil }
        let code: StatusCode = subject == Self.journal ? .journalUnwritable : .machineFault
        board.raise(subject, code, "\(subject) cannot be written: \(error.description)")
        if isNew { bell.ring() }
    }

    private func liftPassing() {
        let now = clock.monotonic()
        let gone = state.withLock { state in
            let gone = state.passing.filter { now - $0.value >= Self.quiet }.map(\.key)
            for subject in gone { state.passing[subject] = nil }
            return gone
        }
        for subject in gone {
            if subject == Self.journal, let error = spool.journal.tryWriting() {
                note(error, about: subject)
            } else {
                board.lift(subject)
            }
        }
    }

    /// Settles what an error has left of an entry. The error costs it no start: only a process that died does.
    package func putBack(_ transaction: Transaction, after error: SpoolError) {
        if error.isFatal {
            transaction.abandon()
        } else {
            postponed.add(transaction.entry.digits, now: clock.monotonic())
            putBack(transaction)
        }
        meet(error, about: "entry \(transaction.entry)")
        bell.ring()
    }

    /// Puts an entry back. The start does not count, because an orderly stop or a fault is not the message's doing. A
    /// committed entry stays committed, for recovery to publish.
    package func putBack(_ transaction: Transaction) {
        if transaction.isCommitted { return transaction.abandon() }
        do {
            try transaction.rollBackStart()
        } catch {
            meet(error, about: "entry \(transaction.entry)")
        }
    }

    /// Has something that could not be claimed wait before it is tried again.
    /// - Parameter key: Its place and name.
    package func postpone(_ key: String) {
        postponed.add(key, now: clock.monotonic())
        bell.ring()
    }
    package func postpone(_ entry: EntryID) { postpone(entry.digits) }
    package func mustWait(_ key: String) -> Bool { postponed.mustWait(key, now: clock.monotonic()) }
    /// Returns true if recovery has to leave an entry for now.
    package func mustWait(_ entry: EntryID) -> Bool { mustWait(entry.digits) }
    /// Returns true if the entry was put back after a fault of this process.
    package func wasPutBack(_ entry: EntryID) -> Bool { postponed.contains(entry.digits) }

    /// Something came to its end: `entry`, and with it what had been postponed under `key`.
    package func succeeded(_ entry: EntryID, key: String? = nil) {
        postponed.remove(entry.digits)
        if let key { postponed.remove(key) }
        let wasTroubled = state.withLock { state in
            state.streak = 0
            state.nextTrial = nil
            return state.lastFault != nil
        }
        if wasTroubled { liftWhereOver(afterSuccess: true) }
    }

    /// Has postponed work tried as soon as the intake resumes.
    package func waitNoMore() { postponed.makeDue(now: clock.monotonic()) }

    /// It was not there any more.
    package func forget(_ key: String) { postponed.remove(key) }

    private func liftWhereOver(afterSuccess: Bool) {
        let now = clock.monotonic()
        postponed.prune(now: now)
        let isOver = state.withLock { state in
            guard state.pausedUntil == nil, let last = state.lastFault, postponed.count == 0,
                afterSuccess || now - last >= Self.quiet
            else { return false }
            state.lastFault = nil
            state.streak = 0
            state.nextTrial = nil
            return true
        }
        guard isOver else { return }
        board.lift(Self.subject)
        log.notice("the fault of this machine is gone")
        // Candidates that were not admitted during the trial may be claimed now.
        bell.ring()
    }

    /// Tells what a recovery found.
    package func tell(_ report: RecoveryReport) {
        var hasEnded = false
        let (new, reasons) = state.withLock { state in (state.findings.merge(report), state.findings.reasons) }
        for finding in report.findings where finding.state != .busy {
            let isOurs = finding.entry.map(wasPutBack) ?? false
            let isKnown = report.unhealthy.contains(finding) && !new.contains(finding)
            log.log(
                level: new.contains(finding) ? .critical : isOurs || isKnown ? .debug : .notice, "recovered",
                metadata: ["state": "\(finding.state.rawValue)", "path": "\(finding.path)", "what": "\(finding.text)"])
            if isOurs, finding.state != .claimed, let entry = finding.entry {
                postponed.remove(entry.digits)
                hasEnded = true
            }
        }
        if hasEnded { liftWhereOver(afterSuccess: true) }
        for (subject, reason) in reasons {
            if let reason {
                board.raise(subject, reason.code, reason.text, path: reason.path)
            } else {
                board.lift(subject)
            }
        }
        for warning in report.warnings {
            faults.tell("journal not written", warning, about: "recovery", level: .warning)
        }
        for fault in report.faults { meet(fault, about: "recovery") }
    }

    // MARK: - Stopping and going on

    /// Claims nothing more; what is in work is finished.
    package func stop() {
        stopping.store(true, ordering: .releasing)
        bell.silence()
    }

    /// Has recovery look again: a process that died meanwhile may have left an entry.
    package func lookForLeftBehind() {
        hasLeftBehind.store(true, ordering: .releasing)
        bell.ring()
    }

    /// Runs until the order to stop. After a fault it tries from time to time whether the fault is gone, and recovery
    /// takes up what was put back as it becomes due.
    /// - Parameter resumed: Called when there may be something to claim again.
    package func overcomeFaults(recover: @Sendable () async -> Void, _ resumed: @Sendable () -> Void) async {
        while await bell.wait(atMost: nextLook()) {
            let now = clock.monotonic()
            let (pausedUntil, looked) = state.withLock { state in
                defer { if state.pausedUntil == nil { state.lookedUntil = now } }
                return (state.pausedUntil, state.lookedUntil)
            }
            liftPassing()
            if let pausedUntil {
                // A ring does not end a pause.
                guard now >= pausedUntil else { continue }
                await tryAgain(recover: recover)
                if mayClaim { resumed() }
                continue
            }
            let isDue = postponed.hasBecomeDue(after: looked, until: now)
            if hasLeftBehind.exchange(false, ordering: .acquiringAndReleasing) || isDue { await recover() }
            liftWhereOver(afterSuccess: false)
            let owesLook = state.withLock { state in
                defer { if state.lastFault == nil { state.owesLook = false } }
                return state.owesLook
            }
            if isDue || owesLook { resumed() }
        }
    }

    /// The time until something has to be done without a ring; nil when there is no limit.
    private func nextLook() -> Duration? {
        let now = clock.monotonic()
        let due = postponed.next(after: now)
        let at: Duration? = state.withLock { state in
            if let until = state.pausedUntil { return until }
            guard state.lastFault != nil || !state.passing.isEmpty else { return due }
            // While it is not known whether the fault is gone.
            return min(due ?? .seconds(Int64.max >> 8), now + .seconds(1))
        }
        return at.map { max(.milliseconds(10), $0 - now) }
    }

    /// Waits for the end of a pause and tries whether the fault is gone, for a program that does not run for ever.
    package func waitOut(recover: @Sendable () async -> Void) async {
        while !isStopping, let until = state.withLock({ $0.pausedUntil }) {
            let left = until - clock.monotonic()
            if left <= .zero { return await tryAgain(recover: recover) }
            guard await bell.wait(atMost: left) else { return }
        }
    }

    /// Tries whether a local fault is gone: recovery takes up what was put back, and stops again at the first fault.
    package func tryAgain(recover: @Sendable () async -> Void) async {
        do {
            _ = try spool.probe()
        } catch {
            if error.isFatal { return meet(error, about: "the probe of the spool") }
            faults.tell("spool fault", error, about: "the probe of the spool")
            let now = clock.monotonic()
            state.withLock { state in
                state.lastFault = now
                state.lastFaultText = error.description
                state.streak += 1
                state.pausedUntil = now + Self.pause(afterFaults: state.streak)
            }
            return raise()
        }
        let now = clock.monotonic()
        state.withLock { state in
            state.pausedUntil = nil
            state.nextTrial = now
            state.lookedUntil = now
        }
        await recover()
        raiseAgain()
    }

    /// The count of what waits has changed.
    private func raiseAgain() {
        if isTroubled { raise() }
    }
}
