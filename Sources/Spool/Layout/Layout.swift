import Glibc

/// The directories of a spool, their owners and modes.
enum Layout {
    enum Group { case own, drop, relay }

    struct Item {
        let path: String
        let mode: mode_t
        let group: Group

        /// A folder with the same group.
        var sibling: String? {
            switch group {
            case .own: nil
            case .drop: path.hasPrefix("outgoing") ? "incoming" : "outgoing"
            case .relay: path.hasPrefix("delivered") ? "admin" : "delivered"
            }
        }
    }

    /// Parents before children.
    static let items: [Item] = {
        var items: [Item] = []
        func add(_ paths: [String], _ mode: mode_t, _ group: Group) {
            items += paths.map { Item(path: $0, mode: mode, group: group) }
        }
        for queue in ["outgoing", "incoming"] {
            // The sticky bit: a user who may drop messages must not take away or exchange those of others.
            add([queue, queue + "/tmp", queue + "/new"], 0o3770, .drop)
            add([queue + "/cur"], 0o750, .own)
        }
        add(["work", "publish", "corrupt", "journal", "state"], 0o750, .own)
        for folder in ["blocked", "retry"] {
            add([folder, folder + "/tmp", folder + "/new", folder + "/cur"], 0o750, .own)
        }
        for folder in ["delivered", "admin"] {
            add([folder, folder + "/tmp", folder + "/new", folder + "/cur"], 0o2770, .relay)
        }
        add(
            ["failed", "relay", "relay/work", "relay/publish", "relay/deferred", "relay/journal"], 0o2770, .relay)
        return items
    }()

    static let rootMode: mode_t = 0o751
    static let fileMode: mode_t = 0o640
    /// That of what a process says of itself. Its folder decides who gets to it: those who may look on have no group of
    /// their own on files.
    static let stateMode: mode_t = 0o644
    static let workMode: mode_t = 0o750
    static let secretName = "secret"
    static let secretOctets = 32

    /// Makes what is missing of a folder with all that is in it, such as `delivered` or `outgoing`.
    static func make(_ folder: Folder, in root: Directory) throws(SpoolError) {
        try make(in: root) { $0 == folder.rawValue || $0.hasPrefix(folder.rawValue + "/") }
    }

    /// Makes what is missing of one directory of the layout and of those above it.
    static func make(_ path: String, in root: Directory) throws(SpoolError) {
        try make(in: root) { path == $0 || path.hasPrefix($0 + "/") }
    }

    /// Makes what is missing of a queue.
    static func make(_ queue: Queue, in root: Directory) throws(SpoolError) {
        try make(in: root) { $0 == queue.rawValue || $0.hasPrefix(queue.rawValue + "/") }
    }

    /// Makes again the folders that somebody removed from a spool: those that nothing but the programs fill.
    ///
    /// Only the owner of the spool does that, because a folder that another user makes would keep the programs out. A
    /// directory without the secret and without the queues is no spool, or one that was never complete, and stays as
    /// it is.
    static func makeMissingFolders(in root: Directory) throws(SpoolError) {
        guard geteuid() == root.owner else { return }
        for path in ["outgoing", "incoming", secretName] where try root.status(path) == nil { return }
        let folders = Set(Folder.allCases.map(\.rawValue))
        try make(in: root) { path in folders.contains(String(path.prefix { $0 != "/" })) }
    }

    private static func make(in root: Directory, where isWanted: (String) -> Bool) throws(SpoolError) {
        for item in items where isWanted(item.path) {
            guard try root.status(item.path) == nil else { continue }
            guard mkdirat(root.descriptor, item.path, item.mode) == 0 || errno == EEXIST else {
                throw root.failure(errno, item.path, "cannot make the missing folder")
            }
            let made = try root.descend(item.path)
            if let sibling = item.sibling, let status = try root.status(sibling) {
                // Only a member of the group may set it. Without it the other program sees nothing there, and `ses
                // init` repairs that.
                _ = fchown(made.descriptor, uid_t.max, status.st_gid)
            }
            // mkdir masks the mode with the umask, and drops the set-group-id bit.
            guard fchmod(made.descriptor, item.mode) == 0 else {
                throw SpoolError(.system, path: made.path, errno: errno, "cannot set the mode of the folder made")
            }
        }
    }

    /// Opens a directory of the layout and refuses it when everybody may write there.
    static func open(_ path: String, in root: Directory) throws(SpoolError) -> Directory {
        let directory = try root.descend(path)
        try refuseWorldWritable(directory)
        guard directory.identity.device == root.identity.device else {
            throw SpoolError(
                .fileSystem, path: directory.path, errno: EXDEV,
                "a directory of the spool is on another file system than the spool")
        }
        return directory
    }

    static func refuseWorldWritable(_ directory: Directory) throws(SpoolError) {
        guard directory.mode & S_IWOTH == 0 else {
            throw SpoolError(
                .permissions, path: directory.path,
                "everybody may write in this directory of the spool, so anybody could forge mail: chmod o-w, then start again"
            )
        }
    }
}
