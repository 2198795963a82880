import Monitoring
import InternetMessage
import ProgramLife
import Synchronization
import Testing
import Workflows

@testable import SESProgram

@Suite("Bell, lane, limiter and health", .timeLimit(.minutes(1)))
struct SignalTests {
    // MARK: - WakeBell

    @Test("rings that nobody heard count as one")
    func rings() async {
        let bell = WakeBell()
        bell.ring()
        bell.ring()
        #expect(await bell.wait(atMost: nil))
        bell.silence()
        #expect(await bell.wait(atMost: nil) == false)
    }

    @Test("a limit wakes like a ring")
    func limit() async {
        let bell = WakeBell()
        #expect(await bell.wait(atMost: .milliseconds(5)))
        #expect(await bell.wait(atMost: .milliseconds(5)))
    }

    @Test("a silenced bell ends every listener, at once and permanently")
    func silence() async {
        let bell = WakeBell()
        async let listening = bell.wait(atMost: .seconds(50))
        bell.silence()
        #expect(await listening == false)
        bell.ring()
        #expect(await bell.wait(atMost: .seconds(50)) == false)
    }

    // MARK: - WorkLane

    @Test("a retry rings the lane's bell only if it is due earlier than all before")
    func quiet() async {
        let lane = WorkLane(.outgoing, width: 1)
        lane.addRetry(due: 10)
        #expect(await lane.retryBell.wait(atMost: nil))
        lane.addRetry(due: 10)
        lane.addRetry(due: 11)
        lane.retryBell.silence()
        #expect(await lane.retryBell.wait(atMost: nil) == false, "a ring would be heard before the end")
    }

    // MARK: - NoticeLimiter

    static let alice = AddrSpec(localPart: "alice", domain: "example.test")!
    static let bob = AddrSpec(localPart: "bob", domain: "example.test")!

    @Test("an address has its share of each hour")
    func limiter() {
        let time = Mutex(7_200)
        let limiter = NoticeLimiter(limit: 2) { time.withLock { $0 } }
        #expect((0..<3).map { _ in limiter.mayNotify(Self.alice) } == [true, true, false])
        #expect(limiter.mayNotify(Self.bob))
        time.withLock { $0 = 10_799 }
        #expect(!limiter.mayNotify(Self.alice))
        time.withLock { $0 = 10_800 }
        #expect(limiter.mayNotify(Self.alice))
    }

    @Test("made-up addresses cannot fill the memory")
    func manyAddresses() throws {
        let limiter = NoticeLimiter(limit: 2) { 0 }
        #expect(limiter.mayNotify(Self.alice))
        for number in 0..<20_000 {
            _ = limiter.mayNotify(try #require(AddrSpec(localPart: "\(number)", domain: "evil.test")))
        }
        #expect(!limiter.mayNotify(Self.bob))
        #expect(limiter.mayNotify(Self.alice), "those known keep their share")
    }

    // MARK: - HealthBoard

    @Test("a reason stands until it is lifted, and only a change is reported")
    func health() {
        let changes = Atomic(0)
        let board = HealthBoard { changes.add(1, ordering: .relaxed) }
        board.raise("disk", .diskSpace, "full")
        board.raise("disk", .diskSpace, "full")
        #expect(changes.load(ordering: .relaxed) == 1)
        board.raise("disk", .diskSpace, "broken")
        #expect(board.snapshot.reasons.mapValues(\.text) == ["disk": "broken"])
        #expect(changes.load(ordering: .relaxed) == 2)
        board.lift("server")
        #expect(changes.load(ordering: .relaxed) == 2)
        board.lift("disk")
        #expect(board.snapshot.reasons.isEmpty && board.snapshot.lastError == "broken")
        board.note("no connection")
        #expect(board.snapshot.lastError == "no connection" && board.snapshot.reasons.isEmpty)
    }
}
