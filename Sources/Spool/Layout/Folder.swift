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
