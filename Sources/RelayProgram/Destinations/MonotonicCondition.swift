import Glibc

/// A lock with a condition whose waits end by the monotonic clock, so that a jump of the time of day neither ends nor
/// extends them.
///
/// Unchecked: the pointers never change.
final class MonotonicCondition: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        var attributes = pthread_condattr_t()
        // None of these calls can fail on Linux with these arguments.
        _ = pthread_condattr_init(&attributes)
        _ = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        _ = pthread_mutex_init(mutex, nil)
        _ = pthread_cond_init(condition, &attributes)
        _ = pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func lock() { pthread_mutex_lock(mutex) }
    func unlock() { pthread_mutex_unlock(mutex) }
    func broadcast() { pthread_cond_broadcast(condition) }

    func withLock<Value>(_ body: () -> Value) -> Value {
        lock()
        defer { unlock() }
        return body()
    }

    /// Waits for a broadcast, or until `limit` has passed; the lock must be held. It may return early.
    func wait(atMost limit: Duration?) {
        guard let limit else {
            pthread_cond_wait(condition, mutex)
            return
        }
        var end = timespec()
        _ = clock_gettime(CLOCK_MONOTONIC, &end)
        let nanoseconds = Int(limit / .nanoseconds(1)) + end.tv_nsec
        end.tv_sec += nanoseconds / 1_000_000_000
        end.tv_nsec = nanoseconds % 1_000_000_000
        pthread_cond_timedwait(condition, mutex, &end)
    }
}
