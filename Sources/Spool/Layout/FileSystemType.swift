import CLinux
import Glibc

/// The file systems that a spool may and may not stand on.
struct FileSystemType {
    private static let ext: UInt = 0xEF53

    private let magic: UInt
    /// True if a journal keeps metadata in order; nil if that is not known.
    private let isJournalled: Bool?

    init(of directory: Directory) throws(SpoolError) {
        var magic: UInt = 0
        guard clinux_file_system_type(directory.descriptor, &magic) == 0 else {
            throw SpoolError(.system, path: directory.path, errno: errno, "cannot ask for the file system's type")
        }
        self.init(magic: magic, isJournalled: Self.findJournal(directory.identity.device))
    }

    init(magic: UInt, isJournalled: Bool? = nil) {
        self.magic = magic
        self.isJournalled = isJournalled
    }

    /// ext2, or ext4 made or mounted without its journal.
    var isExtWithoutJournal: Bool { magic == Self.ext && isJournalled == false }

    /// - Returns: Warnings.
    /// - Throws: kind `fileSystem` for a network file system: its locks and renames hold for one machine only, or not
    ///   at all.
    func judge(_ path: String) throws(SpoolError) -> [String] {
        if let name = Self.networks[magic] {
            throw SpoolError(
                .fileSystem, path: path,
                "the spool is on a network file system (\(name)); put it on a local ext4, XFS or btrfs")
        }
        if isExtWithoutJournal {
            return [
                "\(path) is on ext4 without a journal: after a power loss names may be missing or doubled; give it one (tune2fs -j)"
            ]
        }
        if Self.trusted.contains(magic) { return [] }
        let name = Self.others[magic] ?? "type 0x" + String(magic, radix: 16)
        return [
            "\(path) is on \(name): only on ext4, XFS and btrfs is rename known to be atomic across a power loss; mail may be lost then"
        ]
    }

    /// ext2 to ext4, XFS, btrfs (linux/magic.h).
    private static let trusted: Set<UInt> = [ext, 0x5846_5342, 0x9123_683E]
    private static let networks: [UInt: String] = [
        0x6969: "NFS", 0x517B: "SMB", 0xFF53_4D42: "CIFS", 0xFE53_4D42: "SMB2", 0x564C: "NCP", 0x5346_414F: "AFS",
        0x6B41_4653: "AFS", 0x7375_7245: "Coda", 0x0102_1997: "9p", 0x00C3_6400: "Ceph", 0x0BD0_0BD0: "Lustre",
        0x7461_636F: "OCFS2", 0x0116_1970: "GFS2", 0x4750_4653: "GPFS",
    ]
    private static let others: [UInt: String] = [
        0x0102_1994: "tmpfs", 0x8584_58F6: "ramfs", 0x794C_7630: "overlayfs", 0x6573_5546: "FUSE", 0x2FC1_2FC1: "ZFS",
        0xF2F5_2010: "F2FS", 0x4D44: "FAT", 0x2011_BAB0: "exFAT",
    ]

    /// Looks for the journal of the device among those that the kernel lists.
    private static func findJournal(_ device: UInt) -> Bool? {
        guard let stream = opendir("/proc/fs/jbd2") else { return nil }
        defer { closedir(stream) }
        let major = device >> 8 & 0xFFF | device >> 32 & ~0xFFF
        let minor = device & 0xFF | device >> 12 & ~0xFF
        var target = [CChar](repeating: 0, count: 1_024)
        let length = readlink("/sys/dev/block/\(major):\(minor)", &target, target.count)
        guard length > 0 else { return nil }
        let link = String(decoding: target.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
        guard let name = link.split(separator: "/").last else { return nil }
        while let entry = readdir(stream) {
            guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { return nil }
            let journal = String(cString: (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self))
            if journal.hasPrefix(name + "-") { return true }
        }
        return false
    }
}

extension Directory {
    /// Tells ext4 that the directories made in this one have nothing to do with one another.
    ///
    /// Without a journal ext4 walks over each inode freed in the last minutes before it takes one of the same block
    /// group, and an entry frees two. Spread over the groups, a claim and its output took half the time. This is only a
    /// hint: if it is refused, nothing is lost.
    func spreadDirectories() {
        var flags: CLong = 0
        guard ioctl(descriptor, UInt(clinux_get_flags), &flags) == 0 else { return }
        flags |= CLong(clinux_top_of_hierarchy)
        _ = ioctl(descriptor, UInt(clinux_set_flags), &flags)
    }
}
