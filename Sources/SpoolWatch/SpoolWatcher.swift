import Glibc
import Synchronization

/// Wakes the loops that empty the watched directories, when something arrived, when a directory changed, and from time
/// to time.
///
/// Make it before the program opens many files: the library behind it (libinotifytools) uses select(2) and cannot take
/// a descriptor of 1024 or above. The library keeps one state for the process, so there can be one watcher at a time.
public final class SpoolWatcher: Sendable {
    /// One element for all that happened since the one before was taken; ends with ``stop()``. For one consumer.
    public let wakes: AsyncStream<Wake>
    private let thread: Mutex<WatcherThread?>

    /// Starts to watch.
    /// - Parameters:
    ///   - directories: Paths; each must exist and be no symbolic link.
    ///   - bells: Those of them where a file that comes is no message, but asks for a look at everything.
    ///   - interval: The time between wakes without an event.
    /// - Throws: ``SpoolWatchError`` if a directory does not exist, is a symbolic link or cannot be watched, or another
    ///   watcher runs.
    public init(
        directories: [String], bells: [String] = [], interval: Duration = .seconds(30)
    ) throws(SpoolWatchError) {
        let (wakes, continuation) = AsyncStream.makeStream(of: Wake.self, bufferingPolicy: .bufferingNewest(1))
        self.wakes = wakes
        thread = Mutex(
            try WatcherThread(directories, bells: bells, interval: interval) {
                Self.yield($0, to: continuation)
            } ended: {
                continuation.finish()
            })
    }

    deinit { stop() }

    /// Ends the thread, waits for its end, and ends ``wakes``. Done twice it does nothing the second time.
    public func stop() {
        thread.withLock { thread in
            thread?.stop()
            thread = nil
        }
    }

    /// Joins a wake that was not taken yet with the new one, so that no reason is lost.
    private static func yield(_ wake: Wake, to continuation: AsyncStream<Wake>.Continuation) {
        guard case .dropped(let earlier) = continuation.yield(wake), !earlier.reasons.isSubset(of: wake.reasons) else {
            return
        }
        _ = continuation.yield(Wake(wake.reasons.union(earlier.reasons)))
    }
}
