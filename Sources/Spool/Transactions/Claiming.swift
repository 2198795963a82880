import Glibc

/// The result of an attempt to claim.
public enum ClaimResult: Sendable {
    case claimed(Transaction)
    /// Another was faster, or its writer took it back.
    case taken
    /// It cannot be a message. It stands in `corrupt/` now (the relay puts it into `failed/`), and the status is
    /// unhealthy.
    case corrupt(reason: String)
    /// It cannot be taken from where it is, and stays there; to be tried again later, and the status is unhealthy.
    case left(reason: String)
}

extension Spool {
    /// Claims a file: one rename into a directory of its own under `work/`, which counts as its first start.
    ///
    /// A bare `*.eml` must have been found still before (``StillnessJudge``), a retry due.
    /// - Throws: ``SpoolError``; the file is then where it was, or claimed and found by ``makeRecovery()``.
    public func claim(_ candidate: Candidate) throws(SpoolError) -> ClaimResult {
        try durability.check(path)
        let entry = candidate.entry ?? EntryID(random: random)
        let place = try makeWorkplace(for: entry)
        var facts = candidate.facts
        facts.due = nil
        facts.starts = 1
        facts.waits = nil
        facts.attempts = facts.attempts ?? 0
        let name = TransactionFile.messageName(facts)
        do throws(SpoolError) {
            switch try candidate.directory.rename(candidate.name, to: place.directory, name) {
            case .done: break
            case .missing:
                if try place.directory.status(name) == nil {
                    let isSourceThere = try candidate.directory.status(candidate.name) != nil
                    try discardEmpty(place)
                    return isSourceThere
                        ? .left(reason: "it cannot be moved: its folder was removed meanwhile") : .taken
                }
            case .exists: throw SpoolError(.raced, path: place.directory.path, "a claim found a directory in use")
            }
        } catch {
            abandonEmpty(place.name)
            // The file's own doing (a directory of somebody else's, a mount point) is no reason to stop the intake.
            let isRefusal = [EACCES, EPERM, EBUSY].contains(error.errno)
            if isRefusal, try candidate.directory.isWritable() { return .left(reason: error.description) }
            throw error
        }
        let transaction = Transaction(
            self, queue: candidate.queue, place, name: name, facts: facts, source: candidate.name)
        return try judged(transaction, called: candidate.name)
    }

    /// Puts away what cannot be a message.
    func judged(_ transaction: Transaction, called name: FileName) throws(SpoolError) -> ClaimResult {
        let defect: String?
        do throws(SpoolError) {
            defect = try transaction.defect()
        } catch {
            // A fault of this machine must not count as a start of the message. The first error says more than an error
            // of giving back.
            do throws(SpoolError) { try transaction.rollBackStart() } catch { transaction.abandon() }
            throw error
        }
        if let defect {
            try transaction.moveToCorrupt()
            return .corrupt(reason: "\(name): \(defect)")
        }
        return .claimed(transaction)
    }

    /// Makes and locks a directory that no recovery has taken for a left-over in between.
    private func makeWorkplace(for entry: EntryID) throws(SpoolError) -> Workplace {
        // Each round takes a fresh name; only a recovery that runs at the same instant can cost a round.
        for _ in 0..<64 {
            let unique = makeUniqueName(entry)
            let name = unique.description
            let work = try work
            try work.make(name, mode: Layout.workMode)
            do throws(SpoolError) {
                let directory = try work.directory(name)
                guard try directory.tryLock(), try directory.isStill(name, in: work) else { continue }
                return Workplace(unique: unique, name: name, directory: directory)
            } catch let error where error.errno == ENOENT {
                continue
            } catch {
                abandonEmpty(name)
                throw error
            }
        }
        throw SpoolError(
            .raced, path: path + "/" + territory.workPath,
            "each directory made for a claim was removed at once by another process")
    }

    /// Removes a directory of a claim that failed, so that a fault that lasts does not leave one behind at each try.
    private func abandonEmpty(_ name: String) {
        do throws(SpoolError) {
            try work.removeDirectory(name)
        } catch {
            // The first error says more; recovery removes the empty directory.
        }
    }

    private func discardEmpty(_ place: Workplace) throws(SpoolError) {
        try work.removeDirectory(place.name)
    }
}

/// A directory under `work/` or `publish/`, locked by us.
struct Workplace {
    let unique: UniqueName
    let name: String
    let directory: Directory
}
