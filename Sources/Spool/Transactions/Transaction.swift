import Glibc
public import Octets

/// A claimed message, in a directory of its own that is locked until the transaction ends.
///
/// Unchecked: it belongs to one worker at a time, which calls it from one thread at a time. Only `scratch` may be used
/// from several, and has its own guard.
public final class Transaction: @unchecked Sendable {
    /// The stage of the transaction.
    enum Stage { case working, committed, ended }

    /// The queue in which it waited; nil for one that recovery found, whose facts tell only its origin.
    public let queue: Queue?
    /// The file's name in its queue; nil if recovery found it.
    public let source: FileName?
    /// The facts in its name.
    public internal(set) var facts: NameFacts
    /// The outputs that stand ready, in the order they were added.
    public internal(set) var outputs: [PublishedFile] = []

    let spool: Spool
    let place: Workplace
    var messageName: String
    var stage = Stage.working
    var observed: Observation?
    /// The claimed file as judged fit to be a message, until it is read.
    var judged: OpenFile?
    /// The names under which outputs stand beside the message, where the folder forced another one on them.
    var stagedNames: [Int: SpoolName] = [:]
    /// True if outputs were removed since the directory was synced: a power loss would bring them back.
    var owesRemovals = false
    /// True if all folders must be synced, because recovery cannot know which of them got an output.
    var syncsAllFolders = false
    /// Folders that got an output whose sync is still owed.
    var touched: [ObjectIdentifier: SyncedDirectory] = [:]
    let scratchSpace: ScratchSpace
    /// The relay's record, once it was asked for.
    var ledger: DeliveryLedger?
    /// The facts in its name before the wait for a server; nil while there is no wait.
    private var waitingFacts: NameFacts?

    init(
        _ spool: Spool, queue: Queue?, _ place: Workplace, name: String, facts: NameFacts, source: FileName? = nil
    ) {
        self.spool = spool
        self.queue = queue
        self.place = place
        self.facts = facts
        self.source = source
        messageName = name
        scratchSpace = ScratchSpace(place.directory)
    }

    /// An entry that has not ended is left to the next recovery, even if its scratch still keeps the directory open.
    deinit {
        if stage != .ended { letGo() }
    }

    /// The message's name for life.
    public var entry: EntryID { place.unique.entry }
    /// The directory's unique name, new with each claim.
    public var uniqueName: UniqueName { place.unique }
    public var origin: Origin { facts.origin ?? .outgoing(bare: false) }
    /// Transient attempts completed.
    public var attempts: Int { facts.attempts ?? 0 }
    /// Starts that had no end, this one included.
    public var starts: Int { facts.starts ?? 0 }
    public var envelopeOctets: Int? { facts.envelopeOctets }

    /// The storage for large intermediate octets: in memory below 1 MiB, otherwise a private file that is mapped.
    public var scratch: any OctetCollectorMaking { scratchSpace }

    /// True if the outcome is decided and has only to be published.
    public var isCommitted: Bool { stage == .committed }

    func require(_ wanted: Stage) throws(SpoolError) {
        guard stage == wanted else {
            throw SpoolError(.ended, path: place.directory.path, "the entry is not at this stage any more")
        }
    }

    /// Renames `message` inside its directory so that its name says `facts`.
    func restate(_ facts: NameFacts) throws(SpoolError) {
        let name = TransactionFile.messageName(facts)
        guard name != messageName else { return }
        guard case .done = try place.directory.rename(messageName, to: place.directory, name) else {
            throw SpoolError(.raced, path: place.directory.path, "the claimed message was taken away or doubled")
        }
        self.facts = facts
        messageName = name
    }

    /// The number of starts that may end during a wait for a server before they count all the same: an answer may be
    /// the cause that ends the program.
    static let maximumWaits = 10

    /// Declares that a server has been waited for so long that the message is not the cause if the process ends now.
    /// The start is then not counted as one without an end. A first start never ends anything, so nothing is written
    /// for it.
    /// - Throws: ``SpoolError`` if the message cannot be renamed.
    public func beginWait() throws(SpoolError) {
        try require(.working)
        guard waitingFacts == nil, starts > 1, facts.waits ?? 0 < Self.maximumWaits else { return }
        let before = facts
        var waiting = facts
        waiting.starts = starts - 1
        waiting.waits = (facts.waits ?? 0) + 1
        try restateRead(waiting)
        waitingFacts = before
    }

    /// Counts the start again, because the server has answered or is not waited for any more.
    /// - Throws: ``SpoolError`` if the message cannot be renamed.
    public func endWait() throws(SpoolError) {
        guard let before = waitingFacts else { return }
        try require(.working)
        try restateRead(before)
        waitingFacts = nil
    }

    /// Renames `message` after it was read. The rename changes the file's own times, which must not look like a change
    /// by its writer.
    private func restateRead(_ facts: NameFacts) throws(SpoolError) {
        let isUnchanged = try !hasChanged()
        try restate(facts)
        guard isUnchanged, let observed, let status = try place.directory.status(messageName) else { return }
        let now = Observation(status, isBeingWritten: false)
        if now.hasSameContent(as: observed) { self.observed = now }
    }

    /// Counts only this start any more: the message was looked into and nothing happened.
    /// - Throws: ``SpoolError`` if the message cannot be renamed.
    public func forgiveStarts() throws(SpoolError) {
        try require(.working)
        var facts = facts
        facts.starts = 1
        try restate(facts)
    }

    /// Removes outputs and left-over scratch; the message stays.
    func removeOutputs() throws(SpoolError) {
        for output in outputs { try place.directory.unlink(TransactionFile.outputName(output.folder, output.name)) }
        if !outputs.isEmpty { owesRemovals = true }
        outputs = []
    }

    /// Moves `message` out by one rename and removes the directory.
    /// - Parameter folder: The target; a file that stands there is never replaced.
    func move(to target: Directory, _ facts: NameFacts) throws(SpoolError) -> SpoolName {
        for _ in 0..<8 {
            let name = SpoolName(spool.makeUniqueName(entry), facts)
            switch try place.directory.rename(messageName, to: target, name.description) {
            case .done: return name
            case .missing:
                throw SpoolError(
                    .raced, path: place.directory.path + "/" + messageName, errno: ENOENT,
                    "the claimed message or the folder \(target.path) was taken away")
            case .exists: continue
            }
        }
        throw SpoolError(.raced, path: target.path, errno: EEXIST, "no free name was found in the folder")
    }

    /// Ends the transaction whose message has gone elsewhere: state S3, cleaned.
    func finish() throws(SpoolError) {
        stage = .ended
        try removeOutputs()
        try removeLedger()
        try spool.work.removeDirectory(place.name)
    }
}

/// A file that stands, or is to stand, in a folder.
public struct PublishedFile: Hashable, Sendable {
    public let folder: Folder
    public internal(set) var name: SpoolName
}
