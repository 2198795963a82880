import Dispatch
import HostProcess
import Synchronization

/// A task executor on threads of its own. Its tasks may block on files, locks and arithmetic without holding up Swift's
/// shared pool, or the threads that serve connections.
public final class WorkerThreads: TaskExecutor {
    private struct Queue {
        var jobs: [UnownedJob] = []
        /// The first of `jobs` not yet taken.
        var head = 0
        var threads = 0
    }

    private let queue = Mutex(Queue())
    private let waiting: DispatchSemaphore
    private let name: String
    private let stackSize: Int?

    /// - Parameters:
    ///   - count: The number of jobs that may block at the same time.
    ///   - stackSize: Octets of each thread's stack; nil for the system's default.
    public init(count: Int, name: String, stackSize: Int? = 1 << 20) {
        waiting = DispatchSemaphore(value: 0)
        self.name = name
        self.stackSize = stackSize
        grow(to: count)
    }

    /// Lets more jobs block at the same time. They never become fewer: a thread without a job costs nothing.
    public func grow(to count: Int) {
        let present = queue.withLock { queue in
            defer { queue.threads = max(queue.threads, count) }
            return queue.threads
        }
        for number in present..<max(present, count) {
            OwnThread.start("\(name)-\(number)", stackSize: stackSize) { [self] in work() }
        }
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.withLock { $0.jobs.append(job) }
        waiting.signal()
    }

    /// Runs `body` on one of the threads.
    /// - Throws: The error of `body`.
    public func run<Value: Sendable, Failure: Error>(
        _ body: @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        try await withTaskExecutorPreference(self) { () async throws(Failure) -> Value in try body() }
    }

    private func work() {
        while true {
            waiting.wait()
            let job = queue.withLock { queue -> UnownedJob? in
                guard queue.head < queue.jobs.count else { return nil }
                defer {
                    queue.head += 1
                    if queue.head > 1_024 && queue.head * 2 > queue.jobs.count {
                        queue.jobs.removeFirst(queue.head)
                        queue.head = 0
                    }
                }
                return queue.jobs[queue.head]
            }
            job?.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}
