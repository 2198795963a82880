import Foundation
import Synchronization

/// A task executor on threads of its own. Its tasks may block on files and locks without holding up Swift's shared
/// pool.
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

    /// - Parameter count: The number of jobs that may block at the same time.
    public init(count: Int, name: String) {
        waiting = DispatchSemaphore(value: 0)
        self.name = name
        grow(to: count)
    }

    /// Lets more jobs block at the same time. They never become fewer: a thread without a job costs nothing.
    public func grow(to count: Int) {
        let present = queue.withLock { queue in
            defer { queue.threads = max(queue.threads, count) }
            return queue.threads
        }
        for number in present..<max(present, count) {
            let thread = Thread { [self] in work() }
            thread.name = "\(name)-\(number)"
            thread.stackSize = 1 << 20
            thread.start()
        }
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.withLock { $0.jobs.append(job) }
        waiting.signal()
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
