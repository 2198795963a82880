import HostProcess
import DSSProtocol
import Foundation
import Logging
import Octets
import Processing
import ProgramLife
import Synchronization
import TestSupport
import Testing
import Workers

@testable import SESProgram
@testable import Spool

@Suite("Engine: an entry from its folder to its outputs")
struct EngineTests {
    @Test("a message is signed into delivered, with its envelope, LF in and LF out")
    func publish() async throws {
        let bench = try GatewayBench()
        try bench.put(to: "hidden@elsewhere.test")
        try await bench.takeAll()
        #expect(try bench.counts() == ["delivered": 1])
        let file = try #require(try bench.files("delivered").first)
        #expect(file.recipients == ["hidden@elsewhere.test"] && file.sender == "alice@example.test")
        #expect(file.envelopeField("X-SES-Outcome") == "signed")
        #expect(file.envelopeField("X-SES-Origin") == "out" && SpoolFile.part("O", of: file.name) == "out")
        #expect(file.header("Content-Type").first?.hasPrefix("multipart/signed") == true)
        #expect(!file.octets.contains(0x0D))
        #expect(bench.engine.handledCount == 1)
        #expect(bench.board.snapshot.reasons.isEmpty)
    }

    @Test("a file with CRLF stays one")
    func carriageReturns() async throws {
        let bench = try GatewayBench()
        try bench.put(GatewayBench.message.replacing("\n", with: "\r\n"))
        try await bench.takeAll()
        let octets = try #require(try bench.files("delivered").first).octets
        for (index, octet) in octets.enumerated() where octet == 0x0A {
            #expect(index > 0 && octets[index - 1] == 0x0D)
        }
    }

    @Test("a transient failure waits in retry, unchanged, and is tried again until it works")
    func deferral() async throws {
        let calls = Atomic(0)
        let bench = try GatewayBench { (_) throws(Failure) in
            guard calls.add(1, ordering: .relaxed).newValue < 3 else { return .cms(OctetString("signature")) }
            throw Failure(.transient, "no connection")
        }
        try bench.put()
        let waiting = try TestMaterial.octets(
            bench.scratch.file("spool/outgoing/new/" + bench.names("outgoing/new")[0]))
        try await bench.takeAll()
        var file = try #require(try bench.files("retry").first)
        #expect(file.octets == waiting)
        #expect(SpoolFile.part("N", of: file.name) == "1")
        #expect(SpoolFile.part("D", of: file.name) == "\(GatewayBench.now + 300)")
        #expect(bench.engine.lanes[0].agenda.next == GatewayBench.now + 300)
        #expect(bench.board.snapshot.lastError == "no connection")
        #expect(bench.board.snapshot.reasons.isEmpty)
        try await bench.takeAll(.retry)
        file = try #require(try bench.files("retry").first)
        #expect(SpoolFile.part("N", of: file.name) == "2")
        try await bench.takeAll(.retry)
        #expect(try bench.counts() == ["delivered": 1])
    }

    @Test("after the last attempt the administrator gets it")
    func givenUp() async throws {
        let bench = try GatewayBench { (_) throws(Failure) in throw Failure(.transient, "no connection") }
        try bench.put()
        try await bench.takeAll()
        try await bench.takeAll(.retry)
        try await bench.takeAll(.retry)
        #expect(try bench.counts() == ["admin": 1, "blocked": 1])
        #expect(try #require(try bench.files("admin").first).envelopeField("X-SES-Outcome") == "notice")
    }

    @Test("a refusal that points at our configuration is unhealthy until the server gives a result again")
    func unhealthy() async throws {
        let refuses = Atomic(true)
        let bench = try GatewayBench { (_) throws(Failure) in
            if refuses.load(ordering: .relaxed) { throw Failure(.transient, "401", pointsAtConfiguration: true) }
            return .cms(OctetString("signature"))
        }
        try bench.put()
        try await bench.takeAll()
        #expect(bench.board.snapshot.reasons.values.contains { $0.text == "401" })
        refuses.store(false, ordering: .relaxed)
        try await bench.takeAll(.retry)
        #expect(bench.board.snapshot.reasons.isEmpty)
        #expect(try bench.counts() == ["delivered": 1])
    }

    @Test("a file that changes during the work is processed anew, and only the last state is published")
    func changed() async throws {
        let calls = Atomic(0)
        let work = Mutex("")
        let bench = try GatewayBench { (_) throws(Failure) in
            if calls.add(1, ordering: .relaxed).newValue == 1 { Self.append("more\n", below: work.withLock { $0 }) }
            return .cms(OctetString("signature"))
        }
        work.withLock { $0 = bench.scratch.file("spool/work") }
        try bench.put()
        try await bench.takeAll()
        #expect(calls.load(ordering: .relaxed) == 2)
        #expect(try bench.counts() == ["delivered": 1])
        #expect(try #require(try bench.files("delivered").first).text.contains("Hello\nmore\n"))
    }

    @Test("a file that keeps changing is left for the schedule of retries after three rounds, and blocked in the end")
    func changesForEver() async throws {
        let calls = Atomic(0)
        let work = Mutex("")
        let bench = try GatewayBench { (_) throws(Failure) in
            calls.add(1, ordering: .relaxed)
            Self.append("more\n", below: work.withLock { $0 })
            return .cms(OctetString("signature"))
        }
        work.withLock { $0 = bench.scratch.file("spool/work") }
        try bench.put()
        try await bench.takeAll()
        #expect(calls.load(ordering: .relaxed) == 3)
        #expect(try bench.counts() == ["retry": 1])
        #expect(try bench.names("retry/new").first?.contains("N=1,D=1800000300") == true)
        #expect(bench.board.snapshot.lastError?.contains("its writer has not finished") == true)
        try await bench.takeAll(.retry)
        try await bench.takeAll(.retry)
        #expect(calls.load(ordering: .relaxed) == 9)
        #expect(try bench.counts() == ["blocked": 1])
    }

    /// Appends to the claimed message, as a writer that still has it open.
    private static func append(_ text: String, below work: String) {
        for directory in (try? FileManager.default.contentsOfDirectory(atPath: work)) ?? [] {
            let path = work + "/" + directory
            for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
            where name.hasPrefix("message") {
                guard let handle = FileHandle(forWritingAtPath: path + "/" + name) else { continue }
                _ = try? handle.seekToEnd()
                try? handle.write(contentsOf: Data(text.utf8))
                try? handle.close()
            }
        }
    }

    struct LargeCase: CustomTestStringConvertible, Sendable {
        let action: String
        let counts: [String: Int]
        var testDescription: String { action }
    }

    @Test(
        "a message above MaxMessageSize follows EmailErrorAction, with its header in the notice and the file unchanged",
        arguments: [
            LargeCase(action: "BLOCK_EMAIL", counts: ["blocked": 1]),
            LargeCase(action: "EMAIL_TO_ADMINISTRATOR", counts: ["admin": 1, "blocked": 1]),
            LargeCase(action: "EMAIL_TO_RECIPIENTS", counts: ["delivered": 1]),
            LargeCase(action: "EMAIL_TO_ADMINISTRATOR_AND_RECIPIENTS", counts: ["admin": 1, "delivered": 1]),
            LargeCase(action: "EMAIL_TO_SENDER", counts: ["blocked": 1, "delivered": 1]),
            LargeCase(
                action: "EMAIL_TO_ADMINISTRATOR_AND_SENDER", counts: ["admin": 1, "blocked": 1, "delivered": 1]),
        ])
    func tooLarge(_ given: LargeCase) async throws {
        var xml = GatewayBench.signing
        xml.emailErrorAction = given.action
        let bench = try GatewayBench(xml, maximum: 5_000)
        let message = GatewayBench.message + String(repeating: "a line\n", count: 300_000)
        try bench.put(message)
        let waiting = try TestMaterial.octets(
            bench.scratch.file("spool/outgoing/new/" + bench.names("outgoing/new")[0]))
        try await bench.takeAll()
        #expect(try bench.counts() == given.counts)
        if let blocked = try bench.files("blocked").first {
            #expect(blocked.octets == waiting)
            #expect(blocked.recipients == ["bob@elsewhere.test"])
        }
        for notice in try bench.files("admin") + bench.files("delivered") where notice.text.contains("From: SES") {
            #expect(notice.octets.count < 20_000)
            #expect(notice.text.contains("Subject: x") && !notice.text.contains("a line"))
            #expect(notice.text.contains("MaxMessageSize"))
        }
        if given.action.hasSuffix("RECIPIENTS") {
            let passed = try #require(try bench.files("delivered").first)
            #expect(passed.envelopeField("X-SES-Outcome") == "failed")
            #expect(passed.message.suffix(message.utf8.count).elementsEqual(message.utf8))
        }
        #expect(bench.board.snapshot.lastError?.contains("MaxMessageSize allows 5000") == true)
    }

    @Test("a message above MaxMessageSize whose header is too large as well is kept, and the administrator is told")
    func tooLargeHeader() async throws {
        let bench = try GatewayBench(maximum: 5_000)
        try bench.put("X: " + String(repeating: "x", count: 400_000) + "\n" + GatewayBench.message)
        try await bench.takeAll()
        #expect(try bench.counts() == ["admin": 1, "blocked": 1])
    }

    @Test("a message that an operator releases passes whatever its size")
    func releasedLarge() async throws {
        let bench = try GatewayBench(maximum: 5_000)
        try bench.put(GatewayBench.message + String(repeating: "a line\n", count: 1_000))
        let name = try bench.names("outgoing/new")[0]
        let folder = bench.scratch.file("spool/outgoing/new/")
        try FileManager.default.moveItem(
            atPath: folder + name, toPath: bench.scratch.file("spool/retry/new/") + name + ",O=out,N=0,D=5,A=release")
        try await bench.takeAll(.retry)
        #expect(try bench.counts() == ["delivered": 1])
        #expect(try bench.files("delivered").first?.envelopeField("X-SES-Outcome") == "released")
    }

    @Test("something that is not a file goes to corrupt and is reported")
    func corrupt() async throws {
        let bench = try GatewayBench()
        try bench.scratch.write([], to: "spool/outgoing/new/empty")
        try await bench.takeAll()
        #expect(try bench.counts() == ["corrupt": 1])
        #expect(bench.board.snapshot.lastError?.contains("it is empty") == true)
    }

    // MARK: - Faults and stops

    @Test("a full disk stops the intake and costs no start; when it is over, work continues")
    func localFault() async throws {
        let bench = try GatewayBench()
        try bench.put()
        try bench.put()
        bench.sync.fail(true)
        try await bench.takeAll()
        #expect(!bench.engine.mayClaim)
        #expect(bench.board.snapshot.reasons["local"] != nil)
        #expect(try bench.counts() == ["outgoing": 1, "work": 1])
        let directory = try #require(try bench.names("work").first)
        #expect(try bench.names("work/" + directory).filter { !$0.hasPrefix("message") }.isEmpty)
        #expect(try bench.names("work/" + directory).first?.contains("C=1") == false)
        bench.sync.fail(false)
        await bench.tryAgain()
        #expect(bench.engine.mayClaim && bench.board.snapshot.reasons.isEmpty)
        try await bench.takeAll()
        #expect(try bench.counts() == ["delivered": 2])
    }

    @Test("a fault that persists keeps the intake stopped")
    func lastingFault() async throws {
        let bench = try GatewayBench()
        try bench.put()
        bench.sync.fail(true)
        try await bench.takeAll()
        for _ in 0..<5 { await bench.tryAgain() }
        #expect(!bench.engine.mayClaim && bench.board.snapshot.reasons["local"] != nil)
        bench.sync.fail(false)
        await bench.tryAgain()
        #expect(try bench.counts() == ["delivered": 1], "no attempt of the five was counted as a start")
    }

    @Test("work that is cancelled is put back and costs no start")
    func cancelled() async throws {
        let isFirst = Atomic(true)
        let bench = try GatewayBench { (_) throws(Failure) in
            if isFirst.exchange(false, ordering: .relaxed) { withUnsafeCurrentTask { $0?.cancel() } }
            return .cms(OctetString("signature"))
        }
        try bench.put()
        let candidate = try #require(try bench.candidates().first)
        await Task { await bench.engine.claim(.fresh(candidate), at: nil) }.value
        #expect(try bench.counts() == ["work": 1])
        let directory = try #require(try bench.names("work").first)
        #expect(try bench.names("work/" + directory).first?.contains("C=1") == false)
        await bench.recover()
        #expect(try bench.counts() == ["delivered": 1])
    }

    // MARK: - Recovery

    @Test(
        "entries that a process left in work are continued in place; a message that ended it goes to the administrator, raw"
    )
    func recovery() async throws {
        let bench = try GatewayBench { (_) throws(Failure) in throw Failure(.permanent, "not expected to sign") }
        let poison = "From: \u{1}\n\u{0} no message at all"
        try bench.leave(poison, starts: 3)
        try bench.leave(GatewayBench.message, starts: 2, number: 2)
        await bench.recover()
        #expect(try bench.counts() == ["admin": 2, "blocked": 2])
        let notice = try #require(try bench.files("admin").first { $0.text.contains("not examined again") })
        let encoded = Data(poison.utf8).base64EncodedString()
        #expect(notice.text.contains(encoded))
        #expect(bench.board.snapshot.lastError != nil)
    }

    @Test("without an administrator a message that ended the program goes to blocked unchanged")
    func poisonWithoutAdministrator() async throws {
        var xml = GatewayBench.signing
        xml.administrator = nil
        let bench = try GatewayBench(xml)
        try bench.leave("\u{0}poison", starts: 3)
        await bench.recover()
        #expect(try bench.counts() == ["blocked": 1])
        #expect(try #require(try bench.files("blocked").first).octets == Array("\u{0}poison".utf8))
    }

    @Test("a foreign file in work is left alone and makes the status unhealthy")
    func foreign() async throws {
        let bench = try GatewayBench()
        try bench.scratch.write([1], to: "spool/work/stranger")
        await bench.recover()
        #expect(try bench.names("work") == ["stranger"])
        #expect(!bench.board.snapshot.reasons.isEmpty)
    }

    // MARK: - The whole service

    @Test("process drains both directions and due retries, and ends", .timeLimit(.minutes(1)))
    func drain() async throws {
        let bench = try GatewayBench()
        for _ in 0..<30 { try bench.put() }
        let incoming = "Delivered-To: bob@example.test\nReceived: from x by y; Mon, 23 Nov 2026 10:00:00 +0000\n"
        for number in 0..<10 {
            try bench.scratch.write(
                Array((incoming + GatewayBench.message).utf8), to: "spool/incoming/new/\(number).M1.host")
        }
        let threads = WorkerThreads(count: 10, name: "test")
        let service = SESService(
            mode: .process, spool: bench.spool, watcher: nil, configuration: bench.configuration,
            copies: AdministratorCopies(now: { 0 }), clock: .system,
            threads: threads, log: bench.engine.log)
        try await withTaskExecutorPreference(threads) { try await service.run() }
        #expect(try bench.counts() == ["delivered": 40])
        #expect(service.board.snapshot.reasons.isEmpty)
        #expect(try bench.names("state") == ["ses.last"])
    }
}
