import Glibc
import Octets

/// A message of the relay that waits for its next attempt: a directory in `relay/deferred`, with its record beside it.
public struct DeferredEntry: Sendable, Hashable {
    /// Says when it is due (D) and how many attempts it has had (N).
    public let name: SpoolName

    init(name: SpoolName) { self.name = name }

    /// Unix seconds.
    public var due: Int { name.facts.due ?? 0 }
    /// Starts in a row that had no end: a process died while it worked on the message.
    public var interrupted: Int { name.facts.starts ?? 0 }
}

extension Spool {
    /// Lists what waits for another attempt, to its end, in the order of the directory.
    /// - Returns: The entries that are not ours, at most 100.
    /// - Throws: ``SpoolError`` if the folder cannot be listed, or `body` throws.
    @discardableResult
    public func forEachDeferred(
        _ body: (DeferredEntry) throws(SpoolError) -> Bool
    ) throws(SpoolError) -> [LeftInPlace] {
        var left: [LeftInPlace] = []
        guard let directory = try deferred else { return left }
        try directory.forEachName { (name, _) throws(SpoolError) in
            guard !name.hasPrefix(".") else { return true }
            guard let parsed = name.text.flatMap({ SpoolName(parsing: $0) }) else {
                if left.count < Self.maximumReported {
                    left.append(
                        LeftInPlace(
                            path: "\(directory.path)/\(name)", reason: "nothing of ours has such a name",
                            isForeign: true))
                }
                return true
            }
            return try body(DeferredEntry(name: parsed))
        }
        return left
    }

    /// Claims a deferred message: its directory is locked and moved to `relay/work` by one rename, then its start is
    /// counted.
    /// - Throws: ``SpoolError``. The entry is then where it was, or claimed and found by the next recovery.
    public func claim(_ entry: DeferredEntry) throws(SpoolError) -> ClaimResult {
        try durability.check(path)
        guard let parent = try deferred else { return .taken }
        let name = entry.name.description
        let directory: Directory
        do throws(SpoolError) {
            directory = try parent.directory(name)
        } catch let error where error.errno == ENOENT {
            return .taken
        } catch let error where error.kind == .layout {
            return .left(reason: "it is no directory")
        }
        guard try directory.tryLock(), try directory.isStill(name, in: parent) else { return .taken }
        var messages: [(name: String, facts: NameFacts)] = []
        // What was removed before the message was put here; a power loss may bring it back.
        var outputs: [PublishedFile] = []
        var scratch: [FileName] = []
        for inner in try directory.names() {
            switch TransactionFile(inner) {
            case .message(let facts): messages.append((inner.description, facts))
            case .output(let folder, let output): outputs.append(PublishedFile(folder: folder, name: output))
            case .scratch: scratch.append(inner)
            case .ledger: continue
            case .foreign: return .left(reason: "\(inner) in it is none of ours")
            }
        }
        guard let message = messages.first, messages.count == 1 else {
            return .left(reason: "there is not one message in it, but \(messages.count)")
        }
        let unique = makeUniqueName(entry.name.unique.entry)
        guard case .done = try parent.rename(name, to: work, unique.description) else { return .taken }
        let place = Workplace(unique: unique, name: unique.description, directory: directory)
        let transaction = Transaction(self, queue: nil, place, name: message.name, facts: message.facts)
        var facts = message.facts
        facts.attempts = entry.name.facts.attempts ?? 0
        facts.starts = 1 + (entry.name.facts.starts ?? 0)
        transaction.outputs = outputs
        do throws(SpoolError) {
            try transaction.restate(facts)
            for name in scratch { try directory.unlink(name) }
            try transaction.publishReleased()
            try transaction.removeOutputs()
        } catch {
            // Its message names no start now, so none is counted; recovery takes it up.
            transaction.abandon()
            throw error
        }
        return try judged(transaction, called: FileName(name))
    }
}

extension Transaction {
    /// Leaves the message, with its record, for a later attempt: one rename of its directory to `relay/deferred`.
    ///
    /// Nothing has to be made durable: whether a power loss leaves it here or there, its record goes with it.
    /// - Parameters:
    ///   - attempts: Attempts that counted, this one included.
    ///   - due: Unix seconds.
    ///   - interrupted: Starts in a row that had no end, to be remembered with it.
    /// - Throws: ``SpoolError``. The entry then stays claimed.
    @discardableResult
    public func setAside(attempts: Int, due: Int, interrupted: Int = 0) throws(SpoolError) -> DeferredEntry {
        try require(.working)
        try spool.durability.check(place.directory.path)
        guard let target = try spool.deferred else {
            throw SpoolError(.layout, path: spool.path, "this program defers nothing in a directory of its own")
        }
        try publishReleased()
        try removeOutputs()
        var facts = facts
        facts.starts = nil
        facts.waits = nil
        facts.attempts = nil
        try restate(facts)
        for _ in 0..<8 {
            let name = SpoolName(
                spool.makeUniqueName(entry),
                NameFacts(
                    origin: facts.origin, attempts: max(0, attempts), due: max(0, due),
                    starts: interrupted > 0 ? interrupted : nil))
            switch try spool.work.rename(place.name, to: target, name.description) {
            case .done:
                stage = .ended
                letGo()
                return DeferredEntry(name: name)
            case .missing:
                throw SpoolError(.raced, path: place.directory.path, "the entry's directory was taken away")
            case .exists: continue
            }
        }
        throw SpoolError(.raced, path: target.path, errno: EEXIST, "no free name was found")
    }

    // MARK: Outputs that leave before the entry ends

    /// A line of the record that releases an output: from then on it is to be published, whatever happens to the entry.
    public static func releaseLine(_ output: PublishedFile) -> String {
        "release \(output.folder.rawValue) \(output.name)"
    }

    /// Publishes outputs before the entry itself ends, each exactly once even if the process dies. They stand ready and
    /// durable, a line in the record decides, and one rename takes each to its folder.
    /// - Parameter lines: Further lines of the record for the same write, such as the recipients that the output
    ///   concerns.
    /// - Throws: ``SpoolError``. Outputs that the record does not release are deleted by the next recovery.
    public func release(_ released: [PublishedFile], with lines: [String]) throws(SpoolError) {
        try require(.working)
        try spool.durability.sync(directory: place.directory)
        // An output that is published without the lines that tell of it would be made and published again.
        try openLedger().append(together: released.map(Self.releaseLine) + lines, isDurable: true)
        try publishReleased()
    }

    /// Publishes the outputs that the record has released and that still stand here.
    func publishReleased() throws(SpoolError) {
        guard spool.territory.keepsRecord, !outputs.isEmpty else { return }
        let lines = Set(try openLedger().lines().map(\.text))
        let released = outputs.indices.filter { lines.contains(Self.releaseLine(outputs[$0])) }
        guard !released.isEmpty else { return }
        let staged = outputs
        for index in released { try publish(index) }
        for (key, directory) in touched {
            try spool.durability.sync(directory.group, of: directory.directory)
            touched[key] = nil
        }
        outputs = staged.indices.filter { !released.contains($0) }.map { staged[$0] }
        stagedNames = [:]
    }
}
