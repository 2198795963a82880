import HostProcess
package import Logging
import Synchronization
package import Workers

/// The notices of a daemon to the service manager that started it, and the watchdog over its loops.
///
/// Without a service manager all of it does nothing.
package final class DaemonNotices: Sendable {
    /// The interval of the watcher's timer: loops that it rings must give a sign of life often enough.
    package static var watcherInterval: Duration {
        let usual = Duration.seconds(30)
        return Supervisor.current.watchdogInterval.map { min(usual, $0 / 4) } ?? usual
    }

    private let supervisor: Supervisor
    private let watchdog: Watchdog?
    private let log: Logger
    /// The line of status that was told last.
    private let told = Mutex("")

    package init(_ log: Logger) {
        let supervisor = Supervisor.current
        self.supervisor = supervisor
        self.log = log
        watchdog = supervisor.watchdogInterval.map { interval in
            Watchdog(interval: interval, feed: { supervisor.alive() }, complain: { log.error("\($0)") })
        }
    }

    /// Adds a loop that goes round when its bell is rung.
    /// - Returns: The part that the loop calls each time; nil without a watchdog.
    package func watch(_ name: String, ringing bell: WakeBell) -> Watchdog.Part? {
        watchdog?.add(name) { _ in bell.ring() }
    }

    /// Adds a loop that goes round by itself, more often than the watchdog asks.
    package func watch(_ name: String) -> Watchdog.Part? { watchdog?.add(name) { _ in } }

    /// Adds threads: they live if they run a job.
    package func watch(_ name: String, _ threads: WorkerThreads) {
        watchdog?.add(name) { part in
            Task(executorPreference: threads) { part.beat() }
        }
    }

    /// Adds the messages in work: none may take longer than `limit`.
    package func watch(_ inHand: WorkInHand, limit: @escaping @Sendable () -> Duration) {
        watchdog?.add("the messages in work") { part in
            if inHand.longest <= limit() { part.beat() }
        }
    }

    /// Says that the program does its work, and begins to watch over it.
    package func started() {
        if let trouble = supervisor.ready(told.withLock { $0 }) { log.warning("\(trouble)") }
        watchdog?.start()
    }

    /// Says that the program ends; it is watched no more.
    package func stopping() {
        watchdog?.stop()
        supervisor.stopping()
    }

    /// The line of status for a health.
    package static func line(_ health: HealthBoard.State) -> String {
        let reasons = health.told
        guard let first = reasons.first else { return "healthy" }
        return reasons.count > 1 ? "\(first.text) (and \(reasons.count - 1) more)" : first.text
    }

    /// Tells the health of the program where it differs from what was told last.
    package func tell(_ health: HealthBoard.State) {
        let text = Self.line(health)
        let isNew = told.withLock { told in
            defer { told = text }
            return told != text
        }
        if isNew { supervisor.status(text) }
    }
}

/// The pieces of work that a program has in hand, with their begin.
package final class WorkInHand: Sendable {
    private let state = Mutex((next: 0, begun: [Int: ContinuousClock.Instant]()))

    package init() {}

    /// The age of the piece that has been in hand for the longest time.
    package var longest: Duration {
        let oldest = state.withLock { $0.begun.values.min() }
        return oldest.map { ContinuousClock.now - $0 } ?? .zero
    }

    /// Notes the begin of a piece.
    /// - Returns: Its number, for ``end(_:)``.
    package func begin() -> Int {
        state.withLock { state in
            state.next += 1
            state.begun[state.next] = .now
            return state.next
        }
    }

    package func end(_ number: Int) {
        state.withLock { _ = $0.begun.removeValue(forKey: number) }
    }
}
