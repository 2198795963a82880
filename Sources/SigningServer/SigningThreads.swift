import Foundation
import Synchronization

/// A task executor on threads of its own: signatures and files must not hold up the threads that serve connections.
final class SigningThreads: TaskExecutor {
    private struct Queue {
        var jobs: [UnownedJob] = []
        /// The first of `jobs` not yet taken.
        var head = 0
    }

    private let queue = Mutex(Queue())
    private let waiting = DispatchSemaphore(value: 0)

    /// - Parameter count: The number of jobs that run at the same time.
    init(count: Int) {
        for number in 0..<count {
            let thread = Thread { [self] in work() }
            thread.name = "signing-\(number)"
            thread.start()
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.withLock { $0.jobs.append(job) }
        waiting.signal()
    }

    /// Runs `body` on one of the threads.
    func run<Value: Sendable, Failure: Error>(
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
