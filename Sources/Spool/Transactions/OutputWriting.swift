import Glibc
public import Octets

/// A result to be published.
public struct StagedOutput: Sendable {
    public enum LineEnds: Hashable, Sendable {
        case asIs
        /// Each CRLF becomes LF, in the envelope block too.
        case lf
    }

    public let folder: Folder
    /// The facts for its name. The spool sets E to the length of the block as written.
    public let facts: NameFacts
    /// The envelope block; empty for none.
    public let block: OctetString
    public let content: any OctetSource
    public let lineEnds: LineEnds

    public init(folder: Folder, facts: NameFacts, block: OctetString, content: any OctetSource, lineEnds: LineEnds) {
        self.folder = folder
        self.facts = facts
        self.block = block
        self.content = content
        self.lineEnds = lineEnds
    }
}

extension Transaction {
    /// Writes a result beside the message, durable, in a new file with the group of its folder. Nobody else sees it
    /// before the commit.
    /// - Returns: The folder and name under which it will be published.
    /// - Throws: ``SpoolError``; nothing of the file is left then.
    @discardableResult
    public func add(output: StagedOutput) throws(SpoolError) -> PublishedFile {
        try require(.working)
        try spool.durability.check(place.directory.path)
        let writer = OutputWriter(output)
        var facts = output.facts
        facts.envelopeOctets = output.block.isEmpty ? nil : writer.block.count
        let published = PublishedFile(
            folder: output.folder, name: SpoolName(spool.makeUniqueName(entry), facts))
        let name = TransactionFile.outputName(output.folder, published.name)
        let group = try spool.folder(output.folder).open().directory.group
        let file = try place.directory.createFile(name, mode: Layout.fileMode)
        do throws(SpoolError) {
            try file.setOwner(group: group, like: place.directory)
            try writer.write(to: file)
            try spool.durability.sync(file: file)
        } catch {
            try place.directory.unlink(name)
            throw error
        }
        outputs.append(published)
        return published
    }
}

extension OpenFile {
    /// Gives a new file the mode of the layout whatever the umask, and the folder's group.
    func setOwner(group: gid_t, like directory: Directory) throws(SpoolError) {
        if group != getegid() || directory.mode & S_ISGID != 0 {
            guard fchown(descriptor, uid_t.max, group) == 0 else {
                throw failure(errno, "cannot give the result to the group of its folder (is this user a member?)")
            }
        }
        guard fchmod(descriptor, Layout.fileMode) == 0 else {
            throw failure(errno, "cannot set the mode of the result")
        }
    }
}
