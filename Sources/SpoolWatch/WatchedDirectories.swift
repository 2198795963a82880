import CInotifyTools
import Glibc

/// The directories under watch, and the library's calls about them. Everything here runs on the watcher's one thread.
struct WatchedDirectories {
    /// Files that come in by creation, link or rename, or were written to; and the directory's own moving and going.
    static let mask =
        IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW

    private struct Identity: Hashable {
        let device: UInt
        let inode: UInt
    }

    private let paths: [String]
    private let bells: Set<String>
    /// The directory that each path led to when its watch was set; nil while it is not watched.
    private var watched: [String: Identity] = [:]
    /// Watches whose directory is gone. The library keeps them, and would complain if asked to remove them.
    private var dead: Set<CInt> = []
    /// The last complaint about each path that cannot be watched, so that it is reported once.
    private var complaints: [String: Int32] = [:]

    /// - Parameter bells: Those of `paths` where a file that comes is an order and no message.
    init(_ paths: [String], bells: [String] = []) {
        self.paths = paths.map(Self.withoutSlash)
        self.bells = Set(bells.map(Self.withoutSlash))
    }

    /// True if a directory is not watched, so that arrivals there are found by the timer only.
    var isBlind: Bool { watched.count < paths.count }

    /// Sets the first watches. A lack of watches or of memory does not prevent the start: ``repair(isThorough:)``
    /// reports it.
    mutating func begin() throws(SpoolWatchError) {
        for path in paths {
            let failure = add(path)
            guard failure != 0, failure != ENOSPC, failure != ENOMEM else { continue }
            let kind: SpoolWatchError.Kind = [ENOENT, ENOTDIR, ELOOP, EACCES].contains(failure) ? .directory : .system
            throw SpoolWatchError(kind, path: path, errno: failure, Self.explanation(failure))
        }
    }

    /// Returns the reasons that `event` gives for our directories.
    mutating func reasons(mask: UInt32, watch: CInt) -> Set<Wake.Reason> {
        let meaning = EventMeaning(mask: mask)
        if meaning == .overflow { return [.overflow] }
        // nil: a watch of a moved directory that was given up.
        let path = inotifytools_filename_from_wd(watch).map { Self.withoutSlash(String(cString: $0)) }
        switch meaning {
        case .overflow: return [.overflow]
        case .arrival: return [path.map(bells.contains) == true ? .order : .event]
        case .moved:
            guard let path else { return [] }
            watched[path] = nil
            // Otherwise it would report events of a directory that is somewhere else now.
            if !dead.contains(watch) { _ = inotifytools_remove_watch_by_wd(watch) }
            return [.directory(path)]
        case .gone:
            dead.insert(watch)
            guard let path else { return [] }
            watched[path] = nil
            return [.directory(path)]
        case .nothing: return []
        }
    }

    /// Watches again what can be, and sees to it that each path still leads to what is watched.
    /// - Parameter isThorough: Also looks at directories without an event, because a moved parent sends no event for
    ///   its children.
    mutating func repair(isThorough: Bool) -> Set<Wake.Reason> {
        var reasons: Set<Wake.Reason> = []
        for path in paths {
            if let known = watched[path] {
                guard isThorough, identity(path) != known else { continue }
                watched[path] = nil
                let watch = inotifytools_wd_from_filename(path + "/")
                if watch > 0, !dead.contains(watch) { _ = inotifytools_remove_watch_by_wd(watch) }
                reasons.insert(.directory(path))
            }
            let failure = add(path)
            if failure == 0 {
                complaints[path] = nil
                // Files that arrived before the watch was set caused no event.
                reasons.insert(.directory(path))
            } else if complaints[path] != failure {
                complaints[path] = failure
                reasons.insert(.blind("\(path): \(Self.explanation(failure)): \(errorText(failure))"))
            }
        }
        return reasons
    }

    /// - Returns: 0, or errno.
    private mutating func add(_ path: String) -> Int32 {
        let before = identity(path)
        guard inotifytools_watch_file(path, CInt(bitPattern: UInt32(Self.mask))) != 0 else {
            let code = inotifytools_error()
            return code == 0 ? EIO : code
        }
        // Swapped while the watch was set: the next repair looks again.
        guard let before, before == identity(path) else { return ESTALE }
        watched[path] = before
        return 0
    }

    private func identity(_ path: String) -> Identity? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        return Identity(device: UInt(status.st_dev), inode: UInt(status.st_ino))
    }

    private static func withoutSlash(_ path: String) -> String {
        path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    private static func explanation(_ errno: Int32) -> String {
        switch errno {
        case ENOSPC:
            "this user has no more inotify watches, so the folder is looked at every few seconds instead; raise "
                + "fs.inotify.max_user_watches, which is \(InotifyLimits.current().watches ?? 0)"
        case ENOENT: "the directory to watch is missing"
        case ENOTDIR, ELOOP: "what should be watched is a symbolic link or no directory"
        case ENOMEM:
            "the kernel has no memory for an inotify watch, so the folder is looked at every few seconds instead"
        case EACCES: "the directory to watch may not be read"
        default: "the directory cannot be watched"
        }
    }
}

/// The meaning of an inotify event for a spool.
enum EventMeaning: Hashable {
    case arrival, overflow, moved, gone, nothing

    init(mask: UInt32) {
        func has(_ bits: Int) -> Bool { mask & UInt32(bits) != 0 }
        if has(Int(IN_Q_OVERFLOW)) {
            self = .overflow
        } else if has(Int(IN_MOVE_SELF)) {
            self = .moved
        } else if has(Int(IN_DELETE_SELF)) || has(Int(IN_IGNORED)) || has(Int(IN_UNMOUNT)) {
            self = .gone
        } else if has(Int(IN_CREATE)) || has(Int(IN_MOVED_TO)) || has(Int(IN_CLOSE_WRITE)) {
            self = .arrival
        } else {
            self = .nothing
        }
    }
}
