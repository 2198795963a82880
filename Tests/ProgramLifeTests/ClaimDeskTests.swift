import Logging
import TestSupport
import Testing

@testable import ProgramLife
@testable import Spool

@Suite("Claims of a program")
struct ClaimDeskTests {
    private struct Bench {
        let scratch: ScratchDirectory
        let board = HealthBoard {}
        let spool: Spool
        let claims: ClaimDesk

        init(_ program: Program = .ses) throws {
            scratch = try ScratchDirectory()
            _ = try Spool.make(at: scratch.file("spool"))
            spool = try Spool(opening: scratch.file("spool"), program: program)
            let log = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
            let gate = IntakeGate(spool: spool, board: board, log: log)
            claims = ClaimDesk(spool: spool, gate: gate, board: board, log: log)
        }
    }

    @Test("a file that is left in its place is a reason until a claim of it succeeds or it is gone")
    func left() throws {
        let bench = try Bench()
        #expect(bench.claims.transaction(of: .left(reason: "not readable"), "outgoing/a") == nil)
        #expect(bench.board.snapshot.reasons["left"]?.text.contains("not readable") == true)
        #expect(!bench.claims.admits("outgoing/a"), "it is tried again after a while")
        #expect(bench.claims.transaction(of: .taken, "outgoing/a") == nil)
        #expect(bench.board.snapshot.reasons["left"] == nil)
    }

    @Test("a listing forgets the files that are gone", arguments: [true, false])
    func listing(isWhole: Bool) throws {
        let bench = try Bench()
        _ = bench.claims.transaction(of: .left(reason: "not readable"), "outgoing/a")
        let ended = bench.claims.list("outgoing") { (_) throws(SpoolError) in ([], isWhole) }
        #expect(ended == isWhole)
        #expect((bench.board.snapshot.reasons["left"] == nil) == isWhole, "what was not listed may still be there")
    }

    @Test("what cannot be a message counts as handled, and is noted with the folder of the program")
    func unfit() throws {
        for (program, folder) in [(Program.ses, "corrupt"), (.relay, "failed")] {
            let bench = try Bench(program)
            #expect(bench.claims.transaction(of: .corrupt(reason: "it is empty"), "delivered/a") == nil)
            #expect(bench.claims.handledCount == 1)
            #expect(bench.board.snapshot.lastError == "moved to \(folder): it is empty")
        }
    }
}
