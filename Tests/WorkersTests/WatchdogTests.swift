import Foundation
import Synchronization
import TestSupport
import Testing
import Workers

@Suite("The watchdog of a program")
struct WatchdogTests {
    private final class Fed: Sendable {
        private let state = Mutex((count: 0, complaints: [String]()))
        var count: Int { state.withLock { $0.count } }
        var complaints: [String] { state.withLock { $0.complaints } }

        func watchdog(every interval: Duration = .milliseconds(90)) -> Watchdog {
            Watchdog(
                interval: interval, feed: { [self] in state.withLock { $0.count += 1 } },
                complain: { [self] line in state.withLock { $0.complaints.append(line) } })
        }

        func grows(by growth: Int = 2) async throws {
            let before = count
            try await eventually("the watchdog is fed") { count >= before + growth ? () : nil }
        }

        /// Waits for a complaint, which comes only while a part gives no sign.
        func starves(for part: String) async throws {
            let before = complaints.count
            try await eventually("a complaint about \(part)") {
                complaints.dropFirst(before).contains { $0.contains(part) } ? () : nil
            }
            // A round may have ended before the part began to hang.
            let then = count
            try await eventually("another complaint") { complaints.count > before + 1 ? () : nil }
            #expect(count == then, "it was fed although \(part) gave no sign")
        }
    }

    @Test("watches once, however often it is started")
    func startedAgain() async throws {
        let fed = Fed()
        let watchdog = fed.watchdog()
        defer { watchdog.stop() }
        watchdog.add("the loop") { $0.beat() }
        #expect(watchdog.start())
        #expect(!watchdog.start())
        try await fed.grows()
    }

    @Test("is fed while every part answers, and not while one of them gives no sign")
    func oneHangs() async throws {
        let fed = Fed()
        let watchdog = fed.watchdog()
        defer { watchdog.stop() }
        let hangs = Mutex(false)
        watchdog.add("the sound loop") { $0.beat() }
        watchdog.add("the other loop") { part in if !hangs.withLock({ $0 }) { part.beat() } }
        watchdog.start()
        try await fed.grows()
        hangs.withLock { $0 = true }
        try await fed.starves(for: "the other loop")
        #expect(!fed.complaints.contains { $0.contains("the sound loop") })
    }

    @Test("a part that answers late is fed for again")
    func late() async throws {
        let fed = Fed()
        let watchdog = fed.watchdog()
        defer { watchdog.stop() }
        let part = watchdog.add("a loop") { _ in }
        watchdog.start()
        try await fed.starves(for: "a loop")
        let before = fed.count
        part.beat()
        try await eventually("it is fed again") { fed.count > before ? () : nil }
    }

    @Test("a pool whose threads all hang starves it, and a pool with a free thread does not")
    func threads() async throws {
        let fed = Fed()
        let watchdog = fed.watchdog()
        defer { watchdog.stop() }
        let threads = WorkerThreads(count: 2, name: "watched")
        watchdog.add("the threads") { part in Task(executorPreference: threads) { part.beat() } }
        watchdog.start()
        let first = DispatchSemaphore(value: 0)
        let second = DispatchSemaphore(value: 0)
        let one = Task(executorPreference: threads) { Self.hang(until: first) }
        try await fed.grows()
        let two = Task(executorPreference: threads) { Self.hang(until: second) }
        try await fed.starves(for: "the threads")
        first.signal()
        await one.value
        try await fed.grows()
        second.signal()
        await two.value
    }

    private static func hang(until released: DispatchSemaphore) { released.wait() }

    @Test("a loop that waits for room is excused for as long as it waits")
    func excused() async throws {
        let fed = Fed()
        let watchdog = fed.watchdog()
        defer { watchdog.stop() }
        let part = watchdog.add("a loop") { _ in }
        watchdog.start()
        let room = DispatchSemaphore(value: 0)
        let waiting = Thread { part.excused { _ = room.wait(timeout: .distantFuture) } }
        waiting.start()
        try await fed.grows(by: 4)
        room.signal()
        // Nothing is excused any more.
        try await fed.starves(for: "a loop")
    }
}
