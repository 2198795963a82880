/// Whose transactions: each program recovers only its own.
public enum Program: String, Sendable, Hashable, CaseIterable {
    case ses, relay

    var workPath: String { self == .ses ? "work" : "relay/work" }
    var publishPath: String { self == .ses ? "publish" : "relay/publish" }
    var journalPath: String { self == .ses ? "journal" : "relay/journal" }
    /// Where a message is put by one rename that cannot be worked on.
    var restingFolder: Folder { self == .ses ? .blocked : .failed }
    /// Where goes what cannot be a message.
    var unfitFolder: Folder { self == .ses ? .corrupt : .failed }
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

/// Where messages wait: the first three for `ses`, the others for the relay.
public enum Queue: String, Sendable, Hashable, CaseIterable {
    case outgoing, incoming, retry
    case delivered, admin

    /// Whether only programs of the spool write there, so that every fact of a name is believed and a foreign name is left alone.
    var isOurs: Bool {
        switch self {
        case .outgoing, .incoming: false
        case .retry, .delivered, .admin: true
        }
    }
}
