import DSSProtocol
import Octets
import Processing
import ProgramLife
import Synchronization
import TestSupport
import Testing

@testable import SESProgram
@testable import Spool

@Suite("The turn at a signing server", .timeLimit(.minutes(1)))
struct ServerLaneTests {
    @Test("as many come in as there may be; the next waits until one leaves")
    func turn() async {
        let lane = ServerLane(limit: 2, roomBell: WakeBell())
        #expect(await lane.enter())
        #expect(await lane.enter())
        async let third = lane.enter()
        lane.leave()
        #expect(await third)
    }

    @Test("when nobody comes on for a while, who comes is sent away at once, and called when there is room")
    func stuck() async {
        let bell = WakeBell()
        let lane = ServerLane(limit: 1, roomBell: bell)
        #expect(await lane.enter())
        let begin = ContinuousClock.now
        #expect(await lane.enter() == false)
        #expect(ContinuousClock.now - begin >= ServerLane.patience)
        #expect(lane.isStuck)
        let again = ContinuousClock.now
        #expect(await lane.enter() == false)
        #expect(ContinuousClock.now - again < .milliseconds(500))
        lane.leave()
        #expect(!lane.isStuck)
        #expect(await bell.wait(atMost: nil))
        #expect(await lane.enter())
    }

    @Test("an answer to somebody who stays keeps the lane from counting as stuck")
    func progress() async throws {
        let lane = ServerLane(limit: 1, roomBell: WakeBell())
        #expect(await lane.enter())
        try await Task.sleep(for: ServerLane.patience)
        #expect(lane.isStuck)
        lane.progressed()
        #expect(!lane.isStuck)
    }

    @Test("a larger limit lets those in who wait")
    func resize() async {
        let lane = ServerLane(limit: 1, roomBell: WakeBell())
        #expect(await lane.enter())
        async let second = lane.enter()
        lane.resize(to: 2)
        #expect(await second)
    }

    // MARK: - Messages

    /// A server that answers nobody before it is told to.
    private final class HangingServer: Sendable {
        let bell = WakeBell()
        let calls = Atomic(0)

        var sign: ScriptedServer.Sign {
            { [self] (_) throws(Failure) in
                calls.add(1, ordering: .relaxed)
                _ = await bell.wait(atMost: nil)
                return .cms(OctetString("signature"))
            }
        }
    }

    @Test("what finds the server hanging waits in retry with no attempt counted, and other mail goes")
    func waitsItsTurn() async throws {
        let server = HangingServer()
        var xml = GatewayBench.signing
        xml.processing = "<Concurrency>1</Concurrency>"
        xml.outgoing = SESXML.sign(alias: "key", filter: "<Filter><AND><Subject contains=\"x\"/></AND></Filter>")
        let bench = try GatewayBench(xml, sign: server.sign)
        try bench.put()
        let first = try #require(try bench.candidates().first)
        let lane = bench.engine.lanes[0]
        let hanging = Task { await bench.engine.claim(.fresh(first), at: lane.server) }
        try await eventually("it is at the server") { server.calls.load(ordering: .relaxed) == 1 ? () : nil }
        try bench.put()
        try bench.put(GatewayBench.message.replacing("Subject: x", with: "Subject: none"))
        try await bench.takeAll()
        #expect(try bench.counts() == ["work": 1, "retry": 1, "delivered": 1])
        #expect(try bench.files("delivered").first?.envelopeField("X-SES-Outcome") == "passed")
        let name = try #require(try bench.names("retry/new").first)
        #expect(SpoolFile.part("N", of: name) == "0" && SpoolFile.part("D", of: name) == "\(GatewayBench.now)")
        #expect(bench.board.snapshot.reasons.isEmpty)
        server.bell.silence()
        await hanging.value
        try await bench.takeAll(.retry)
        #expect(try bench.counts() == ["delivered": 3])
        #expect(server.calls.load(ordering: .relaxed) == 2)
    }

    @Test("an attempt that has taken too long makes no further call")
    func maximumAttempt() async throws {
        let bench = try GatewayBench()
        try bench.put()
        guard case .claimed(let transaction) = try bench.spool.claim(try #require(try bench.candidates().first)) else {
            return #expect(Bool(false), "not claimed")
        }
        let calls = OrderlyCalls(ScriptedServer(), in: nil, for: transaction, limit: .milliseconds(50)) { _ in }
        let operation = SigningOperation(
            kind: .email, document: OctetString("x"), profile: nil, keyAlias: nil, attributes: [], originatorID: "c",
            requestID: "r")
        _ = try await calls.sign(operation, answers: MemoryCollecting(limit: 100))
        try await Task.sleep(for: .milliseconds(60))
        await #expect(throws: Failure.self) {
            _ = try await calls.sign(operation, answers: MemoryCollecting(limit: 100))
        }
    }

    @Test("a message that waits long for its server is not what ends the process")
    func waitIsNoStart() async throws {
        let server = HangingServer()
        let bench = try GatewayBench(sign: server.sign)
        let trace =
            "Return-Path: <alice@example.test>\nDelivered-To: bob@elsewhere.test\nReceived: from x by y; Mon, 23 Nov 2026 10:00:00 +0000\n"
        try bench.leave(trace + GatewayBench.message, starts: 2)
        func message() throws -> String? {
            try bench.names("work").first.flatMap { try bench.names("work/" + $0).first { $0.hasPrefix("message") } }
        }
        let working = Task { await bench.recover() }
        try await eventually("it is at the server") { server.calls.load(ordering: .relaxed) == 1 ? () : nil }
        #expect(SpoolFile.part("C", of: try #require(try message())) == "3")
        try await eventually("it has waited") {
            SpoolFile.part("W", of: try #require(try message())) == "1" ? () : nil
        }
        #expect(SpoolFile.part("C", of: try #require(try message())) == "2")
        server.bell.silence()
        await working.value
        #expect(try bench.counts() == ["delivered": 1])
        #expect(server.calls.load(ordering: .relaxed) == 1, "the rename is no change of the message")
    }
}
