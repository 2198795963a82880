import Glibc
public import Octets

/// The beginning of a claimed message that is too large to be read.
public struct ClaimedHead: Sendable {
    /// The envelope block, nil without one.
    public let block: OctetString?
    /// The message behind the block, up to the limit that was asked for.
    public let beginning: OctetString
}

extension Transaction {
    /// Reads the envelope block and at most `limit` octets of the message behind it.
    /// - Throws: ``SpoolError`` if the file cannot be read.
    public func readHead(limit: Int) throws(SpoolError) -> ClaimedHead {
        try require(.working)
        let file = try place.directory.openFile(messageName)
        let status = try file.status()
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw SpoolError(.raced, path: file.path, "the claimed message was replaced by something that is no file")
        }
        observed = Observation(status, isBeingWritten: false)
        let envelope = facts.envelopeOctets ?? 0
        let head = ClaimedFile(
            try file.contents(min(Int(status.st_size), envelope + limit)), envelopeOctets: facts.envelopeOctets)
        return ClaimedHead(block: head.block, beginning: head.message)
    }

    /// Adds the claimed file itself, unchanged, to the outputs for `folder`. Nothing of it is read or copied if the
    /// file system supports hard links.
    ///
    /// Called last: the link changes the file's own times, so that an earlier change is not noticed any more.
    /// - Parameter order: The order that its name says.
    /// - Throws: ``SpoolError`` if the output cannot be made.
    @discardableResult
    public func addClaimedFile(to folder: Folder, order: NameFacts.Order? = nil) throws(SpoolError) -> PublishedFile {
        try require(.working)
        guard try !hasChanged() else {
            throw SpoolError(.raced, path: place.directory.path, "the claimed file was changed while it was worked on")
        }
        var facts = NameFacts(origin: facts.origin, order: order)
        facts.envelopeOctets = self.facts.envelopeOctets
        let published = PublishedFile(folder: folder, name: SpoolName(spool.makeUniqueName(entry), facts))
        let name = TransactionFile.outputName(folder, published.name)
        guard try place.directory.link(messageName, to: name) else {
            let file = try read(maximum: .max)
            return try add(
                output: StagedOutput(
                    folder: folder, facts: facts, block: file.block ?? OctetString(), content: file.message,
                    lineEnds: .asIs))
        }
        do throws(SpoolError) {
            try spool.durability.sync(file: place.directory.openFile(name))
        } catch {
            try place.directory.unlink(name)
            throw error
        }
        outputs.append(published)
        // The link itself counts as a change of the file.
        observed = try place.directory.status(messageName).map { Observation($0, isBeingWritten: false) }
        return published
    }
}

extension Directory {
    /// Gives a file of this directory a second name in it.
    /// - Returns: false where the file system or the kernel does not allow it.
    func link(_ name: String, to other: String) throws(SpoolError) -> Bool {
        guard linkat(descriptor, name, descriptor, other, 0) != 0 else { return true }
        switch errno {
        // The last is fs.protected_hardlinks, for a file of another user.
        case ENOTSUP, EOPNOTSUPP, ENOSYS, EMLINK, EPERM: return false
        default: throw failure(errno, name, "cannot give the message a second name")
        }
    }
}
