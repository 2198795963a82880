import Glibc
import Synchronization

/// A directory that only this program uses, such as `relay/work`. If it was removed while the program runs it is made
/// again, so that later mail is not held up.
final class OwnFolder: Sendable {
    /// From the spool's root.
    private let path: String
    private let root: Directory
    private let durability: Durability
    private let current: Mutex<SyncedDirectory>

    /// - Throws: ``SpoolError`` of kind `layout` when it is missing now: then the spool was never complete.
    init(_ path: String, in root: Directory, _ durability: Durability) throws(SpoolError) {
        self.path = path
        self.root = root
        self.durability = durability
        current = Mutex(SyncedDirectory(try Layout.open(path, in: root), durability))
    }

    /// The directory that the name leads to now.
    func open() throws(SpoolError) -> SyncedDirectory {
        let held = current.withLock { $0 }
        if try held.directory.isStill(path, in: root) { return held }
        try Layout.make(path, in: root)
        let opened = SyncedDirectory(try Layout.open(path, in: root), durability)
        return current.withLock { current in
            // Another thread may have been faster; all must wait on one group.
            if current.directory.identity == opened.directory.identity { return current }
            current = opened
            return opened
        }
    }
}
