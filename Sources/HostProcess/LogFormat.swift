import Glibc

/// The form of the lines that a program logs on standard error.
public enum LogFormat: String, Sendable, CaseIterable {
    /// For a person at a terminal: local time, entry, event, facts.
    case text
    /// For a machine that collects lines: one JSON object with its keys in a fixed order, times in UTC.
    case json
    /// For journald, which knows the time: a priority in front of the line (sd-daemon(3)).
    case journal

    /// Returns the form that fits standard error: `text` on a terminal, `journal` where journald reads it, else `json`.
    public static var fitting: LogFormat {
        if isatty(STDERR_FILENO) == 1 { return .text }
        return isJournal(getenv("JOURNAL_STREAM").map { String(cString: $0) }) ? .journal : .json
    }

    /// Returns true if `JOURNAL_STREAM` names standard error: a program that a service starts inherits the variable,
    /// but may have its errors elsewhere (systemd.exec(5)).
    static func isJournal(_ stream: String?) -> Bool {
        guard let stream else { return false }
        var status = stat()
        guard fstat(STDERR_FILENO, &status) == 0 else { return false }
        return stream == "\(status.st_dev):\(status.st_ino)"
    }
}
