import Foundation
import Glibc
import InternetMessage
import ProgramLife
import Delivery
import Synchronization
import TestSupport
import Testing

@testable import RelayProgram

/// Texts that a callback notes.
private final class Noted: Sendable {
    private let texts = Mutex<[String]>([])
    var all: [String] { texts.withLock { $0 } }

    func add(_ text: String) { texts.withLock { $0.append(text) } }
}

@Suite("A message on its way through the relay")
struct EntryTests {
    @Test("goes to all its recipients and leaves nothing behind")
    func sent() throws {
        let bench = try RelayBench()
        try bench.put(to: ["b@x.test", "c@y.test"])
        bench.pass()
        #expect(try bench.counts().isEmpty)
        let given = try #require(bench.transport.deliveries.first)
        #expect(bench.transport.deliveries.count == 1)
        #expect(given.recipients == ["b@x.test", "c@y.test"])
        #expect(given.sender == ReversePath(parsing: "a@example.test"))
        #expect(bench.counters.current.sent == 2 && bench.counters.current.messagesSent == 1)
        #expect(bench.board.snapshot.reasons.isEmpty)
    }

    @Test(
        "a temporary refusal waits for the refused recipients only, by the schedule, and is never sent to the others again"
    )
    func partial() throws {
        let bench = try RelayBench("<gateway>192.0.2.1</gateway><delayTime>5 minutes</delayTime>")
        bench.transport.answer("c@y.test", .report(.deferred), .report(.deferred))
        try bench.put(to: ["b@x.test", "c@y.test"])
        bench.pass()
        #expect(try bench.counts() == ["relay/deferred": 1])
        let name = try bench.names("relay/deferred")[0]
        #expect(SpoolFile.part("N", of: name) == "1")
        let due = try #require(SpoolFile.part("D", of: name).flatMap { Int($0) })
        #expect((RelayBench.start + 300...RelayBench.start + 330).contains(due))
        bench.time = due - 1
        bench.pass()
        #expect(bench.transport.deliveries.count == 1)
        bench.time = due
        bench.pass()
        #expect(bench.transport.deliveries.map(\.recipients) == [["b@x.test", "c@y.test"], ["c@y.test"]])
        bench.time += 400
        bench.pass()
        #expect(bench.transport.deliveries.last?.recipients == ["c@y.test"])
        #expect(try bench.counts().isEmpty)
    }

    @Test("a permanent refusal is reported to the sender at once, while others still wait, and once")
    func failedAmongWaiting() throws {
        let bench = try RelayBench()
        bench.transport.answer("b@x.test", .report(.failed))
        bench.transport.answer("c@y.test", .report(.deferred))
        try bench.put(to: ["b@x.test", "c@y.test"])
        bench.pass()
        #expect(try bench.counts() == ["delivered/new": 1, "relay/deferred": 1])
        let report = try bench.onlyFile("delivered/new")
        #expect(report.recipients == ["a@example.test"] && report.sender == "")
        #expect(SpoolFile.part("O", of: report.name) == "in")
        bench.time += 400
        bench.pass()
        // The report itself has gone, too; what is left is the message for the one who did not get it.
        #expect(bench.transport.deliveries.map(\.recipients).suffix(2) == [["a@example.test"], ["c@y.test"]])
        #expect(try bench.counts() == ["failed": 1])
        #expect(bench.counters.current.reports == 1)
    }

    @Test("a message that nobody gets goes to failed, for those who did not get it, with a report")
    func failed() async throws {
        let bench = try RelayBench("<gateway>192.0.2.1</gateway><postmaster>pm@example.test</postmaster>")
        bench.transport.answer("b@x.test", .report(.failed))
        try bench.put(to: ["b@x.test", "c@y.test"])
        bench.pass()
        #expect(try bench.counts() == ["delivered/new": 1, "failed": 1])
        let remains = try bench.onlyFile("failed")
        #expect(remains.recipients == ["b@x.test"] && remains.sender == "a@example.test")
        #expect(remains.envelopeField("X-SES-Outcome") == "failed")
        #expect(String(decoding: remains.message, as: UTF8.self) == RelayBench.message)
        let reading = try await PythonReading.of(try bench.onlyFile("delivered/new").message)
        #expect(reading.defects.isEmpty)
        #expect(reading.values("From").first?.contains("pm@example.test") == true)
        #expect(reading.values("Auto-Submitted") == ["auto-replied"])
        #expect(
            reading.parts.map(\.type)
                == [
                    "multipart/report", "text/plain", "message/delivery-status", "text/plain", "text/plain",
                    "message/rfc822", "text/plain",
                ])
        // Put back by an operator it goes to those alone.
        try FileManager.default.moveItem(
            atPath: remains.path, toPath: bench.path + "/delivered/new/" + remains.name)
        bench.pass()
        #expect(bench.transport.deliveries.dropFirst().contains { $0.recipients == ["b@x.test"] })
    }

    @Test("the null sender and an unknown one get no report", arguments: ["", nil])
    func noReport(_ sender: String?) throws {
        let bench = try RelayBench()
        bench.transport.answer("b@x.test", .report(.failed))
        try bench.put(from: sender)
        bench.pass()
        #expect(try bench.counts() == ["failed": 1])
        #expect(bench.transport.deliveries.map(\.sender) == [.null])
    }

    @Test("after the last attempt it is given up, with the server's last words")
    func givenUp() throws {
        let bench = try RelayBench(
            "<gateway>192.0.2.1</gateway><delayTime>2*1 minute</delayTime><maxRetries>2</maxRetries>")
        bench.transport.answer("b@x.test", .report(.deferred), .report(.deferred), .report(.deferred))
        try bench.put()
        for _ in 0..<3 {
            bench.pass()
            bench.time += 70
        }
        #expect(bench.transport.deliveries.filter { $0.recipients == ["b@x.test"] }.count == 3)
        #expect(try bench.counts() == ["delivered/new": 1, "failed": 1])
        let report = String(decoding: try bench.onlyFile("delivered/new").message, as: UTF8.self)
        #expect(report.contains("Status: 4.4.7\r\n") && report.contains("451 4.2.1 later"))
        #expect(try bench.onlyFile("failed").envelopeField("X-SES-Reason")?.contains("451 4.2.1 later") == true)
    }

    @Test("a delay of hours is reported once")
    func delayed() throws {
        let bench = try RelayBench("<gateway>192.0.2.1</gateway><delayTime>3 hours</delayTime>")
        for _ in 0..<4 {
            bench.transport.answer(
                "b@x.test", .report(.deferred), .report(.deferred), .report(.deferred), .report(.deferred))
        }
        try bench.put()
        bench.pass()
        #expect(bench.counters.current.reports == 0)
        for _ in 0..<3 {
            bench.time += 11_900
            bench.pass()
        }
        #expect(bench.counters.current.reports == 1)
        let told = bench.transport.deliveries.filter { $0.recipients == ["a@example.test"] }
        #expect(told.count == 1)
        #expect(told[0].text.contains("Action: delayed\r\n") && told[0].text.contains("Will-Retry-Until: "))
        #expect(told[0].text.contains("text/rfc822-headers"))
        #expect(try bench.counts() == ["relay/deferred": 1])
    }

    @Test("a dead route costs the message no attempt, is left alone for a while, and blocks no other")
    func deadRoute() throws {
        let bench = try RelayBench(
            """
            <Route name="dead" toDomain="x.test"><gateway>192.0.2.1</gateway></Route>
            <gateway>192.0.2.2</gateway>
            """)
        bench.transport.end(.routeFailed("connect: refused"))
        try bench.put(to: ["b@x.test"])
        bench.pass()
        #expect(bench.transport.deliveries.count == 1)
        #expect(try SpoolFile.part("N", of: bench.names("relay/deferred")[0]) == "0")
        bench.transport.end(.complete)
        try bench.put(to: ["c@x.test"])
        try bench.put(to: ["d@y.test"])
        bench.time += 1
        bench.pass()
        #expect(bench.transport.deliveries.map(\.recipients).suffix(1) == [["d@y.test"]])
        #expect(bench.transport.deliveries.count == 2)
        #expect(bench.lanes.notAnswering().map(\.destination.routeName) == ["dead"])
        #expect(try bench.counts() == ["relay/deferred": 2])
        bench.time += 60
        bench.pass()
        bench.time += 60
        bench.pass()
        #expect(try bench.counts().isEmpty)
        #expect(bench.lanes.notAnswering().isEmpty)
        #expect(Set(bench.transport.deliveries.map(\.recipients)) == [["b@x.test"], ["c@x.test"], ["d@y.test"]])
    }

    @Test("a route that stays dead does not keep a message for ever")
    func routeDeadForGood() throws {
        let bench = try RelayBench(
            "<gateway>192.0.2.1</gateway><delayTime>1 hour</delayTime><maxRetries>1</maxRetries>")
        bench.transport.end(.routeFailed("connect: refused"))
        try bench.put(from: "")
        for _ in 0..<12 {
            bench.pass()
            bench.time += 900
        }
        #expect(try bench.counts() == ["failed": 1])
    }

    @Test("each recipient goes by the first route that matches")
    func routes() throws {
        let bench = try RelayBench(
            """
            <Route name="in" direction="incoming"><gateway>192.0.2.1</gateway></Route>
            <Route name="notices" folder="admin"><gateway>192.0.2.2</gateway></Route>
            <Route name="special" toDomain="*.y.test" fromDomain="example.test"><gateway>192.0.2.3</gateway></Route>
            """)
        try bench.put(to: ["b@x.test", "c@a.y.test", "d@x.test", "e@z.test"])
        try bench.put(to: ["in@x.test"], origin: "in")
        try bench.put(to: ["admin@x.test"], folder: "admin")
        bench.pass()
        let ways = Set(bench.transport.deliveries.map { "\($0.destination): \($0.recipients.joined(separator: " "))" })
        #expect(
            ways == [
                "default (x.test): b@x.test d@x.test", "special: c@a.y.test", "default (z.test): e@z.test",
                "in: in@x.test", "notices: admin@x.test",
            ])
    }

    @Test("a notice stays one when it was deferred")
    func deferredNotice() throws {
        let bench = try RelayBench(
            "<Route name=\"notices\" folder=\"admin\"><gateway>192.0.2.2</gateway></Route>")
        bench.transport.answer("admin@x.test", .report(.deferred))
        try bench.put(to: ["admin@x.test"], folder: "admin")
        bench.pass()
        bench.time += 400
        bench.pass()
        #expect(bench.transport.deliveries.map(\.destination.routeName) == ["notices", "notices"])
    }

    @Test("a message in a loop fails, with the reason")
    func loops() throws {
        let bench = try RelayBench()
        let hops = String(repeating: "Received: from a by b; Mon, 5 Jan 2026 10:00:00 +0000\n", count: 51)
        try bench.put(hops + RelayBench.message)
        let marks = String(repeating: "Received: by relay.example.test (SES relay) id 1; x\n", count: 5)
        try bench.put(marks + RelayBench.message)
        bench.pass()
        #expect(try bench.counts() == ["delivered/new": 2, "failed": 2])
        #expect(bench.transport.deliveries.isEmpty)
    }

    @Test("a damaged envelope and a message without recipients are put away unsent, by one rename")
    func noEnvelope() throws {
        let bench = try RelayBench()
        try bench.put(to: [])
        let name = "1790000000.\(String(repeating: "a", count: 32)).0011223344556677,E=5,O=out"
        try bench.scratch.write(Array("12345".utf8) + Array(RelayBench.message.utf8), to: "spool/delivered/new/" + name)
        bench.pass()
        #expect(try bench.counts() == ["failed": 2])
        #expect(bench.transport.deliveries.isEmpty)
    }

    @Test("an unanswered end of a message is tried again, and counted as a possible repeat")
    func unknown() throws {
        let bench = try RelayBench()
        bench.transport.answer("b@x.test", .report(.unknown))
        try bench.put()
        bench.pass()
        #expect(bench.counters.current.possibleRepeats == 1)
        bench.time += 400
        bench.pass()
        #expect(bench.transport.deliveries.count == 2)
        #expect(try bench.counts().isEmpty)
    }

    @Test("the report to the sender travels in the opposite direction", arguments: [("in", "out"), ("out", "in")])
    func reportDirection(_ origin: String, _ expected: String) throws {
        let bench = try RelayBench()
        bench.transport.answer("b@x.test", .report(.failed))
        try bench.put(origin: origin)
        bench.pass()
        #expect(try SpoolFile.part("O", of: bench.onlyFile("delivered/new").name) == expected)
    }

    @Test("an outcome that can never be recorded is tried a few times, each time announced, and then given up")
    func neverRecorded() throws {
        let bench = try RelayBench("<gateway>192.0.2.1</gateway><delayTime>1 second</delayTime>")
        let limit = DeliveryHistory.maximumUnrecorded
        bench.transport.answer("b@x.test", [FakeTransport.Answer](repeating: .silence, count: limit))
        try bench.put()
        // What a process leaves that dies between the end of the message and its reply, each time.
        func offers() -> Int { bench.transport.deliveries.count { $0.recipients == ["b@x.test"] } }
        for count in 1...limit {
            bench.pass()
            #expect(offers() == count)
            #expect(bench.counters.current.possibleRepeats == count - 1)
            bench.time += 1_000
        }
        bench.pass()
        #expect(offers() == limit)
        #expect(try bench.names("failed").count == 1)
        bench.pass()
        let report = try #require(bench.transport.deliveries.last { $0.recipients == ["a@example.test"] })
        #expect(report.text.contains("could never be recorded") && report.text.contains("it may have arrived"))
    }

    @Test("a refusal for now does not answer an earlier offer: the next offer is announced as a possible repeat")
    func refusedAfterSilence() throws {
        let bench = try RelayBench("<gateway>192.0.2.1</gateway><delayTime>1 second</delayTime>")
        // What a process leaves that dies between the end of the message and its reply; then RCPT is answered 451.
        bench.transport.answer("b@x.test", .silence, .refusal(.deferred), .report(.deferred))
        try bench.put()
        for announced in [0, 0, 1, 2] {
            bench.pass()
            #expect(bench.counters.current.possibleRepeats == announced)
            bench.time += 1_000
        }
        #expect(bench.transport.deliveries.count == 4)
        #expect(try bench.counts().isEmpty)
    }

    @Test("the end of a message is not sent again while the journal cannot announce it")
    func unannounced() throws {
        let bench = try RelayBench("<gateway>192.0.2.1</gateway><delayTime>1 second</delayTime>")
        // What a process leaves that dies between the end of the message and its reply.
        bench.transport.answer("b@x.test", .silence)
        try bench.put()
        bench.pass()
        let noted = Noted()
        bench.transport.beforeReport.withLock { $0 = { noted.add("sent") } }
        let journal = bench.path + "/relay/journal/" + (try #require(try bench.names("relay/journal").first))
        try #require(unlink(journal) == 0 && mkdir(journal, 0o700) == 0)
        for _ in 0..<3 {
            bench.time += 1_000
            bench.engine.recover()
            bench.pass()
        }
        #expect(noted.all.isEmpty)
        #expect(bench.counters.current.possibleRepeats == 0)
        try #require(rmdir(journal) == 0)
        let next = try RelayBench(copying: bench)
        next.time = bench.time + 1_000
        next.engine.recover()
        next.pass()
        #expect(next.transport.deliveries.count == 1)
        #expect(next.counters.current.possibleRepeats == 1)
        #expect(try next.counts().isEmpty)
        let lines = try next.names("relay/journal").map { try next.text("relay/journal/" + $0) }.joined()
        #expect(lines.contains("possible repeat"))
    }

    @Test("a start after an interrupted one is in the record before a server is asked", arguments: [0, 1, 2])
    func recordedStart(_ starts: Int) throws {
        let bench = try RelayBench()
        if starts > 0 {
            _ = try interrupted(bench, [.arrived(5, .delivered)], starts: starts)
        } else {
            try bench.put()
        }
        let records = Noted()
        bench.transport.beforeReport.withLock {
            $0 = { [path = bench.path + "/relay/work/"] in
                for place in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
                    let text = try? TestMaterial.octets(path + place + "/done")
                    if let text { records.add(String(decoding: text, as: UTF8.self)) }
                }
            }
        }
        bench.engine.recover()
        bench.pass()
        let record = try #require(records.all.first)
        let isRecorded = record.split(separator: "\n").contains { $0 == DeliveryLine.started.text }
        #expect(isRecorded == (starts > 0), "\(record)")
        #expect(try bench.counts().isEmpty)
    }

    /// A message as a process leaves it that died three times at it.
    private func interrupted(_ bench: RelayBench, _ lines: [DeliveryLine], starts: Int = 3) throws -> String {
        let name = try bench.put(to: ["has@x.test", "may@x.test", "not@x.test", "never@x.test"])
        let unique = "1790000000.0123456789abcdef0123456789abcdef.0011223344556677"
        let place = bench.path + "/relay/work/" + unique
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
        let facts = name.split(separator: ",").dropFirst().joined(separator: ",")
        try FileManager.default.moveItem(
            atPath: bench.path + "/" + name, toPath: place + "/message,\(facts),N=0,C=\(starts)")
        try bench.scratch.write(
            Array(lines.map { $0.text + "\n" }.joined().utf8), to: "spool/relay/work/\(unique)/done")
        return unique
    }

    @Test(
        "a message that ended three starts is put away for the recipients who do not have it, and nothing of it is parsed"
    )
    func isolated() throws {
        let bench = try RelayBench()
        func address(_ name: String) throws -> AddrSpec { try #require(AddrSpec(parsing: name + "@x.test")) }
        _ = try interrupted(
            bench,
            [
                .arrived(5, .delivered),
                .report(try address("has"), DeliveryReport(.sent, status: "2.0.0", "250 taken"), time: 6),
                .report(try address("never"), DeliveryReport(.failed, status: "5.1.1", "550 no"), time: 6),
                .offered(try address("may")),
            ])
        bench.engine.recover()
        #expect(try bench.counts() == ["failed": 1, "delivered/new": 1])
        let report = try bench.onlyFile("delivered/new")
        #expect(report.recipients == ["a@example.test"] && report.sender == "")
        let text = String(decoding: report.message, as: UTF8.self)
        #expect(text.contains("550 no") && text.contains("may@x.test") && !text.contains("has@x.test"))
        try FileManager.default.removeItem(atPath: report.path)
        let remains = try bench.onlyFile("failed")
        #expect(remains.recipients == ["may@x.test", "not@x.test", "never@x.test"])
        #expect(remains.sender == "a@example.test" && remains.message == Array(RelayBench.message.utf8))
        #expect(remains.envelopeField("X-SES-Reason")?.contains("these may have it: may@x.test") == true)
        #expect(bench.board.snapshot.lastError?.hasPrefix("failed/") == true)
        // Put back by an operator, it goes to nobody who has it.
        try FileManager.default.moveItem(atPath: remains.path, toPath: bench.path + "/delivered/new/" + remains.name)
        bench.pass()
        #expect(bench.transport.deliveries.map(\.recipients) == [["may@x.test", "not@x.test", "never@x.test"]])
    }

    @Test("a message that all have is not put away at all")
    func isolatedAndSent() throws {
        let bench = try RelayBench()
        _ = try interrupted(
            bench,
            try ["has", "may", "not", "never"].map {
                .report(
                    try #require(AddrSpec(parsing: $0 + "@x.test")),
                    DeliveryReport(.sent, status: "2.0.0", "250 taken"), time: 6)
            })
        bench.engine.recover()
        #expect(try bench.counts().isEmpty)
    }

    @Test("recovery sends nothing; messages that it found take the way of all deferred mail", arguments: [0, 1, 2])
    func recovery(_ starts: Int) throws {
        let bench = try RelayBench()
        _ = try interrupted(bench, [.arrived(5, .delivered)], starts: starts)
        bench.engine.recover()
        #expect(bench.transport.deliveries.isEmpty)
        #expect(try bench.counts() == ["relay/deferred": 1])
        bench.passDeferred()
        #expect(bench.transport.deliveries.count == 1)
        #expect(try bench.counts().isEmpty)
    }

    @Test("starts without an end that reached a server are counted, and end after many")
    func startsInVain() throws {
        let bench = try RelayBench()
        let lines = [DeliveryLine.arrived(5, .delivered)]
        let vain = [DeliveryLine](repeating: .started, count: DeliveryHistory.maximumStartsInVain)
        _ = try interrupted(bench, lines + vain.dropLast(), starts: 1)
        bench.engine.recover()
        bench.passDeferred()
        #expect(bench.transport.deliveries.count == 1)
        #expect(try bench.counts().isEmpty)
        _ = try interrupted(bench, lines + vain, starts: 1)
        bench.engine.recover()
        bench.passDeferred()
        #expect(bench.transport.deliveries.count == 1)
        // The sender is told of it.
        #expect(try bench.counts() == ["failed": 1, "delivered/new": 1])
    }

    @Test("a message whose claimed file keeps changing is tried a few times, and then waits")
    func keepsChanging() throws {
        let bench = try RelayBench()
        try bench.put()
        bench.transport.beforeReport.withLock {
            $0 = { [path = bench.path] in
                let work = path + "/relay/work"
                for place in (try? FileManager.default.contentsOfDirectory(atPath: work)) ?? [] {
                    let folder = work + "/" + place
                    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
                    where name.hasPrefix("message") {
                        let handle = FileHandle(forWritingAtPath: folder + "/" + name)
                        _ = try? handle?.seekToEnd()
                        try? handle?.write(contentsOf: Data("more\n".utf8))
                    }
                }
            }
        }
        for _ in 0..<6 { bench.transport.answer("b@x.test", .report(.sent)) }
        bench.pass()
        #expect(bench.transport.deliveries.count == 1)
        #expect(try bench.counts().isEmpty)
    }
}
