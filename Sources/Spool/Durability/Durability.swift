import Glibc
import Synchronization

/// The number of fsyncs that the spool asked for.
public struct SyncCounts: Sendable, Hashable {
    /// Of output files.
    public var files = 0
    /// Of an entry's own directory.
    public var directories = 0
    /// Of `publish` and the folders, each for all entries renamed before it.
    public var shared = 0
    /// The number of times that an entry needed a shared one.
    public var sharedRequests = 0
}

/// The one place that calls fsync, and remembers when a directory could not be synced.
final class Durability: Sendable {
    private let fileSync: @Sendable (CInt) -> CInt
    private let directorySync: @Sendable (CInt) -> CInt
    private let files = Atomic(0)
    private let directories = Atomic(0)
    private let shared = Atomic(0)
    private let sharedRequests = Atomic(0)
    private let lost = Atomic(false)

    /// - Parameters: each syncs a descriptor: 0, or -1 and errno.
    init(
        file: @escaping @Sendable (CInt) -> CInt = { fsync($0) },
        directory: @escaping @Sendable (CInt) -> CInt = { fsync($0) }
    ) {
        fileSync = file
        directorySync = directory
    }

    var counts: SyncCounts {
        SyncCounts(
            files: files.load(ordering: .relaxed), directories: directories.load(ordering: .relaxed),
            shared: shared.load(ordering: .relaxed), sharedRequests: sharedRequests.load(ordering: .relaxed))
    }

    /// Throws once a directory could not be synced: nothing may be published after that.
    func check(_ path: String) throws(SpoolError) {
        if lost.load(ordering: .acquiring) { throw lost(path, errno: 0) }
    }

    /// Never repeated, whatever the error: the kernel may have dropped the pages and call the next fsync good.
    func sync(file: OpenFile) throws(SpoolError) {
        files.add(1, ordering: .relaxed)
        guard fileSync(file.descriptor) == 0 else {
            throw SpoolError(.fileSync, path: file.path, errno: errno, "cannot make the file durable")
        }
    }

    func sync(directory: Directory) throws(SpoolError) {
        directories.add(1, ordering: .relaxed)
        guard directorySync(directory.descriptor) == 0 else {
            let cause = errno
            lost.store(true, ordering: .releasing)
            throw lost(directory.path, errno: cause)
        }
    }

    func makeGroup(for directory: Directory) -> GroupSync {
        GroupSync { [self] in
            shared.add(1, ordering: .relaxed)
            if directorySync(directory.descriptor) == 0 { return 0 }
            let cause = errno
            lost.store(true, ordering: .releasing)
            return cause
        }
    }

    func sync(_ group: GroupSync, of directory: Directory) throws(SpoolError) {
        sharedRequests.add(1, ordering: .relaxed)
        let outcome = group.wait()
        guard outcome == 0 else { throw lost(directory.path, errno: outcome) }
    }

    private func lost(_ path: String, errno: CInt) -> SpoolError {
        SpoolError(
            .directorySync, path: path, errno: errno,
            "a directory could not be made durable: the program must end, recovery goes on at the next start")
    }
}
