import JournalIndex
import Logging
import ProgramLife
import SESConfiguration
import Spool
import Synchronization

/// Keeps the journals and their indexes, and ends the time of copies that nobody decided about.
///
/// All of it explains and decides nothing about mail that is under way: a fault is logged and stops nothing.
final class JournalUpkeep: Sendable {
    private let spool: Spool
    private let configuration: InForce<LiveConfiguration>
    private let clock: SpoolClock
    private let log: Logger
    private let bell = WakeBell()
    private let isEnding = Atomic(false)

    /// So old an index is at most: whoever asks adds the rest.
    private static let indexInterval: Duration = .seconds(60)
    /// The number of these intervals after which retention is looked at.
    private static let retentionTurns = 60

    init(spool: Spool, configuration: InForce<LiveConfiguration>, clock: SpoolClock, log: Logger) {
        self.spool = spool
        self.configuration = configuration
        self.clock = clock
        self.log = log
    }

    /// Runs until it is told to end.
    func run() async {
        var turn = 0
        repeat {
            if turn % Self.retentionTurns == 0 { keep() }
            turn += 1
            updateIndexes()
        } while await bell.wait(atMost: Self.indexInterval)
    }

    func end() {
        hurry()
        bell.silence()
    }

    /// Ends what is under way as soon as that leaves everything whole.
    func hurry() { isEnding.store(true, ordering: .relaxed) }

    /// Does once what a daemon does again and again.
    func runOnce() {
        keep()
        updateIndexes(least: Self.leastAddition)
    }

    /// Octets of the journal that are worth an update by a program that ends soon.
    private static let leastAddition = 1 << 20

    private var keeper: JournalKeeper {
        let settings = configuration.current.server.processing
        return JournalKeeper(
            spool: spool.path, days: settings.journalDays, maximumOctets: settings.journalMaxSize)
    }

    /// Brings the indexes up to date.
    private func updateIndexes(least: Int = 1) {
        let troubles = keeper.updateIndexes(least: least) { isEnding.load(ordering: .relaxed) }
        for trouble in troubles.prefix(1) {
            log.debug("an index of the journal is not up to date", metadata: ["error": "\(trouble)"])
        }
    }

    /// Removes and compresses what is due.
    private func keep() {
        let account = keeper.keep(now: clock.now()) { isEnding.load(ordering: .relaxed) }
        for (day, reason) in account.removed.sorted(by: { $0.key < $1.key }) {
            log.notice("journal removed", metadata: ["day": "\(day)", "reason": "\(reason)"])
        }
        if !account.compressed.isEmpty {
            log.info("journals compressed", metadata: ["names": "\(account.compressed.joined(separator: ", "))"])
        }
        for trouble in account.troubles { log.warning("a journal is not kept", metadata: ["error": "\(trouble)"]) }
        removeCopies()
    }

    private func removeCopies() {
        let days = configuration.current.server.processing.heldCopyDays
        do throws(SpoolError) {
            try spool.removeToldCopies(olderThan: days * 86_400) { message in
                let entry = message.entry
                log.notice(
                    "held copy removed",
                    metadata: [
                        "entry": "\(entry.map { "\($0)" } ?? "")", "reason": "older than \(days) days (HeldCopyDays)",
                    ])
                guard let entry else { return }
                let event = JournalEvent(
                    .removed, entry: entry, reason: "nobody decided about it for \(days) days (HeldCopyDays)")
                if let error = spool.journal.append(event) {
                    log.warning("journal not written", metadata: ["error": "\(error)"])
                }
            }
        } catch {
            log.warning("held copies are not removed", metadata: ["error": "\(error)"])
        }
    }
}
