import CInotifyTools
import Glibc
import Synchronization

/// The one thread that calls the library.
///
/// Unchecked: everything that is not constant is used by the thread alone until `stop` has joined it.
final class WatcherThread: @unchecked Sendable {
    /// True if this process has a watcher.
    private static let isTaken = Atomic(false)
    /// select(2) takes no descriptor from here on; a library built with checks ends the process.
    private static let maximumDescriptor: CInt = 1_024

    /// The interval between two looks while a directory cannot be watched.
    private static let blindInterval: Duration = .seconds(2)

    private let interval: Duration
    private let wake: @Sendable (Wake) -> Void
    private let ended: @Sendable () -> Void
    private let stopBell: CInt
    private let ready: UnsafeMutablePointer<sem_t>
    private var directories: WatchedDirectories
    private var failure: SpoolWatchError?
    /// The library's descriptor; -1 while inotify cannot be had, which poll(2) passes over.
    private var notifications: CInt = -1
    /// The last complaint about inotify as a whole, so that it is reported once.
    private var complaint: Int32 = 0
    private var thread = pthread_t()
    /// The name by which `ps` and `top` show the thread: at most 15 octets (proc(5)).
    static let threadName = "spool-watcher"

    init(
        _ paths: [String], bells: [String], interval: Duration, wake: @escaping @Sendable (Wake) -> Void,
        ended: @escaping @Sendable () -> Void
    ) throws(SpoolWatchError) {
        guard !Self.isTaken.exchange(true, ordering: .acquiringAndReleasing) else {
            throw SpoolWatchError(.alreadyWatching, "this process has a watcher already")
        }
        self.interval = max(.milliseconds(1), interval)
        self.wake = wake
        self.ended = ended
        directories = WatchedDirectories(paths, bells: bells)
        stopBell = eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK))
        ready = .allocate(capacity: 1)
        sem_init(ready, 0, 0)
        guard stopBell >= 0 else {
            let cause = errno
            letGo()
            throw SpoolWatchError(.system, errno: cause, "cannot make an eventfd")
        }
        // The thread holds a reference until it ends.
        let context = Unmanaged.passRetained(self)
        let outcome = pthread_create(
            &thread, nil,
            { context in
                if let context { Unmanaged<WatcherThread>.fromOpaque(context).takeRetainedValue().run() }
                return nil
            }, context.toOpaque())
        guard outcome == 0 else {
            context.release()
            letGo()
            throw SpoolWatchError(.system, errno: outcome, "cannot start the watcher's thread")
        }
        while sem_wait(ready) != 0 {}
        if let failure {
            pthread_join(thread, nil)
            letGo()
            throw failure
        }
    }

    deinit {
        sem_destroy(ready)
        ready.deallocate()
        if stopBell >= 0 { close(stopBell) }
    }

    /// Tells the thread to end and waits until it has.
    func stop() {
        var one: UInt64 = 1
        // The counter of an unread eventfd cannot be full after one.
        _ = write(stopBell, &one, MemoryLayout<UInt64>.size)
        pthread_join(thread, nil)
        letGo()
    }

    private func letGo() { Self.isTaken.store(false, ordering: .releasing) }

    // MARK: - On the thread

    /// Names the calling thread; without a name it works as well.
    private func nameThread() {
        let descriptor = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        _ = Self.threadName.withCString { write(descriptor, $0, strlen($0)) }
        close(descriptor)
    }

    private func run() {
        nameThread()
        do throws(SpoolWatchError) {
            try begin()
        } catch {
            failure = error
            sem_post(ready)
            return
        }
        sem_post(ready)
        watch()
        if notifications >= 0 {
            // Events left in the library's buffer would reach the next watcher.
            while cinotify_waiting_event() != nil {}
            inotifytools_cleanup()
        }
        ended()
    }

    /// Starts inotify and sets the watches. If the user has used up its instances nothing is watched yet, and
    /// ``watch()`` tries again: mail must not wait for an unrelated limit.
    private func begin() throws(SpoolWatchError) {
        let before = Self.notificationDescriptors()
        guard inotifytools_initialize() != 0 else {
            let cause = inotifytools_error()
            guard ![EMFILE, ENFILE, ENOMEM].contains(cause) else { return }
            throw SpoolWatchError(.system, errno: cause, "inotify cannot be used")
        }
        // The library does not say which descriptor is its own.
        let new = Self.notificationDescriptors().subtracting(before)
        guard let descriptor = new.first, new.count == 1 else {
            inotifytools_cleanup()
            throw SpoolWatchError(
                .system,
                "cannot find out the descriptor of inotify: check that /proc is mounted, and that nothing else in this process starts to watch"
            )
        }
        guard descriptor < Self.maximumDescriptor else {
            inotifytools_cleanup()
            throw SpoolWatchError(
                .tooManyDescriptors,
                "inotify got descriptor \(descriptor), but only those below \(Self.maximumDescriptor) can be used: start to watch before other files are opened"
            )
        }
        guard fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else {
            let cause = errno
            inotifytools_cleanup()
            throw SpoolWatchError(.system, errno: cause, "cannot keep the inotify descriptor from child processes")
        }
        do throws(SpoolWatchError) {
            try directories.begin()
        } catch {
            inotifytools_cleanup()
            throw error
        }
        notifications = descriptor
    }

    /// Sets the watches that can be set.
    private func repair(isThorough: Bool) -> Set<Wake.Reason> {
        if notifications < 0 {
            do throws(SpoolWatchError) { try begin() } catch { return blind(error.errno, error.description) }
            guard notifications >= 0 else {
                return blind(
                    EMFILE,
                    "this user has no more inotify instances, so the folders are looked at every few seconds instead; raise "
                        + "fs.inotify.max_user_instances, which is \(InotifyLimits.current().instances ?? 0)")
            }
            complaint = 0
        }
        return directories.repair(isThorough: isThorough)
    }

    private func blind(_ code: Int32, _ text: String) -> Set<Wake.Reason> {
        defer { complaint = code }
        return complaint == code ? [] : [.blind(text)]
    }

    private var isBlind: Bool { notifications < 0 || directories.isBlind }

    private func watch() {
        let clock = ContinuousClock()
        var nextTimer = clock.now + interval
        let first = repair(isThorough: false)
        if !first.isEmpty { wake(Wake(first)) }
        while true {
            if isBlind { nextTimer = min(nextTimer, clock.now + Self.blindInterval) }
            var files = [
                pollfd(fd: notifications, events: Int16(POLLIN), revents: 0),
                pollfd(fd: stopBell, events: Int16(POLLIN), revents: 0),
            ]
            let ready = poll(&files, nfds_t(files.count), Self.milliseconds(until: nextTimer, clock))
            // Interrupted: the state of the descriptors is unknown, so everything is looked at below as after a timer.
            if ready >= 0 && files[1].revents != 0 { return }
            var reasons: Set<Wake.Reason> = []
            var isThorough = false
            if clock.now >= nextTimer {
                reasons.insert(.timer)
                nextTimer = clock.now + interval
                isThorough = true
            }
            while notifications >= 0, let event = cinotify_waiting_event() {
                let found = directories.reasons(mask: event.pointee.mask, watch: event.pointee.wd)
                isThorough = isThorough || found.contains { $0 != .event && $0 != .order }
                reasons.formUnion(found)
            }
            reasons.formUnion(repair(isThorough: isThorough))
            if !reasons.isEmpty { wake(Wake(reasons)) }
        }
    }

    private static func milliseconds(until deadline: ContinuousClock.Instant, _ clock: ContinuousClock) -> CInt {
        let left = clock.now.duration(to: deadline).components
        guard left.seconds >= 0 else { return 0 }
        // Rounded up, so that the timer is due when poll returns.
        return CInt(
            clamping: left.seconds.multipliedReportingOverflow(by: 1_000).partialValue
                + left.attoseconds / 1_000_000_000_000_000 + 1)
    }

    private static func notificationDescriptors() -> Set<CInt> {
        guard let stream = opendir("/proc/self/fd") else { return [] }
        defer { closedir(stream) }
        var found: Set<CInt> = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let descriptor = CInt(name) else { continue }
            var target = [CChar](repeating: 0, count: 64)
            let length = readlink("/proc/self/fd/" + name, &target, target.count)
            if length > 0,
                String(decoding: target.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
                    == "anon_inode:inotify"
            {
                found.insert(descriptor)
            }
        }
        return found
    }
}
