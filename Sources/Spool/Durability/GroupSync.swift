import Glibc

/// Makes a directory's entries durable for many threads with few fsyncs: one that begins after the renames serves them
/// all.
///
/// The first thread leads: it syncs. Threads that come during the sync wait, and then one of them leads for all that
/// wait. Unchecked: every variable is guarded by `mutex`.
final class GroupSync: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let ended: UnsafeMutablePointer<pthread_cond_t>
    /// Makes everything durable that stands in the directory when it is called; 0 or errno.
    private let sync: @Sendable () -> CInt
    private var begun = 0
    private var completed = 0
    private var isSyncing = false
    private var failure: CInt = 0

    init(sync: @escaping @Sendable () -> CInt) {
        self.sync = sync
        mutex = .allocate(capacity: 1)
        ended = .allocate(capacity: 1)
        // With default attributes neither call can fail on Linux.
        _ = pthread_mutex_init(mutex, nil)
        _ = pthread_cond_init(ended, nil)
    }

    deinit {
        pthread_cond_destroy(ended)
        pthread_mutex_destroy(mutex)
        ended.deallocate()
        mutex.deallocate()
    }

    /// Returns once a sync has ended well that began after this call.
    ///
    /// A failed sync is never repeated: the kernel may have dropped what it could not write and report success for the
    /// next one.
    /// - Returns: 0, or the errno of the sync that failed, now and ever after.
    func wait() -> CInt {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        let mine = begun + 1
        while failure == 0 && completed < mine {
            if isSyncing {
                pthread_cond_wait(ended, mutex)
                continue
            }
            isSyncing = true
            begun += 1
            let current = begun
            pthread_mutex_unlock(mutex)
            let outcome = sync()
            pthread_mutex_lock(mutex)
            isSyncing = false
            if outcome == 0 { completed = current } else { failure = outcome }
            pthread_cond_broadcast(ended)
        }
        return failure
    }
}
