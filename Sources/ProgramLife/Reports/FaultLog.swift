package import Logging
package import Spool
import Synchronization

/// The log of faults that may last. The first fault of a kind is logged at once, later ones with a count and ever more
/// rarely.
package final class FaultLog: Sendable {
    private struct Known {
        var untold = 0
        var nextLine: Duration
        var interval: Duration
    }

    private let known = Mutex<[String: Known]>([:])
    private let log: Logger
    private let clock: SpoolClock

    private static let firstInterval = Duration.seconds(10)
    private static let maximumInterval = Duration.seconds(600)
    /// Kinds are few; this only bounds the memory.
    private static let maximumKinds = 200

    package init(log: Logger, clock: SpoolClock) {
        self.log = log
        self.clock = clock
    }

    /// Logs `error`, or counts it if its kind was logged a short time ago.
    /// - Parameter subject: The operation under way.
    package func tell(_ message: String, _ error: SpoolError, about subject: String, level: Logger.Level = .error) {
        // A path in the explanation is another for each message.
        let words = error.explanation.prefix { $0 != "/" }
        tell(
            message, kind: "\(message) \(error.kind) \(error.errno) \(words)", level,
            ["about": "\(subject)", "error": "\(error.description)"])
    }

    /// - Parameter kind: The kind under which faults are counted.
    package func tell(_ message: String, kind: String, _ level: Logger.Level, _ metadata: Logger.Metadata) {
        let now = clock.monotonic()
        let count = known.withLock { known -> Int? in
            guard var entry = known[kind] else {
                if known.count >= Self.maximumKinds { known = known.filter { $0.value.nextLine > now } }
                known[kind] = Known(nextLine: now + Self.firstInterval, interval: Self.firstInterval)
                return 1
            }
            entry.untold += 1
            guard now >= entry.nextLine else {
                known[kind] = entry
                return nil
            }
            let isQuiet = now >= entry.nextLine + entry.interval
            let interval = isQuiet ? Self.firstInterval : min(entry.interval * 2, Self.maximumInterval)
            known[kind] = Known(nextLine: now + interval, interval: interval)
            return entry.untold
        }
        guard let count else { return }
        var metadata = metadata
        if count > 1 { metadata["times"] = "\(count)" }
        log.log(level: level, "\(message)", metadata: metadata)
    }
}
