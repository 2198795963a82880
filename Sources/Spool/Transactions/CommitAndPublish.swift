import Glibc

extension Transaction {
    /// Decides the entry: from here its outputs are what is published, whatever happens.
    ///
    /// - Returns: false if the claimed file changed after it was read: the outputs are thrown away, and the work starts
    ///   over.
    /// - Throws: ``SpoolError``; unless it is fatal, the entry is not committed.
    public func commit() throws(SpoolError) -> Bool {
        try require(.working)
        try spool.durability.check(place.directory.path)
        // The relay's messages may leave by SMTP alone.
        guard !outputs.isEmpty || spool.territory.keepsRecord else {
            throw SpoolError(.ended, path: place.directory.path, "a commit without outputs would lose the message")
        }
        if try hasChanged() {
            try startOver()
            return false
        }
        if !outputs.isEmpty || owesRemovals { try spool.durability.sync(directory: place.directory) }
        owesRemovals = false
        let publish = try spool.publish
        switch try spool.work.rename(place.name, to: publish.directory, place.name) {
        case .done: stage = .committed
        case .missing, .exists:
            throw SpoolError(
                .raced, path: place.directory.path, "the entry's directory was taken away, or stands in publish too")
        }
        try spool.durability.sync(publish.group, of: publish.directory)
        return true
    }

    /// Puts the outputs into their folders and ends the entry.
    ///
    /// After an error the entry stays committed. Call it again when the fault is gone, or leave it to the next
    /// recovery.
    /// - Returns: The published files, in the order in which they were added.
    /// - Throws: ``SpoolError``. The entry stays committed.
    @discardableResult
    public func publish() throws(SpoolError) -> [PublishedFile] {
        try require(.committed)
        for index in outputs.indices { try publish(index) }
        if syncsAllFolders {
            for folder in spool.territory.resultFolders {
                let directory = try spool.folder(folder).open()
                touched[ObjectIdentifier(directory.directory)] = directory
            }
        }
        for (key, directory) in touched {
            try spool.durability.sync(directory.group, of: directory.directory)
            touched[key] = nil
        }
        try place.directory.unlink(messageName)
        try removeLedger()
        stage = .ended
        // Not empty: somebody put a file there. Recovery reports it as foreign.
        try spool.publish.directory.removeDirectory(place.name)
        return outputs
    }

    /// One rename, with all its cases. Done twice it does nothing the second time.
    func publish(_ index: Int) throws(SpoolError) {
        let folder = try spool.folder(outputs[index].folder)
        for _ in 0..<8 {
            try spool.durability.check(place.directory.path)
            let output = outputs[index]
            let staged = TransactionFile.outputName(output.folder, stagedNames[index] ?? output.name)
            let target = try folder.open()
            switch try place.directory.rename(staged, to: target.directory, output.name.description) {
            case .done:
                touched[ObjectIdentifier(target.directory)] = target
                return
            case .missing:
                // Ours is gone: it was published before. Else the folder went in this instant.
                if try place.directory.status(staged) == nil { return }
            case .exists:
                let ours = try place.directory.status(staged).map(FileIdentity.init)
                let theirs = try target.directory.status(output.name.description).map(FileIdentity.init)
                if let ours, ours == theirs {
                    try place.directory.unlink(staged)
                    touched[ObjectIdentifier(target.directory)] = target
                    return
                }
                if stagedNames[index] == nil { stagedNames[index] = output.name }
                outputs[index].name.unique = spool.makeUniqueName(entry)
            }
        }
        throw SpoolError(
            .raced, path: place.directory.path, "an output found no free name in \(folder.folder.rawValue)")
    }

    /// Leaves the message, unchanged, for a later attempt: one rename to `retry`.
    /// - Parameters:
    ///   - attempts: Transient attempts completed, this one included.
    ///   - due: Unix seconds.
    /// - Throws: ``SpoolError``. The entry stays claimed.
    @discardableResult
    public func `defer`(attempts: Int, due: Int) throws(SpoolError) -> PublishedFile {
        try require(.working)
        var facts = facts
        facts.starts = nil
        facts.waits = nil
        facts.attempts = max(0, attempts)
        facts.due = max(0, due)
        return try moveAside(to: .retry, facts)
    }

    /// Puts the message, unchanged, into `blocked`, the relay's into `failed`: one rename, nothing is written. For a
    /// message that cannot even be read.
    /// - Throws: ``SpoolError``. The entry stays claimed.
    @discardableResult
    public func block() throws(SpoolError) -> PublishedFile {
        try require(.working)
        return try moveAside(
            to: spool.territory.restingFolder, NameFacts(envelopeOctets: facts.envelopeOctets, origin: facts.origin))
    }

    private func moveAside(to folder: Folder, _ facts: NameFacts) throws(SpoolError) -> PublishedFile {
        try spool.durability.check(place.directory.path)
        let target = try spool.folder(folder).open()
        let name = try move(to: target.directory, facts)
        try finish()
        return PublishedFile(folder: folder, name: name)
    }

    /// Throws away what was written; the message stays claimed and may be read anew.
    /// - Throws: ``SpoolError`` if an output cannot be removed.
    public func startOver() throws(SpoolError) {
        try require(.working)
        try removeOutputs()
        observed = nil
        judged = nil
    }

    /// Gives the start back, because a local fault or an orderly stop ended it: no attempt is counted. The entry stays
    /// in `work/`, unlocked, for the next recovery of any process. A committed entry stays committed.
    /// - Throws: ``SpoolError`` if the count cannot be set back.
    public func rollBackStart() throws(SpoolError) {
        if stage == .committed { return abandon() }
        try require(.working)
        stage = .ended
        defer { letGo() }
        do throws(SpoolError) {
            try publishReleased()
            try removeOutputs()
            var facts = facts
            facts.starts = max(0, starts - 1)
            try restate(facts)
        } catch {
            // The name still counts the start. This process knows better, and does not count the next one.
            spool.forgive(place.name)
            throw error
        }
    }

    /// Leaves the entry unchanged to the next recovery, and releases its lock.
    public func abandon() {
        stage = .ended
        letGo()
    }

    func letGo() {
        // The lock ends with the directory's descriptor, which others may still hold. Unlocking a lock of our own
        // cannot fail.
        _ = flock(place.directory.descriptor, LOCK_UN)
    }
}
