/// Whose transactions: each program recovers only its own.
public enum Program: String, Sendable, Hashable, CaseIterable {
    case ses, relay

    var workPath: String { self == .ses ? "work" : "relay/work" }
    var publishPath: String { self == .ses ? "publish" : "relay/publish" }
    var journalPath: String { self == .ses ? "journal" : "relay/journal" }
}

/// Where something leaves the spool, or rests for good.
public enum Folder: String, Sendable, Hashable, CaseIterable {
    case delivered, admin, blocked, retry
    /// What the relay gave up on.
    case failed
    /// What cannot be a message.
    case corrupt

    /// Where its files stand, from the spool's root: `new` of a Maildir, or the folder itself.
    var filePath: String {
        switch self {
        case .delivered, .admin, .blocked, .retry: rawValue + "/new"
        case .failed, .corrupt: rawValue
        }
    }

    /// The folders that a transaction's outputs go to.
    static let results: [Folder] = [.delivered, .admin, .blocked, .retry]
}

/// Where messages wait for `ses`.
public enum Queue: String, Sendable, Hashable, CaseIterable {
    case outgoing, incoming, retry
}
