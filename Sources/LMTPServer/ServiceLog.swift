import HostProcess
import Synchronization

/// The log of the service on standard error.
final class ServiceLog: Sendable {
    private let format: LogFormat
    private let rare = Mutex<[String: ContinuousClock.Instant]>([:])
    private let program = "ses-lmtp"

    init(_ format: LogFormat) { self.format = format }

    func write(_ level: String, _ message: String, _ facts: [(key: String, value: String)]) {
        LogLine.put(LogLine.line(format, level, message, facts, program: program))
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
