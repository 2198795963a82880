/// The program that owns transactions. Each program recovers only its own.
public enum Program: String, Sendable, Hashable, CaseIterable {
    case ses, relay

    /// The name of the program's command.
    public var name: String { self == .ses ? "ses" : "ses-relay" }
    var workPath: String { self == .ses ? "work" : "relay/work" }
    var publishPath: String { self == .ses ? "publish" : "relay/publish" }
    var journalPath: String { self == .ses ? "journal" : "relay/journal" }
    /// The folder for messages that cannot be processed. They are moved there by one rename.
    var restingFolder: Folder { self == .ses ? .blocked : .failed }
    /// The folder for files that cannot be messages.
    public var unfitFolder: Folder { self == .ses ? .corrupt : .failed }
}

/// The folders where files leave the spool, or stay permanently.
public enum Folder: String, Sendable, Hashable, CaseIterable {
    case delivered, admin, blocked, retry
    /// Messages that the relay gave up on.
    case failed
    /// Files that cannot be messages.
    case corrupt

    /// The directory of its files, from the spool's root: `new` of a Maildir, or the folder itself.
    var filePath: String {
        switch self {
        case .delivered, .admin, .blocked, .retry: rawValue + "/new"
        case .failed, .corrupt: rawValue
        }
    }

    /// The folders that a transaction's outputs go to.
    static let results: [Folder] = [.delivered, .admin, .blocked, .retry]
}

/// The folders where messages wait: the first three for `ses`, the others for the relay.
public enum Queue: String, Sendable, Hashable, CaseIterable {
    case outgoing, incoming, retry
    case delivered, admin

    /// True if only programs of the spool write there, so that every fact of a name is believed and a foreign name is
    /// left alone.
    var isOurs: Bool {
        switch self {
        case .outgoing, .incoming: false
        case .retry, .delivered, .admin: true
        }
    }
}
