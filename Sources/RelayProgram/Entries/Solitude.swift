import Glibc

/// Lets a message that ended earlier starts be looked into while no other is, so that a crash is blamed on it alone.
///
/// Only work inside this process counts; nothing waits here for a server. Unchecked: the pointer never changes.
final class Solitude: @unchecked Sendable {
    private let lock: UnsafeMutablePointer<pthread_rwlock_t>

    init() {
        lock = .allocate(capacity: 1)
        var attributes = pthread_rwlockattr_t()
        // None of these calls can fail on Linux with these arguments.
        _ = pthread_rwlockattr_init(&attributes)
        // Otherwise a steady flow of readers would keep out the one that must be alone.
        _ = pthread_rwlockattr_setkind_np(
            &attributes, CInt(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP))
        _ = pthread_rwlock_init(lock, &attributes)
        _ = pthread_rwlockattr_destroy(&attributes)
    }

    deinit {
        pthread_rwlock_destroy(lock)
        lock.deallocate()
    }

    /// One message's part in it; used by one thread.
    final class Presence {
        private let solitude: Solitude
        private let isAlone: Bool
        private var isIn = false

        init(_ solitude: Solitude, isAlone: Bool) {
            self.solitude = solitude
            self.isAlone = isAlone
        }

        deinit { leave() }

        func enter() {
            guard !isIn else { return }
            if isAlone { pthread_rwlock_wrlock(solitude.lock) } else { pthread_rwlock_rdlock(solitude.lock) }
            isIn = true
        }

        func leave() {
            guard isIn else { return }
            pthread_rwlock_unlock(solitude.lock)
            isIn = false
        }
    }
}
