/// Exit codes by sysexits.h, as mail transfer agents read them.
public enum ExitStatus: Int32, Sendable {
    case success = 0
    /// A warning (`ses status`), or not all was done.
    case unhealthy = 1
    /// Something is broken (`ses status`).
    case broken = 2
    /// EX_USAGE.
    case usage = 64
    /// EX_DATAERR: the input can never be accepted.
    case badInput = 65
    /// EX_NOINPUT.
    case noInput = 66
    /// EX_UNAVAILABLE.
    case unavailable = 69
    /// EX_SOFTWARE.
    case software = 70
    /// EX_OSERR.
    case system = 71
    /// EX_CANTCREAT.
    case cannotCreate = 73
    /// EX_IOERR; after it nothing was published.
    case inputOutput = 74
    /// EX_TEMPFAIL: the caller keeps the message and tries again.
    case tryAgain = 75
    /// EX_NOPERM.
    case noPermission = 77
    /// EX_CONFIG.
    case configuration = 78
}

/// The reason why a program ends early: its text for standard error, and its exit code.
public struct ProgramError: Error, Sendable {
    public let status: ExitStatus
    public let text: String

    public init(_ status: ExitStatus, _ text: String) {
        self.status = status
        self.text = text
    }
}
