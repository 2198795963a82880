import Foundation
package import Logging
package import Spool
import Synchronization

/// Whether a program may take in anything now: it stops for a local fault (a full disk, say) until that is gone, and for good
/// when it is told to stop.
package final class IntakeGate: Sendable {
    private let spool: Spool
    private let log: Logger
    private let board: HealthBoard
    private let isPaused = Atomic(false)
    /// Set when an entry was left in `work/` or `publish/` for recovery, although nothing stops the intake.
    private let hasLeftBehind = Atomic(false)
    private let stopping = Atomic(false)
    private let pauseBell = WakeBell()

    package init(spool: Spool, board: HealthBoard, log: Logger) {
        self.spool = spool
        self.board = board
        self.log = log
    }

    package var mayClaim: Bool { !isPaused.load(ordering: .acquiring) }
    package var isStopping: Bool { stopping.load(ordering: .acquiring) }

    // MARK: - Faults

    /// A local fault stops intake until it is gone; a failed directory fsync ends the process before anything more is published.
    package func meet(_ error: SpoolError, about subject: String) {
        log.error("spool fault", metadata: ["about": "\(subject)", "error": "\(error.description)"])
        if error.isFatal {
            Console.writeError("\(log.label): \(error.description)")
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

    /// Settles what an error has left of an entry: a local fault costs it no start, anything else is for recovery.
    package func putBack(_ transaction: Transaction, after error: SpoolError) {
        if error.isLocalFault && !error.isFatal {
            putBack(transaction)
        } else {
            transaction.abandon()
            lookForLeftBehind()
        }
        meet(error, about: "entry \(transaction.entry)")
    }

    /// The start did not count: an orderly stop or a local fault is not the message's doing. What is committed stays so, for
    /// recovery to publish.
    package func putBack(_ transaction: Transaction) {
        if transaction.isCommitted { return transaction.abandon() }
        do {
            try transaction.rollBackStart()
        } catch {
            meet(error, about: "entry \(transaction.entry)")
        }
    }

    /// Tells what a recovery found.
    package func tell(_ report: RecoveryReport) {
        for finding in report.findings where finding.state != .busy {
            log.log(
                level: report.unhealthy.contains(finding) ? .critical : .notice, "recovered",
                metadata: ["state": "\(finding.state.rawValue)", "path": "\(finding.path)", "what": "\(finding.text)"])
        }
        for finding in report.unhealthy {
            board.raise("recovery \(finding.path)", "\(finding.path) (\(finding.state.rawValue)): \(finding.text)")
        }
    }

    // MARK: - Stopping and going on

    /// Claims nothing more; what is in work is finished.
    package func stop() {
        stopping.store(true, ordering: .releasing)
        pauseBell.silence()
    }

    /// Has recovery look again: an entry may be left that nobody works on, by a fault or by a process that died meanwhile.
    package func lookForLeftBehind() {
        hasLeftBehind.store(true, ordering: .releasing)
        pauseBell.ring()
    }

    /// Runs until the order to stop: after a local fault, tries from time to time whether it is gone.
    /// - Parameter resumed: Called when it is.
    package func overcomeFaults(recover: @Sendable () async -> Void, _ resumed: @Sendable () -> Void) async {
        var interval: Duration?
        while await pauseBell.wait(atMost: interval) {
            if !mayClaim {
                await tryAgain(recover: recover)
                if mayClaim { resumed() }
            } else if hasLeftBehind.exchange(false, ordering: .acquiringAndReleasing) {
                await recover()
            }
            interval = mayClaim ? nil : .seconds(5)
        }
    }

    /// Tries whether a local fault is gone: recovery takes up what was put back, and stops again at the first fault.
    package func tryAgain(recover: @Sendable () async -> Void) async {
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
