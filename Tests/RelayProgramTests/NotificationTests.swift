import Foundation
import InternetMessage
import Delivery
import Synchronization
import TestSupport
import Testing

@testable import RelayProgram

@Suite("Notifications to a sender who asked for them (RFC 3461)")
struct NotificationTests {
    private static func request(
        _ notify: String?, _ returned: NotificationRequest.Returned? = nil, _ xtext: String? = nil
    ) -> NotificationRequest {
        NotificationRequest(
            notify: notify.flatMap { NotificationRequest.Notify(parsing: $0) }, returned: returned,
            identifier: xtext.flatMap { EnvelopeIdentifier(xtext: $0) })
    }

    private func field(_ name: String, _ text: String) -> String? {
        text.split(separator: "\r\n").first { $0.hasPrefix(name + ": ") }.map { String($0.dropFirst(name.count + 2)) }
    }

    @Test("the request goes to the next server unchanged, at each attempt, and nothing without a request")
    func handedOn() throws {
        let bench = try RelayBench()
        let request = Self.request("success,failure", .header, "id+2B1")
        bench.transport.answer("b@x.test", .report(.deferred))
        try bench.put(asking: request)
        bench.pass()
        bench.time += 400
        bench.pass()
        try bench.put(to: ["c@x.test"])
        bench.pass()
        #expect(bench.transport.deliveries.map(\.notification) == [request, request, NotificationRequest()])
        #expect(try bench.counts().isEmpty)
    }

    @Test(
        "a failure is reported if that is wanted, and is in failed either way, with the request",
        arguments: [
            (nil, true), ("failure", true), ("success,failure,delay", true), ("never", false), ("success,delay", false),
        ] as [(String?, Bool)])
    func failure(_ notify: String?, _ isTold: Bool) throws {
        let bench = try RelayBench()
        bench.transport.answer("b@x.test", .report(.failed))
        try bench.put(asking: Self.request(notify, .full, "id"))
        bench.pass()
        #expect(try bench.counts() == (isTold ? ["delivered/new": 1, "failed": 1] : ["failed": 1]))
        let remains = try bench.onlyFile("failed")
        #expect(remains.envelopeField("X-SES-Notify") == notify?.uppercased())
        #expect(remains.envelopeField("X-SES-Return") == "FULL" && remains.envelopeField("X-SES-Envelope-Id") == "id")
        guard isTold else { return }
        // A report asks for none itself.
        #expect(try bench.onlyFile("delivered/new").envelopeField("X-SES-Notify") == "NEVER")
        bench.pass()
        #expect(bench.transport.deliveries.last?.notification == NotificationRequest(notify: .never))
    }

    @Test(
        "a delay is reported if that is wanted",
        arguments: [(nil, 1), ("delay", 1), ("never", 0), ("failure,success", 0)] as [(String?, Int)])
    func delay(_ notify: String?, _ reports: Int) throws {
        let bench = try RelayBench("<gateway>192.0.2.1</gateway><delayTime>5 hours</delayTime>")
        bench.transport.answer("b@x.test", .report(.deferred), .report(.deferred), .report(.deferred))
        try bench.put(asking: Self.request(notify))
        bench.pass()
        bench.time += 20_000
        bench.pass()
        #expect(bench.counters.current.reports == reports)
    }

    @Test(
        "a failure returns what RET says, and the envelope's identifier",
        arguments: [(NotificationRequest.Returned.header, false), (.full, true), (nil, true)]
            as [(NotificationRequest.Returned?, Bool)])
    func returned(_ returned: NotificationRequest.Returned?, _ isWhole: Bool) throws {
        let bench = try RelayBench()
        bench.transport.answer("b@x.test", .report(.failed))
        try bench.put(asking: Self.request(nil, returned, "id+20of+3Dit"))
        bench.pass()
        let report = try bench.onlyFile("delivered/new").text
        #expect(report.contains("Content-Type: message/rfc822") == isWhole)
        #expect(report.contains("\r\nbody\r\n") == isWhole)
        #expect(report.contains("text/rfc822-headers") == !isWhole)
        #expect(field("Original-Envelope-Id", report) == "id of=it")
    }

    @Test("success is reported by the server that took it, or by us if that sends no notifications")
    func success() async throws {
        for (notify, notifies, isTold) in [
            ("success", true, false), ("success", false, true), ("success,failure", false, true),
            ("failure", false, false), ("never", false, false), (nil, false, false),
        ] as [(String?, Bool, Bool)] {
            let bench = try RelayBench()
            bench.transport.notifies.withLock { $0 = notifies }
            try bench.put(to: ["b@x.test", "c@x.test"], asking: Self.request(notify, .full, "id"))
            bench.pass()
            #expect(try bench.counts() == (isTold ? ["delivered/new": 1] : [:]), "\(notify ?? "nothing") \(notifies)")
            #expect(bench.counters.current.sent == 2 && bench.counters.current.messagesSent == 1)
            guard isTold else { continue }
            let file = try bench.onlyFile("delivered/new")
            #expect(file.sender == "" && file.recipients == ["a@example.test"])
            #expect(file.text.components(separatedBy: "Action: relayed\r\n").count == 3)
            #expect(file.text.contains("Status: 2.0.0\r\n") && field("Original-Envelope-Id", file.text) == "id")
            // RET is about failures alone.
            #expect(file.text.contains("text/rfc822-headers") && !file.text.contains("message/rfc822"))
            let reading = try await PythonReading.of(file.message)
            #expect(reading.defects.isEmpty && reading.values("Subject") == ["Mail handed on: Hello"])
            bench.pass()
            // A report goes without one of its own.
            #expect(try bench.counts().isEmpty && bench.counters.current.reports == 1)
        }
    }

    @Test("a hand-over is reported while others wait, and once")
    func relayedAmongWaiting() throws {
        let bench = try RelayBench()
        bench.transport.notifies.withLock { $0 = false }
        bench.transport.answer("c@y.test", .report(.deferred), .report(.failed))
        try bench.put(to: ["b@x.test", "c@y.test"], asking: Self.request("success,failure"))
        bench.pass()
        #expect(try bench.counts() == ["delivered/new": 1, "relay/deferred": 1])
        let told = try bench.onlyFile("delivered/new").text
        #expect(told.contains("Final-Recipient: rfc822; b@x.test\r\nAction: relayed"))
        #expect(try bench.record().contains("told-relayed b@x.test ."))
        bench.time += 400
        bench.pass()
        #expect(bench.counters.current.reports == 2)
        let reports = bench.transport.deliveries.filter { $0.recipients == ["a@example.test"] }.map(\.text)
        #expect(reports.count == 1 && !reports[0].contains("c@y.test"))
        let last = try bench.onlyFile("delivered/new").text
        #expect(last.contains("Action: failed") && !last.contains("relayed"))
    }

    @Test("the null sender gets no report, whatever it asks for")
    func nullSender() throws {
        let bench = try RelayBench()
        bench.transport.notifies.withLock { $0 = false }
        bench.transport.answer("c@y.test", .report(.deferred))
        try bench.put(from: "", to: ["b@x.test", "c@y.test"], asking: Self.request("success"))
        bench.pass()
        bench.time += 400
        bench.pass()
        #expect(try bench.counts().isEmpty && bench.counters.current.reports == 0)
    }
}

@Suite("The command line of a program that takes mail")
struct SendmailOptionTests {
    @Test("has each value in one argument with its letter")
    func options() {
        let request = NotificationRequest(
            notify: NotificationRequest.Notify([.failure, .success]), returned: .header,
            identifier: EnvelopeIdentifier(xtext: "-x+20y"))
        #expect(SendmailTransport.options(request) == ["-Nsuccess,failure", "-Rhdrs", "-V-x+20y"])
        #expect(SendmailTransport.options(NotificationRequest(notify: .never)) == ["-Nnever"])
        #expect(SendmailTransport.options(NotificationRequest()).isEmpty)
    }
}
