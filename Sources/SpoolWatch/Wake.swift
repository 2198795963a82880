/// The reasons to look at the spool. A wake means that something may be there; only the listing says what.
public struct Wake: Sendable, Hashable {
    public enum Reason: Sendable, Hashable {
        /// A file came into a watched directory, or was written to.
        case event
        /// Somebody asks for a look at everything, because of an operator's order.
        case order
        /// More happened than the kernel could tell: anything may have come.
        case overflow
        /// A watched directory was moved, removed or made anew; it is watched again once it is there.
        case directory(String)
        /// Time has passed without regard to events.
        case timer
        /// A directory cannot be watched, and why; the timer alone looks there.
        case blind(String)
    }

    public internal(set) var reasons: Set<Reason>

    init(_ reasons: Set<Reason>) { self.reasons = reasons }

    public var isTimer: Bool { reasons.contains(.timer) }
    public var isOrder: Bool { reasons.contains(.order) }

    /// True if an administrator may have to know of it.
    public var isNoteworthy: Bool {
        reasons.contains { reason in
            switch reason {
            case .event, .order, .timer: false
            case .overflow, .directory, .blind: true
            }
        }
    }
}

extension Wake: CustomStringConvertible {
    public var description: String {
        reasons.map { reason in
            switch reason {
            case .event: "a file came"
            case .order: "an operator gave an order"
            case .overflow:
                "more came than the kernel could tell (fs.inotify.max_queued_events); the folders are listed"
            case .directory(let path): "\(path) was moved, removed or made anew"
            case .timer: "time to look"
            case .blind(let text): text
            }
        }
        .sorted().joined(separator: "; ")
    }
}

/// Watching could not begin.
public struct SpoolWatchError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// Another watcher runs in this process; the library behind it serves one only.
        case alreadyWatching
        /// The watcher's descriptor came out at 1024 or above, which the library cannot use.
        case tooManyDescriptors
        /// A directory is missing, is a symbolic link, or may not be read.
        case directory
        /// The kernel refused.
        case system
    }

    public let kind: Kind
    public let path: String
    public let errno: Int32
    public let explanation: String

    init(_ kind: Kind, path: String = "", errno: Int32 = 0, _ explanation: String) {
        self.kind = kind
        self.path = path
        self.errno = errno
        self.explanation = explanation
    }

    public var description: String {
        [explanation, path, errno == 0 ? "" : "\(errorText(errno)) (errno \(errno))"].filter { !$0.isEmpty }
            .joined(separator: ": ")
    }
}
