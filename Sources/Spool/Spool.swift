import Glibc
public import Octets
import Synchronization

/// A spool on disk: what waits, what is being worked on, what became of it.
///
/// Everything here blocks; call it on threads that may. Any number of threads and of processes may use one spool at
/// once. `spool-layout/README.md` has the table of states that these calls move entries through.
public final class Spool: Sendable {
    /// As given to `init`.
    public let path: String
    public let program: Program
    /// Explains what happened; never read to decide anything.
    public let journal: Journal
    /// 32 random octets of this spool; empty for the relay, which has no use for them.
    public let secret: OctetString

    let clock: SpoolClock
    let random: SpoolRandom
    let durability: Durability
    let root: Directory
    private let workFolder: OwnFolder
    private let publishFolder: OwnFolder
    private let stateFolder: OwnFolder
    /// Nil for `ses`, which uses a folder.
    private let deferredFolder: OwnFolder?
    /// The published state of this process, and its place when the disk is full.
    let stateReserve = StateReserve()
    private let folders: [Folder: ResultFolder]
    /// Directories in `work/` whose message counts one start too many, because a fault kept it from being given back.
    private let forgiven = Mutex<Set<String>>([])

    /// Opens a spool that `ses init` made.
    /// - Throws: ``SpoolError`` of kind `layout` if it is not a spool or incomplete, `permissions` if others may write
    ///   in it.
    public convenience init(
        opening path: String, program: Program, clock: SpoolClock = .system, random: SpoolRandom = .system
    ) throws(SpoolError) {
        try self.init(opening: path, program: program, clock: clock, random: random, durability: Durability())
    }

    init(
        opening path: String, program: Program, clock: SpoolClock, random: SpoolRandom, durability: Durability
    ) throws(SpoolError) {
        self.path = path
        self.program = program
        let territory = program.territory
        self.clock = clock
        self.random = random
        self.durability = durability
        root = try Directory(path: path, searchOnly: !territory.ownsSpool)
        try Layout.refuseWorldWritable(root)
        if territory.ownsSpool { try Layout.makeMissingFolders(in: root) }
        for item in Layout.items where item.path.hasSuffix("/tmp") || !item.path.contains("/") {
            if territory.ownsSpool || item.group == .relay { _ = try Layout.open(item.path, in: root) }
        }
        workFolder = try OwnFolder(territory.workPath, in: root, durability)
        publishFolder = try OwnFolder(territory.publishPath, in: root, durability)
        stateFolder = try OwnFolder(territory.statePath, in: root, durability)
        deferredFolder = try territory.deferredPath.map { [root] (path) throws(SpoolError) in
            try OwnFolder(path, in: root, durability)
        }
        folders = Dictionary(
            uniqueKeysWithValues: territory.folders.map { [root] in
                ($0, ResultFolder($0, root: root, durability: durability))
            })
        for folder in folders.values { try Layout.refuseWorldWritable(folder.reopen().directory) }
        journal = Journal(
            folder: try OwnFolder(territory.journalPath, in: root, durability), program: program, clock: clock)
        secret = territory.ownsSpool ? try Self.readSecret(in: root) : OctetString()
        if territory.takesBareFiles {
            for queue in territory.queues { _ = try Layout.open(queue.rawValue + "/new", in: root) }
        }
    }

    /// The folders and rights of ``program``.
    public var territory: Territory { program.territory }
    var work: Directory { get throws(SpoolError) { try workFolder.open().directory } }
    /// For what must be durable in `work` before something happens outside.
    var workGroup: GroupSync { get throws(SpoolError) { try workFolder.open().group } }
    var publish: SyncedDirectory { get throws(SpoolError) { try publishFolder.open() } }
    var state: Directory { get throws(SpoolError) { try stateFolder.open().directory } }
    /// The directory where the relay's messages wait for their next attempt; nil for `ses`, which uses a folder.
    var deferred: Directory? { get throws(SpoolError) { try deferredFolder?.open().directory } }

    /// The number of fsyncs that were asked for so far.
    public var syncCounts: SyncCounts { durability.counts }

    func folder(_ folder: Folder) throws(SpoolError) -> ResultFolder {
        guard let result = folders[folder] else {
            throw SpoolError(.layout, path: path + "/" + folder.rawValue, "this program does not write in that folder")
        }
        return result
    }

    /// Has the next start of the entry in `work/NAME` not counted.
    func forgive(_ name: String) { forgiven.withLock { _ = $0.insert(name) } }

    /// Returns true if the next start of the entry in `work/NAME` was forgiven, which happens once.
    func consumeForgiveness(_ name: String) -> Bool { forgiven.withLock { $0.remove(name) != nil } }

    func makeUniqueName(_ entry: EntryID) -> UniqueName { UniqueName(entry: entry, clock: clock, random: random) }

    private static func readSecret(in root: Directory) throws(SpoolError) -> OctetString {
        let path = root.path + "/" + Layout.secretName
        guard try root.status(Layout.secretName) != nil else {
            throw SpoolError(.layout, path: path, errno: ENOENT, "the spool's secret is missing (`ses init` makes one)")
        }
        let file = try root.openFile(Layout.secretName)
        let status = try file.status()
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size == Layout.secretOctets else {
            throw SpoolError(
                .layout, path: path, "the spool's secret is not a file of 32 octets; remove it and run `ses init`")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw SpoolError(.permissions, path: path, "others may use the spool's secret: chmod 600")
        }
        var octets = [UInt8](repeating: 0, count: Layout.secretOctets)
        var failure: SpoolError?
        octets.withUnsafeMutableBytes { buffer in
            do throws(SpoolError) {
                let count = try file.read(into: buffer)
                if count != buffer.count {
                    failure = SpoolError(.raced, path: path, "the spool's secret became shorter")
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return OctetString(octets)
    }
}
