import Glibc
import HostProcess
import Synchronization

/// The log of the service on standard error: text on a terminal, JSON otherwise.
final class ServiceLog: Sendable {
    private let isText = isatty(STDERR_FILENO) == 1
    private let rare = Mutex<[String: ContinuousClock.Instant]>([:])
    private let program = "ses-lmtp"

    func write(_ level: String, _ message: String, _ facts: [(key: String, value: String)]) {
        LogLine.put(
            isText ? LogLine.text(level, message, facts) : LogLine.json(level, message, facts, program: program))
    }

    /// The same, once in ten seconds for a message: a full disk must not fill the log.
    func writeRarely(_ level: String, _ message: String, _ facts: [(key: String, value: String)]) {
        let now = ContinuousClock.now
        let isDue = rare.withLock { rare in
            if let next = rare[message], now < next { return false }
            rare[message] = now + .seconds(10)
            return true
        }
        if isDue { write(level, message, facts) }
    }
}
