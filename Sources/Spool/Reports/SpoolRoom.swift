import Glibc

extension Spool {
    /// Octets below which a file system of so many counts as full: some refuse to write long before nothing is left.
    static func leastRoom(of total: Int) -> Int { min(max(total / 50, 256 << 10), 16 << 20) }

    /// Returns the reason why nothing can be written in a spool at all, as the caller sees it; nil if there is none.
    /// - Parameters:
    ///   - least: The octets that must stay free; nil for as many as a file system needs to be of use.
    ///   - octets: The octets that are to be written beside them.
    static func lackOfRoom(
        in root: Directory, least: Int? = nil, octets: Int = 0
    ) throws(SpoolError) -> String? {
        var facts = statvfs()
        guard fstatvfs(root.descriptor, &facts) == 0 else {
            throw SpoolError(.system, path: root.path, errno: errno, "cannot ask how much room the file system has")
        }
        if facts.f_flag & UInt(ST_RDONLY) != 0 {
            return "the file system of the spool is read-only: see the kernel log, then remount it"
        }
        let free = Int(facts.f_bavail) * Int(facts.f_frsize)
        let needed = max(least ?? 0, leastRoom(of: Int(facts.f_blocks) * Int(facts.f_frsize)))
        if free < needed || free - needed < octets {
            return
                "the file system of the spool is full (\(free / 1_024) KiB free): make room; work then continues by itself"
        }
        // File systems without a fixed number of inodes say 0 of 0.
        if facts.f_files > 0, facts.f_favail == 0 {
            return "the file system of the spool has no inodes left: remove files; work then continues by itself"
        }
        return nil
    }
}
