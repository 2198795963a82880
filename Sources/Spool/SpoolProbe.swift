import CLinux
import Glibc

extension Spool {
    /// Performs the protocol on a probe, from every source to every target: lock, rename without replacing, directory fsync, one
    /// file system. Programs call it at start and do not run when it throws.
    /// - Returns: Warnings, such as a file system on which rename is not known to survive a power loss.
    public func probe() throws(SpoolError) -> [String] {
        let warnings = try FileSystemType(of: root).judge(path)
        // One probe at a time: its names are always the same, so that what a killed one left is taken away by the next.
        let guardian = try root.descend(program.workPath)
        guard retrying({ flock(guardian.descriptor, LOCK_EX) }) == 0 else {
            throw SpoolError(.fileSystem, path: guardian.path, errno: errno, "the file system cannot lock")
        }
        let name = ".ses-probe-" + program.rawValue
        let sources = try probeSources()
        try removeProbes(name, sources)
        do throws(SpoolError) {
            for source in sources { try probeClaim(name, from: source) }
            for folder in Folder.allCases where program == .ses || resultFolders.contains(folder) {
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
        switch program {
        case .ses:
            for path in ["outgoing/new", "outgoing", "incoming/new", "incoming", "retry/new"] {
                sources.append(try root.descend(path))
            }
        case .relay:
            for path in ["delivered/new", "admin/new"] { sources.append(try root.descend(path)) }
        }
        return sources
    }

    private func removeProbes(_ name: String, _ sources: [Directory]) throws(SpoolError) {
        for source in sources { try source.unlink(name) }
        for parent in [work, publish.directory] where try parent.status(name) != nil {
            let directory = try parent.directory(name)
            for file in try directory.names() { try directory.unlink(file) }
            try parent.removeDirectory(name)
        }
        for folder in Folder.allCases where program == .ses || resultFolders.contains(folder) {
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
        _ = try source.createFile(name, mode: Layout.fileMode)
        try work.make(name, mode: Layout.workMode)
        let place = try work.directory(name)
        guard try place.tryLock() else {
            throw SpoolError(.fileSystem, path: place.path, "a lock on a directory just made is held by somebody")
        }
        try demand(source.rename(name, to: place, "message"), .done, source.path, "claiming a file by rename")
        try durability.sync(directory: place)
        try demand(work.rename(name, to: publish.directory, name), .done, work.path, "committing by rename")
        try durability.sync(publish.group, of: publish.directory)
        try place.unlink("message")
        try publish.directory.removeDirectory(name)
    }

    private func probePublication(_ name: String, in folder: Folder) throws(SpoolError) {
        try work.make(name, mode: Layout.workMode)
        let place = try work.directory(name)
        try demand(work.rename(name, to: publish.directory, name), .done, work.path, "committing by rename")
        let file = try place.createFile("output", mode: Layout.fileMode)
        let target = try self.folder(folder).open()
        try file.settle(group: target.directory.group, like: place)
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

/// What a spool may and may not stand on.
struct FileSystemType {
    private let magic: UInt

    init(of directory: Directory) throws(SpoolError) {
        var magic: UInt = 0
        guard clinux_file_system_type(directory.descriptor, &magic) == 0 else {
            throw SpoolError(.system, path: directory.path, errno: errno, "cannot ask for the file system's type")
        }
        self.magic = magic
    }

    init(magic: UInt) { self.magic = magic }

    /// - Returns: Warnings.
    /// - Throws: kind `fileSystem` for a network file system: its locks and renames hold for one machine only, or not at all.
    func judge(_ path: String) throws(SpoolError) -> [String] {
        if let name = Self.networks[magic] {
            throw SpoolError(
                .fileSystem, path: path,
                "the spool is on a network file system (\(name)); put it on a local ext4, XFS or btrfs")
        }
        if Self.trusted.contains(magic) { return [] }
        let name = Self.others[magic] ?? "type 0x" + String(magic, radix: 16)
        return [
            "\(path) is on \(name): only on ext4, XFS and btrfs is rename known to be atomic across a power loss; mail may be lost then"
        ]
    }

    /// ext2 to ext4, XFS, btrfs (linux/magic.h).
    private static let trusted: Set<UInt> = [0xEF53, 0x5846_5342, 0x9123_683E]
    private static let networks: [UInt: String] = [
        0x6969: "NFS", 0x517B: "SMB", 0xFF53_4D42: "CIFS", 0xFE53_4D42: "SMB2", 0x564C: "NCP", 0x5346_414F: "AFS",
        0x6B41_4653: "AFS", 0x7375_7245: "Coda", 0x0102_1997: "9p", 0x00C3_6400: "Ceph", 0x0BD0_0BD0: "Lustre",
        0x7461_636F: "OCFS2", 0x0116_1970: "GFS2", 0x4750_4653: "GPFS",
    ]
    private static let others: [UInt: String] = [
        0x0102_1994: "tmpfs", 0x8584_58F6: "ramfs", 0x794C_7630: "overlayfs", 0x6573_5546: "FUSE", 0x2FC1_2FC1: "ZFS",
        0xF2F5_2010: "F2FS", 0x4D44: "FAT", 0x2011_BAB0: "exFAT",
    ]
}
