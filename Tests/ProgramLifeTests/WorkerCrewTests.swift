import HostProcess
import Foundation
import Synchronization
import Testing
import Workers

@testable import ProgramLife

@Suite("The number of workers at a time", .timeLimit(.minutes(1)))
struct WorkerCrewTests {
    @Test("changes while they work: more begin at once, and surplus ones leave after the work in hand")
    func resized() async {
        let crew = WorkerCrew(width: 2)
        let work = Handoff<Int>(ahead: 100)
        for number in 0..<30 { _ = work.put(number) }
        // One for each of the crew, for the test, and for the crew's own loop.
        let threads = WorkerThreads(count: 8, name: "test")
        let inside = Inside()
        let (entered, release) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let working = Task(executorPreference: threads) {
            await crew.work {
                guard await work.next() != nil else { return false }
                inside.count.add(1, ordering: .relaxed)
                entered.signal()
                Self.wait(release)
                inside.count.subtract(1, ordering: .relaxed)
                work.finished()
                return true
            }
        }
        await Task(executorPreference: threads) {
            for _ in 0..<2 { Self.wait(entered) }
            #expect(inside.now == 2)
            crew.resize(to: 6)
            for _ in 0..<4 { Self.wait(entered) }
            #expect(inside.now == 6)
            crew.resize(to: 1)
            for _ in 0..<6 { release.signal() }
            for _ in 0..<24 {
                Self.wait(entered)
                #expect(inside.now == 1)
                release.signal()
            }
        }.value
        await work.untilIdle()
        work.end()
        await working.value
    }

    /// Blocks a thread of the test's own.
    private static func wait(_ semaphore: DispatchSemaphore) { semaphore.wait() }
}

private final class Inside: Sendable {
    let count = Atomic(0)
    var now: Int { count.load(ordering: .relaxed) }
}
