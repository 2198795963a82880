/// The program that owns transactions. Each program recovers only its own.
public enum Program: String, Sendable, Hashable, CaseIterable {
    case ses, relay

    /// The name of the program's command.
    public var name: String {
        switch self {
        case .ses: "ses"
        case .relay: "ses-relay"
        }
    }

    /// The program's folders and rights on a spool.
    public var territory: Territory {
        switch self {
        case .ses: .ses
        case .relay: .relay
        }
    }
}

/// The folders and rights of a program on a spool: everything in which the programs differ there.
public struct Territory: Sendable {
    /// Directories of transactions, of the journal and of published states, from the spool's root.
    let workPath: String
    let publishPath: String
    let journalPath: String
    let statePath: String
    /// The directory where messages wait for their next attempt; nil for a program that uses a folder.
    let deferredPath: String?
    /// The folders that the program may write in.
    let folders: [Folder]
    /// Those of them that a transaction may have put something in.
    let resultFolders: [Folder]
    /// The folder for messages that cannot be processed. They are moved there by one rename.
    let restingFolder: Folder
    /// The folder for files that cannot be messages.
    public let unfitFolder: Folder
    /// The queues from which the program takes messages, as far as they are not folders of its own.
    let queues: [Queue]
    /// True if others write into the queues, also bare files beside `new/`.
    let takesBareFiles: Bool
    /// Directories of unfinished deliveries by the program, which it clears.
    let sweptPaths: [String]
    /// True if the program's user is in the group of the spool itself. Another may only search its root, and need not
    /// see what is for others.
    let ownsSpool: Bool
    /// True if a record belongs to each transaction. A message may then leave without an output, and outputs may leave
    /// before it ends.
    let keepsRecord: Bool
    /// The number of times that the program tries to put away by its record a message that has ended every start,
    /// before that is done without looking at it.
    let isolationStarts: Int

    static let ses = Territory(
        workPath: "work", publishPath: "publish", journalPath: "journal", statePath: "state", deferredPath: nil,
        folders: Folder.allCases, resultFolders: [.delivered, .admin, .blocked, .retry], restingFolder: .blocked,
        unfitFolder: .corrupt, queues: [.outgoing, .incoming], takesBareFiles: true,
        sweptPaths: ["outgoing/tmp", "incoming/tmp", "delivered/tmp", "admin/tmp", "blocked/tmp", "retry/tmp"],
        ownsSpool: true, keepsRecord: false, isolationStarts: 1)

    static let relay = Territory(
        workPath: "relay/work", publishPath: "relay/publish", journalPath: "relay/journal", statePath: "relay",
        deferredPath: "relay/deferred", folders: [.delivered, .admin, .failed],
        resultFolders: [.delivered, .admin, .failed], restingFolder: .failed, unfitFolder: .failed,
        queues: [.delivered, .admin], takesBareFiles: false, sweptPaths: [], ownsSpool: false, keepsRecord: true,
        isolationStarts: 3)
}
