import Glibc
import Synchronization

/// A directory into which entries are renamed and which is then synced for many of them at once.
struct SyncedDirectory: Sendable {
    let directory: Directory
    let group: GroupSync

    init(_ directory: Directory, _ durability: Durability) {
        self.directory = directory
        group = durability.makeGroup(for: directory)
    }
}

/// A folder where results are put. Somebody may move or remove it and make another while the program runs.
final class ResultFolder: Sendable {
    let folder: Folder
    private let root: Directory
    private let durability: Durability
    private let current: Mutex<SyncedDirectory?>

    init(_ folder: Folder, root: Directory, durability: Durability) {
        self.folder = folder
        self.root = root
        self.durability = durability
        current = Mutex(nil)
    }

    /// Returns the directory that the folder's name leads to now. A missing one is made again, because a result must
    /// have a place to go.
    func open() throws(SpoolError) -> SyncedDirectory {
        let held = current.withLock { $0 }
        if let held, try held.directory.isStill(folder.filePath, in: root) { return held }
        do throws(SpoolError) {
            return try reopen()
        } catch let error where error.isMissingDirectory {
            try Layout.make(folder, in: root)
            return try reopen()
        }
    }

    /// - Throws: ``SpoolError`` of kind `layout` when the folder is missing.
    func reopen() throws(SpoolError) -> SyncedDirectory {
        let opened = SyncedDirectory(try root.descend(folder.filePath), durability)
        guard opened.directory.identity.device == root.identity.device else {
            throw SpoolError(
                .fileSystem, path: opened.directory.path, errno: EXDEV,
                "a folder is on another file system than the spool")
        }
        return current.withLock { current in
            // Another thread may have been faster; all must wait on one group.
            if let other = current, other.directory.identity == opened.directory.identity { return other }
            current = opened
            return opened
        }
    }
}
