package import Logging
import ServiceLifecycle

/// The end of a task that may be told to stop.
package enum OrderlyEnd {
    /// Waits for `work` to end; after the order to stop, only as long as patience lasts, then cancels it.
    /// - Parameter impatient: Called before the cancelling.
    package static func of(
        _ work: Task<Void, Never>, patience: Duration, log: Logger, impatient: @escaping @Sendable () -> Void = {}
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
                log.warning("what is still in work is put back")
                impatient()
                work.cancel()
                await work.value
            }
            await group.next()
            group.cancelAll()
        }
    }
}
