import Glibc

/// The files that a sweep removed.
public struct SweptLitter: Sendable, Hashable {
    /// Files that never became messages, from the `tmp/` of the Maildirs.
    public internal(set) var unfinished = 0
    /// State files of processes that ended without removing them, and halves of such files.
    public internal(set) var states = 0

    public var isEmpty: Bool { unfinished == 0 && states == 0 }
}

extension Spool {
    /// The age in seconds from which a file in `tmp/` is no longer a delivery under way: 36 hours, as in maildir(5).
    static let unfinishedLifetime = 36 * 3_600
    /// The age in seconds from which a state file is litter. A running process renews its own every few seconds.
    static let deadStateLifetime = 3_600

    /// Removes what killed processes left: unfinished deliveries and state files. Messages are never touched.
    ///
    /// A file that cannot be removed is passed over; the next sweep meets it again.
    /// - Throws: ``SpoolError`` when a folder cannot be listed.
    public func sweepLitter() throws(SpoolError) -> SweptLitter {
        var swept = SweptLitter()
        for folder in territory.sweptPaths {
            let directory: Directory
            do throws(SpoolError) {
                directory = try root.descend(folder)
            } catch let error where error.isMissingDirectory {
                continue
            }
            swept.unfinished += try directory.removeFiles(olderThan: Self.unfinishedLifetime, now: clock.now()) { _ in
                true
            }
        }
        swept.states = try state.removeFiles(olderThan: Self.deadStateLifetime, now: clock.now()) { name in
            // `.PROGRAM-PID.json.DIGITS` is an unfinished state whose writer was killed. The relay's state stands among
            // folders.
            name.text.map { Self.isState($0) } == true
        }
        return swept
    }

    private static func isState(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        // The room that a living process keeps for its state is removed with the state.
        let isHalf = parts.count == 4 && parts[0].isEmpty && parts[3] != "spare"
        guard isHalf || parts.count == 2, parts[isHalf ? 2 : 1] == "json" else { return false }
        let pieces = parts[isHalf ? 1 : 0].split(separator: "-")
        return pieces.count >= 2 && pieces.last.map { $0.allSatisfy { $0.isASCII && $0.isNumber } } == true
    }
}

extension Directory {
    /// Removes the regular files that `isLitter` accepts and that were not changed for `age` seconds.
    /// - Returns: The number of files removed.
    fileprivate func removeFiles(
        olderThan age: Int, now: Int, _ isLitter: (FileName) -> Bool
    ) throws(SpoolError) -> Int {
        var removed = 0
        for name in try names() where isLitter(name) {
            guard let status = try status(name), status.st_mode & S_IFMT == S_IFREG,
                now - max(status.st_mtim.tv_sec, status.st_ctim.tv_sec) > age
            else { continue }
            if name.withPointer({ unlinkat(descriptor, $0, 0) }) == 0 { removed += 1 }
        }
        return removed
    }
}
