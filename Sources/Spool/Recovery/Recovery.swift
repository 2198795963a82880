import Glibc

/// The findings of a recovery in `work/` and `publish/`, and its actions.
public struct RecoveryReport: Sendable, Hashable {
    /// S0 is what waits; the others as in `spool-layout/README.md`.
    public enum State: String, Sendable, Hashable, CaseIterable {
        case made = "S1"
        case claimed = "S2"
        case leftByRetry = "S3"
        /// S4 and S5 cannot be told apart, and need not be.
        case committed = "S4/S5"
        case published = "S6"
        case cleaned = "S7"
        case withoutMessage = "S8"
        case inBoth = "S9"
        case foreign = "S10"
        case busy = "S11"
    }

    public struct Finding: Sendable, Hashable {
        public let state: State
        public let path: String
        /// The action, or the reason why there was none.
        public let text: String
        /// The entry concerned; nil for a foreign file.
        public let entry: EntryID?
    }

    public internal(set) var findings: [Finding] = []
    /// True if every entry was looked at, so that an entry without a finding is not there.
    public internal(set) var isWhole = false

    /// States that cannot come about by themselves: somebody must look.
    public var alarms: [Finding] { findings.filter { [.withoutMessage, .inBoth].contains($0.state) } }
    /// The findings that make the status unhealthy.
    public var unhealthy: [Finding] { findings.filter { [.withoutMessage, .inBoth, .foreign].contains($0.state) } }
    /// Lines that the journal did not take.
    public internal(set) var warnings: [SpoolError] = []
    /// Faults of the machine that kept single entries from being repaired; they are as they were, for a later recovery.
    public internal(set) var faults: [SpoolError] = []
}

/// A message that a process left in `work/`, tidied, waiting to be worked again by ``Recovery/resume(_:)``.
public struct LeftEntry: Sendable, Hashable {
    public let entry: EntryID
    public let origin: Origin
    /// Starts that had no end.
    public let starts: Int
    let name: FileName

    /// True if it has to be put away without being processed, because three starts had no end.
    public var isPoison: Bool { starts >= Recovery.maximumStarts }

    /// True if it must be processed alone, because it may have ended the program: two starts had no end.
    ///
    /// An entry that was interrupted once is processed beside others, so that a peer that hangs for one message holds
    /// up no other. A message that was only under way beside the culprit gets here at most, and is processed to its end
    /// while the culprit waits.
    public var isSuspect: Bool { starts >= 2 }
}

/// An entry that a process left behind, to be completed before anything new is claimed.
public enum Recovered: Sendable {
    /// Work it, alone: its start is counted, and nothing else may be running that could be blamed for its crash.
    case work(Transaction)
    /// It was started three times without an end. Put it away, and parse nothing of the message.
    case poison(Transaction)
}

/// Repairs what processes of this program left behind, and hands out the messages that are to be worked again.
///
/// Suspects (``LeftEntry/isSuspect``) are to be processed one after the other, so that only the culprit of a crash is
/// counted. Nothing is ever put back to where it waited.
public final class Recovery {
    /// Starts without an end after which a message is not parsed any more.
    static let maximumStarts = 3
    /// Faults after which a recovery ends: each entry would meet the same.
    private static let maximumFaults = 8

    private let spool: Spool
    /// Entries that are to be left for now.
    private let isLeft: (EntryID) -> Bool
    private var toPublish: [FileName]
    private var toWork: [FileName]
    public private(set) var report = RecoveryReport()

    init(_ spool: Spool, leaving isLeft: @escaping (EntryID) -> Bool) throws(SpoolError) {
        self.spool = spool
        self.isLeft = isLeft
        toPublish = try spool.publish.directory.names().filter { !$0.hasPrefix(".") }.reversed()
        toWork = try spool.work.names().filter { !$0.hasPrefix(".") }.reversed()
    }

    /// One that looks at nothing by itself, to resume single entries.
    fileprivate init(_ spool: Spool) {
        self.spool = spool
        isLeft = { _ in false }
        (toPublish, toWork) = ([], [])
    }

    /// Repairs everything that requires no processing: publishes committed outputs, removes left-overs. It makes no
    /// network connection and processes no message, so it ends soon, whatever a message or a peer does.
    ///
    /// An entry that a fault of the machine keeps from being repaired is passed over and reported in `report.faults`.
    /// - Returns: The messages to be worked, the oldest first; none of them is locked or counted yet.
    /// - Throws: ``SpoolError`` that is fatal.
    public func repair() throws(SpoolError) -> [LeftEntry] {
        while let name = toPublish.popLast() {
            try passingOverFaults { () throws(SpoolError) in try recoverPublish(name) }
        }
        var left: [LeftEntry] = []
        while let name = toWork.popLast() {
            try passingOverFaults { () throws(SpoolError) in
                guard let transaction = try tidy(name) else { return }
                left.append(
                    LeftEntry(
                        entry: transaction.entry, origin: transaction.origin, starts: transaction.starts, name: name))
                transaction.abandon()
            }
        }
        report.isWhole = report.faults.isEmpty
        return left.sorted { $0.name.description < $1.name.description }
    }

    private func passingOverFaults(_ step: () throws(SpoolError) -> Void) throws(SpoolError) {
        do throws(SpoolError) { try step() } catch { try goOn(after: error) }
    }

    /// Moves a message of the relay that ``repair()`` found to where deferred messages wait, due at once. No start is
    /// counted, because nothing was tried.
    /// - Returns: nil when it is gone, another process has it, or it was put away.
    /// - Throws: ``SpoolError`` if the entry cannot be moved; it then stays for a later recovery.
    public func putAside(_ left: LeftEntry) throws(SpoolError) -> DeferredEntry? {
        guard let transaction = try tidy(left.name) else { return nil }
        let isForgiven = spool.consumeForgiveness(transaction.place.name)
        let interrupted = max(0, transaction.starts - (isForgiven ? 1 : 0))
        do throws(SpoolError) {
            journal(transaction.place, .claimed)
            let entry = try transaction.setAside(
                attempts: transaction.attempts, due: spool.clock.now(), interrupted: interrupted)
            note(.claimed, transaction.place, "put aside, to be tried at once")
            return entry
        } catch {
            if isForgiven { spool.forgive(transaction.place.name) }
            throw error
        }
    }

    /// Takes up a message that ``repair()`` found, and counts the start.
    /// - Returns: nil when it is gone, another process has it, or it was put away.
    /// - Throws: ``SpoolError`` if the start cannot be counted; the entry then stays for a later recovery.
    public func resume(_ left: LeftEntry) throws(SpoolError) -> Recovered? { try resume(left.name) }

    /// Goes on to the next entry that needs work; what needs none is finished on the way.
    /// - Returns: nil at the end.
    /// - Throws: ``SpoolError`` if it cannot continue; a fault of one entry alone is in the report.
    public func next() throws(SpoolError) -> Recovered? {
        while let name = toPublish.popLast() {
            do throws(SpoolError) { try recoverPublish(name) } catch { try goOn(after: error) }
        }
        while let name = toWork.popLast() {
            do throws(SpoolError) {
                if let recovered = try resume(name) { return recovered }
            } catch {
                try goOn(after: error)
            }
        }
        return nil
    }

    private func goOn(after error: SpoolError) throws(SpoolError) {
        guard !error.isFatal, report.faults.count < Self.maximumFaults else { throw error }
        report.faults.append(error)
    }

    // MARK: publish/

    private func recoverPublish(_ name: FileName) throws(SpoolError) {
        guard let found = try lock(name, in: spool.publish.directory) else { return }
        let twin = try lockTwin(of: found.place)
        if found.outputs.isEmpty && found.message == nil {
            note(.cleaned, found.place, "removed")
            if found.hasLedger { try found.place.directory.unlink(DeliveryLedger.name) }
            try spool.publish.directory.removeDirectory(found.place.name)
        } else {
            let state: RecoveryReport.State =
                found.message == nil ? .withoutMessage : found.outputs.isEmpty ? .published : .committed
            note(state, found.place, state == .published ? "cleaned up" : "publishing goes on")
            let transaction = Transaction(
                spool, queue: nil, found.place, name: found.message?.name ?? TransactionFile.messageName(NameFacts()),
                facts: found.message?.facts ?? NameFacts())
            transaction.stage = .committed
            transaction.outputs = found.outputs
            transaction.syncsAllFolders = true
            journal(found.place, state, to: found.outputs)
            try removeScratch(found)
            let publish = try spool.publish
            try spool.durability.sync(publish.group, of: publish.directory)
            try transaction.publish()
        }
        if let twin { try resolveTwin(twin) }
    }

    /// Returns the directory of the same name under `work/`. It should not exist, because names are never used twice
    /// and the commit is a rename.
    private func lockTwin(of place: Workplace) throws(SpoolError) -> Found? {
        guard try spool.work.status(place.name) != nil else { return nil }
        let name = FileName(place.name)
        toWork.removeAll { $0 == name }
        return try lock(name, in: spool.work)
    }

    /// `publish` counts. A message that is in `work` too is put into `blocked`, so that it is not sent twice.
    private func resolveTwin(_ twin: Found) throws(SpoolError) {
        try removeScratch(twin)
        let transaction = makeTransaction(twin)
        if twin.message != nil {
            let blocked = try transaction.block()
            note(
                .inBoth, twin.place,
                "publish was followed, the message in work stands in \(blocked.folder.rawValue) as \(blocked.name)")
        } else {
            try transaction.finish()
            note(.inBoth, twin.place, "publish was followed, what stood in work was removed")
        }
    }

    // MARK: work/

    /// Tidies one directory of `work/` and puts away what cannot be a message.
    /// - Returns: The entry, locked, whose message is to be worked; nil when there is nothing to work.
    private func tidy(_ name: FileName) throws(SpoolError) -> Transaction? {
        guard let found = try lock(name, in: spool.work) else { return nil }
        guard let message = found.message else {
            let isBare = found.outputs.isEmpty && found.scratch.isEmpty && !found.hasLedger
            let state: RecoveryReport.State = isBare ? .made : .leftByRetry
            note(state, found.place, "removed")
            try removeScratch(found)
            try makeTransaction(found).finish()
            return nil
        }
        guard message.facts.origin != nil else {
            note(.foreign, found.place, "the name of its message does not say where it came from; left untouched")
            return nil
        }
        try removeScratch(found)
        let transaction = makeTransaction(found)
        try transaction.publishReleased()
        try transaction.removeOutputs()
        if let reason = try transaction.defect() {
            note(.claimed, found.place, "moved to \(spool.territory.unfitFolder.rawValue): " + reason)
            journal(found.place, .claimed, reason: reason)
            try transaction.moveToCorrupt()
            return nil
        }
        return transaction
    }

    /// Counts a start of a message that was left behind, and says how it is to be worked.
    /// - Returns: nil when it is gone, another process has it, or it stands in `blocked` now.
    private func resume(_ name: FileName) throws(SpoolError) -> Recovered? {
        guard let transaction = try tidy(name) else { return nil }
        let place = transaction.place
        let starts = transaction.starts - (spool.consumeForgiveness(place.name) ? 1 : 0)
        let limit = Self.maximumStarts + spool.territory.isolationStarts - 1
        if starts > limit {
            journal(place, .claimed, reason: "started too often, even its notice had no end")
            let blocked = try transaction.block()
            note(.claimed, place, "started too often, moved to \(blocked.folder.rawValue) as \(blocked.name)")
            return nil
        }
        let isPoison = starts >= Self.maximumStarts
        var facts = transaction.facts
        facts.starts = starts + 1
        journal(place, .claimed, reason: isPoison ? "three starts had no end" : nil)
        try transaction.restate(facts)
        note(.claimed, place, isPoison ? "three starts had no end; to the administrator" : "worked again")
        return isPoison ? .poison(transaction) : .work(transaction)
    }

    // MARK: What stands in a directory

    private struct Found {
        let place: Workplace
        var message: (name: String, facts: NameFacts)?
        var outputs: [PublishedFile] = []
        var scratch: [FileName] = []
        /// The relay's record of what each recipient's server said.
        var hasLedger = false
    }

    /// Locks the directory and looks into it; nil when it is busy, gone or foreign, which is noted.
    private func lock(_ name: FileName, in parent: Directory) throws(SpoolError) -> Found? {
        let path = "\(parent.path)/\(name)"
        guard let text = name.text, let unique = UniqueName(parsing: text) else {
            note(.foreign, path, "no file of the spool has such a name; left untouched")
            return nil
        }
        guard !isLeft(unique.entry) else { return nil }
        let directory: Directory
        do throws(SpoolError) {
            directory = try parent.directory(text)
        } catch let error where error.kind == .layout {
            if error.errno != ENOENT { note(.foreign, path, "it is no directory; left untouched") }
            return nil
        }
        guard try directory.tryLock() else {
            note(.busy, path, "\(max(0, spool.clock.now() - unique.seconds)) s old; left to the process that has it")
            return nil
        }
        guard try directory.isStill(text, in: parent) else { return nil }
        var found = Found(place: Workplace(unique: unique, name: text, directory: directory))
        for name in try directory.names() {
            switch TransactionFile(name) {
            case .message(let facts) where found.message == nil: found.message = (name.description, facts)
            case .output(let folder, let output): found.outputs.append(PublishedFile(folder: folder, name: output))
            case .scratch: found.scratch.append(name)
            case .ledger where spool.territory.keepsRecord: found.hasLedger = true
            case .message, .ledger, .foreign:
                note(.foreign, path, "\(name) in it does not belong to the spool; left untouched")
                return nil
            }
        }
        return found
    }

    private func makeTransaction(_ found: Found) -> Transaction {
        let transaction = Transaction(
            spool, queue: nil, found.place, name: found.message?.name ?? TransactionFile.messageName(NameFacts()),
            facts: found.message?.facts ?? NameFacts())
        transaction.outputs = found.outputs
        return transaction
    }

    private func removeScratch(_ found: Found) throws(SpoolError) {
        for name in found.scratch { try found.place.directory.unlink(name) }
    }

    private func note(_ state: RecoveryReport.State, _ place: Workplace, _ text: String) {
        note(state, place.directory.path, text)
    }

    private func note(_ state: RecoveryReport.State, _ path: String, _ text: String) {
        let name = path.split(separator: "/").last ?? ""
        report.findings.append(
            RecoveryReport.Finding(state: state, path: path, text: text, entry: UniqueName(parsing: name)?.entry))
    }

    private func journal(
        _ place: Workplace, _ state: RecoveryReport.State, to: [PublishedFile] = [], reason: String? = nil
    ) {
        let event = JournalEvent(
            .recovered, entry: place.unique.entry, file: place.name, to: to,
            reason: reason.map { state.rawValue + ": " + $0 } ?? state.rawValue)
        if let warning = spool.journal.append(event) { report.warnings.append(warning) }
    }
}

extension Spool {
    /// Starts a recovery: to be gone through to its end before anything is claimed.
    /// - Parameter isLeft: Returns true for an entry that has to be left for now, because it was tried a short time
    ///   ago.
    public func makeRecovery(leaving isLeft: @escaping (EntryID) -> Bool = { _ in false }) throws(SpoolError)
        -> Recovery
    {
        try durability.check(path)
        return try Recovery(self, leaving: isLeft)
    }

    /// Takes up a message that ``Recovery/repair()`` found, and counts the start. Any thread may call it, at any later
    /// time.
    /// - Returns: nil when it is gone, another process has it, or it was put away; and what was found.
    /// - Throws: ``SpoolError`` if the start cannot be counted; the entry then stays for a later recovery.
    public func resume(_ left: LeftEntry) throws(SpoolError) -> (entry: Recovered?, report: RecoveryReport) {
        try durability.check(path)
        let recovery = Recovery(self)
        let entry = try recovery.resume(left)
        return (entry, recovery.report)
    }

    /// Goes through the left-over entries, calling `body` with each that requires processing; the body settles it
    /// before it returns.
    /// - Throws: ``SpoolError`` if the recovery cannot go on, or `body` throws.
    @discardableResult
    public func recover(_ body: (Recovered) throws(SpoolError) -> Void) throws(SpoolError) -> RecoveryReport {
        let recovery = try makeRecovery()
        while let recovered = try recovery.next() { try body(recovered) }
        return recovery.report
    }
}
