import HostProcess
import Glibc
package import Logging
import ServiceLifecycle

/// The end of a task that may be told to stop.
package enum OrderlyEnd {
    /// Waits for `work` to end; after the order to stop, only as long as patience lasts, then cancels it.
    /// - Parameters:
    ///   - limit: The time after the order at which the program ends with 75 (EX_TEMPFAIL), because something under way
    ///     can neither end nor be cancelled; nil for never. The next start continues the interrupted work.
    ///   - impatient: Called before the cancelling.
    package static func of(
        _ work: Task<Void, Never>, patience: Duration, log: Logger, atTheLatest limit: Duration? = nil,
        impatient: @escaping @Sendable () -> Void = {}
    ) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await work.value }
            group.addTask {
                do {
                    try await gracefulShutdown()
                    try await Task.sleep(for: patience)
                } catch {
                    return  // The work came to its end first.
                }
                log.warning("entries still in work are put back")
                impatient()
                work.cancel()
                if let limit { endProcess(after: max(.zero, limit - patience), log) }
                await work.value
            }
            await group.next()
            group.cancelAll()
        }
    }

    /// Ends the process with 75 (EX_TEMPFAIL) unless it has ended by then. It uses a thread of its own, because those
    /// that tasks run on may all be stuck.
    package static func endProcess(after delay: Duration, _ log: Logger) {
        OwnThread.start("orderly-end") {
            let (seconds, attoseconds) = delay.components
            var left = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
            var rest = timespec()
            while nanosleep(&left, &rest) != 0, errno == EINTR { left = rest }
            log.error("something cannot be ended in order; the next start continues it")
            _exit(ExitStatus.tryAgain.rawValue)
        }
    }
}
