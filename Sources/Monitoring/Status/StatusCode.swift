/// The kinds of trouble that a status may tell of. The words are stable: monitoring rules rest on them, and
/// docs/monitoring.md has a line for each.
public enum StatusCode: String, Codable, CaseIterable, Sendable, Hashable {
    // The spool and its file system.
    case spoolMissing = "spool-missing"
    case folderMissing = "folder-missing"
    case folderUnwritable = "folder-unwritable"
    case notVisible = "not-visible"
    case writeFailed = "write-failed"
    case diskSpace = "disk-space"
    case diskInodes = "disk-inodes"
    case clockOff = "clock-off"
    // The programs.
    case notRunning = "not-running"
    case noSignOfLife = "no-sign-of-life"
    case otherVersion = "other-version"
    case machineFault = "machine-fault"
    case journalUnwritable = "journal-unwritable"
    case metricsUnwritable = "metrics-unwritable"
    // Mail that does not move.
    case mailWaits = "mail-waits"
    case unfinishedWork = "unfinished-work"
    case notTaken = "not-taken"
    case unreadableFile = "unreadable-file"
    case foreignName = "foreign-name"
    case foreignFile = "foreign-file"
    case repairedState = "repaired-state"
    case failedMail = "failed-mail"
    case corruptFiles = "corrupt-files"
    // Servers.
    case serverSilent = "server-silent"
    case serverRefuses = "server-refuses"
    case nextHopSilent = "next-hop-silent"
    case lmtpSilent = "lmtp-silent"
    // Configuration, keys and certificates.
    case configurationUnusable = "configuration-unusable"
    case configurationDiffers = "configuration-differs"
    case certificateExpires = "certificate-expires"
    case certificateExpired = "certificate-expired"
    case certificateUnreadable = "certificate-unreadable"
}

/// One reason for which a status is not OK.
public struct StatusReason: Codable, Sendable, Hashable {
    public let code: StatusCode
    public let level: StatusLevel
    /// A sentence for people.
    public let text: String
    /// The command that mends it, or that shows what to do; nil where the text says it.
    public let remedy: String?

    public init(_ code: StatusCode, _ level: StatusLevel, _ text: String, remedy: String? = nil) {
        self.code = code
        self.level = level
        self.text = text
        self.remedy = remedy
    }
}

/// The reasons of a status, each once, in the order in which they were found.
public struct StatusReasons: Sendable {
    public private(set) var all: [StatusReason] = []

    public init() {}

    public mutating func add(_ reason: StatusReason?) {
        if let reason, !all.contains(reason) { all.append(reason) }
    }

    public mutating func add(_ code: StatusCode, _ level: StatusLevel, _ text: String, remedy: String? = nil) {
        add(StatusReason(code, level, text, remedy: remedy))
    }

    /// The worst of them.
    public var level: StatusLevel { all.map(\.level).max() ?? .ok }
}
