import Glibc
public import Octets

extension Spool {
    /// Puts a mail of ours that belongs to no entry into `folder`: written in its `tmp/`, made durable, moved into
    /// `new/`.
    /// - Parameters:
    ///   - block: The envelope block.
    ///   - folder: `admin` or `delivered`.
    /// - Throws: ``SpoolError`` if the mail cannot be written, made durable or moved.
    public func deliver(
        _ content: any OctetSource, block: OctetString, origin: Origin, to folder: Folder
    ) throws(SpoolError) -> SpoolName {
        let target = try self.folder(folder).open()
        let temporary = try root.descend(folder.rawValue + "/tmp")
        let unique = makeUniqueName(EntryID(random: random))
        var facts = NameFacts(origin: origin)
        facts.envelopeOctets = block.count
        let name = SpoolName(unique, facts)
        let file = try temporary.createFile(unique.description, mode: Layout.fileMode)
        do throws(SpoolError) {
            try file.setOwner(group: target.directory.group, like: temporary)
            let output = StagedOutput(folder: folder, facts: facts, block: block, content: content, lineEnds: .asIs)
            try OutputWriter(output).write(to: file)
            try durability.sync(file: file)
            guard case .done = try temporary.rename(unique.description, to: target.directory, name.description) else {
                throw SpoolError(.raced, path: target.directory.path, "a notice could not be moved into the folder")
            }
        } catch {
            try temporary.unlink(unique.description)
            throw error
        }
        try durability.sync(directory: target.directory)
        return name
    }
}
