import Glibc

extension Spool {
    /// Performs the protocol on a probe, from every source to every target: lock, rename without replacing, directory
    /// fsync, one file system. Programs call it at start and do not run if it throws.
    /// - Returns: Warnings, such as a file system on which rename is not known to survive a power loss.
    /// - Throws: ``SpoolError`` if a step fails, because the file system cannot hold a spool then.
    public func probe() throws(SpoolError) -> [String] {
        let warnings = try FileSystemType(of: root).judge(path)
        // One probe at a time: its names are always the same, so that what a killed one left is taken away by the next.
        let guardian = try root.descend(territory.workPath)
        guard retrying({ flock(guardian.descriptor, LOCK_EX) }) == 0 else {
            throw SpoolError(.fileSystem, path: guardian.path, errno: errno, "the file system cannot lock")
        }
        let name = ".ses-probe-" + program.rawValue
        let sources = try probeSources()
        try removeProbes(name, sources)
        do throws(SpoolError) {
            for source in sources { try probeClaim(name, from: source) }
            for folder in territory.folders {
                try probePublication(name, in: folder)
            }
        } catch {
            do throws(SpoolError) {
                try removeProbes(name, sources)
            } catch {
                // The first error says more; what is left is removed by the next probe.
            }
            throw error
        }
        return warnings
    }

    private func probeSources() throws(SpoolError) -> [Directory] {
        var sources: [Directory] = []
        for queue in territory.queues {
            sources.append(try directory(of: queue))
            if territory.takesBareFiles { sources.append(try root.descend(queue.rawValue)) }
        }
        if territory.folders.contains(.retry) { sources.append(try directory(of: .retry)) }
        return sources
    }

    private func removeProbes(_ name: String, _ sources: [Directory]) throws(SpoolError) {
        for source in sources { try source.unlink(name) }
        for parent in [try work, try publish.directory] where try parent.status(name) != nil {
            let directory = try parent.directory(name)
            for file in try directory.names() { try directory.unlink(file) }
            try parent.removeDirectory(name)
        }
        for folder in territory.folders {
            let target = try self.folder(folder).open().directory
            try target.unlink(name)
            try target.unlink(name + "-2")
        }
    }

    /// A file in `source`, claimed, committed, and thrown away.
    private func probeClaim(_ name: String, from source: Directory) throws(SpoolError) {
        guard source.identity.device == root.identity.device else {
            throw SpoolError(
                .fileSystem, path: source.path, errno: EXDEV, "a folder is on another file system than the spool")
        }
        let work = try work
        let publish = try publish
        _ = try source.createFile(name, mode: Layout.fileMode)
        try work.make(name, mode: Layout.workMode)
        let place = try work.directory(name)
        guard try place.tryLock() else {
            throw SpoolError(
                .fileSystem, path: place.path, "another process holds a lock on a directory that was just made")
        }
        try demand(source.rename(name, to: place, "message"), .done, source.path, "claiming a file by rename")
        try durability.sync(directory: place)
        try demand(work.rename(name, to: publish.directory, name), .done, work.path, "committing by rename")
        try durability.sync(publish.group, of: publish.directory)
        try place.unlink("message")
        try publish.directory.removeDirectory(name)
    }

    private func probePublication(_ name: String, in folder: Folder) throws(SpoolError) {
        let work = try work
        let publish = try publish
        try work.make(name, mode: Layout.workMode)
        let place = try work.directory(name)
        try demand(work.rename(name, to: publish.directory, name), .done, work.path, "committing by rename")
        let file = try place.createFile("output", mode: Layout.fileMode)
        let target = try self.folder(folder).open()
        try file.setOwner(group: target.directory.group, like: place)
        try durability.sync(file: file)
        try demand(
            place.rename("output", to: target.directory, name), .done, target.directory.path, "publishing by rename")
        _ = try place.createFile("output", mode: Layout.fileMode)
        try demand(
            place.rename("output", to: target.directory, name), .exists, target.directory.path,
            "renaming without replacing")
        try durability.sync(target.group, of: target.directory)
        try target.directory.unlink(name)
        try place.unlink("output")
        try publish.directory.removeDirectory(name)
    }

    private func demand(
        _ outcome: Directory.RenameOutcome, _ wanted: Directory.RenameOutcome, _ path: String, _ what: String
    ) throws(SpoolError) {
        guard outcome == wanted else {
            throw SpoolError(
                .fileSystem, path: path, "\(what) does not work here; put the spool on a local ext4, XFS or btrfs")
        }
    }
}
