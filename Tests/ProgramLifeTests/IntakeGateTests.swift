import Glibc
import Logging
import Synchronization
import TestSupport
import Testing

@testable import ProgramLife
@testable import Spool

@Suite("The gate of the intake", .timeLimit(.minutes(1)))
struct IntakeGateTests {
    private final class Time: Sendable {
        private let value = Mutex(Duration.zero)
        func advance(_ duration: Duration) { value.withLock { $0 += duration } }
        var clock: SpoolClock { SpoolClock(milliseconds: { 0 }, monotonic: { self.value.withLock { $0 } }) }
    }

    private struct Bench {
        let scratch: ScratchDirectory
        let time = Time()
        let board = HealthBoard {}
        let lines: LogLines
        let gate: IntakeGate

        init() throws {
            scratch = try ScratchDirectory()
            _ = try Spool.make(at: scratch.file("spool"))
            let spool = try Spool(opening: scratch.file("spool"), program: .relay)
            let lines = LogLines()
            self.lines = lines
            gate = IntakeGate(
                spool: spool, board: board, log: Logger(label: "test", factory: { _ in lines.handler }),
                clock: time.clock)
        }

        func fault(_ number: Int32 = ENOSPC, _ path: String = "/s/x") {
            gate.meet(SpoolError(.system, path: path, errno: number, "cannot write"), about: "a test")
        }

        /// Goes on until the pause is over and was tried out.
        func pass(_ duration: Duration) async {
            time.advance(duration)
            await gate.waitOut {}
        }
    }

    @Test("each fault pauses for longer, and a success makes the pauses short again")
    func grows() async throws {
        let bench = try Bench()
        #expect(bench.gate.mayClaim && bench.gate.admit())
        var pause = Duration.milliseconds(250)
        for _ in 0..<8 {
            bench.fault()
            #expect(!bench.gate.mayClaim && !bench.gate.admit())
            #expect(IntakeGate.pause(afterFaults: bench.gate.streak) == pause)
            pause = min(pause * 2, .seconds(4))
            await bench.pass(.seconds(5))
            #expect(bench.gate.mayClaim && bench.gate.isTroubled)
        }
        bench.gate.succeeded(EntryID(random: .system))
        #expect(bench.gate.streak == 0 && !bench.gate.isTroubled && bench.board.snapshot.reasons.isEmpty)
    }

    @Test("after a pause one at a time is admitted, until something succeeds")
    func trial() async throws {
        let bench = try Bench()
        bench.fault()
        await bench.pass(.seconds(5))
        #expect(bench.gate.admit() && !bench.gate.admit())
        bench.time.advance(.milliseconds(250))
        #expect(bench.gate.admit() && !bench.gate.admit())
        bench.gate.succeeded(EntryID(random: .system))
        #expect(bench.gate.admit() && bench.gate.admit())
    }

    @Test("faults of one kind are one line, then a count; faults that come together are one fault")
    func lines() throws {
        let bench = try Bench()
        for number in 0..<5_000 { bench.fault(EIO, "/s/\(number)") }
        #expect(bench.lines.count == 1 && bench.gate.streak == 1)
        bench.time.advance(.seconds(11))
        bench.fault(EIO)
        #expect(bench.lines.count == 2)
        bench.fault(EACCES)
        #expect(bench.lines.count == 3)
        for _ in 0..<3_600 {
            bench.time.advance(.seconds(1))
            bench.fault(EIO)
        }
        #expect(bench.lines.count < 20)
    }

    @Test("the reason stands as long as something waits for another try")
    func reason() async throws {
        let bench = try Bench()
        let entry = EntryID(random: .system)
        bench.fault()
        bench.gate.postpone(entry)
        #expect(bench.gate.mustWait(entry))
        await bench.pass(.seconds(1))
        bench.gate.succeeded(EntryID(random: .system))
        #expect(bench.board.snapshot.reasons["local"] != nil)
        bench.gate.succeeded(entry)
        #expect(bench.board.snapshot.reasons.isEmpty)
    }

    @Test("postponed work waits longer each time, and work that nobody tries any more is forgotten")
    func postponed() {
        let postponed = Postponements()
        var now = Duration.zero
        var delay = Duration.milliseconds(500)
        for _ in 0..<10 {
            postponed.add("x", now: now)
            #expect(postponed.mustWait("x", now: now + delay - .milliseconds(1)))
            #expect(!postponed.mustWait("x", now: now + delay))
            #expect(postponed.next(after: now) == now + delay)
            #expect(postponed.hasBecomeDue(after: now, until: now + delay))
            now += delay
            delay = min(delay * 2, Postponements.maximumDelay)
        }
        postponed.prune(now: now)
        #expect(postponed.count == 1)
        postponed.prune(now: now + .seconds(4))
        #expect(postponed.count == 0)
    }
}

/// The number of lines that were logged.
private final class LogLines: Sendable {
    private let lines = Atomic(0)
    var count: Int { lines.load(ordering: .relaxed) }
    var handler: any LogHandler { Handler(lines: self) }

    private struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        init(lines: LogLines) { self.lines = lines }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { lines.lines.add(1, ordering: .relaxed) }
    }
}
