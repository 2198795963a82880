import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The daemon")
    struct Daemon {
        private func signing() async throws -> SESXML {
            var configuration = SESXML(servers: [try await DSSFixture.shared.address])
            configuration.outgoing = SESXML.sign(alias: Samples.aliceKey)
            return configuration
        }

        @Test("takes mail that is dropped while it watches and mail that waited before")
        func arrivals() async throws {
            let fixture = try await SpoolFixture(try await signing())
            try await fixture.drop(MailSamples.plain(), to: .outgoing)
            let daemon = try await fixture.watch()
            _ = try await fixture.arrived(1, in: "delivered")
            try await fixture.drop(MailSamples.plain(), to: .outgoing)
            _ = try await fixture.arrived(2, in: "delivered")
            #expect(try await daemon.terminate().status == 0)
        }

        @Test("delivers each of 200 messages once with two daemons and sweeps on one spool")
        func several() async throws {
            let fixture = try await SpoolFixture(try await signing())
            func place(_ numbers: ClosedRange<Int>) throws {
                for number in numbers {
                    let traced =
                        Array(
                            "Return-Path: <alice@example.test>\r\nDelivered-To: r\(number)@example.test\r\nReceived: by mx; now\r\n"
                                .utf8) + MailSamples.plain(id: "several-\(number)")
                    try fixture.place(traced, in: "outgoing/new", named: "1700000000.n\(number).test")
                }
            }
            try place(1...100)
            let daemons = [try await fixture.watch(), try await fixture.watch()]
            try place(101...200)
            var sweeps = 0
            try await eventually("200 delivered: \(try fixture.counts())", within: .seconds(60)) {
                try await fixture.sweep()
                sweeps += 1
                return try fixture.names(in: "delivered/new").count >= 200 ? () : nil
            }
            for daemon in daemons { #expect(try await daemon.terminate().status == 0) }
            #expect(try fixture.counts() == ["delivered/new": 200])
            let recipients = try fixture.files(in: "delivered").map(\.recipients)
            #expect(Set(recipients) == Set((1...200).map { ["r\($0)@example.test"] }))
            #expect(sweeps > 0)
        }

        @Test("re-reads its configuration on SIGHUP, and keeps the old one when the new one is faulty")
        func reload() async throws {
            let fixture = try await SpoolFixture(try await signing())
            let daemon = try await fixture.watch()
            try await fixture.drop(MailSamples.plain(), to: .outgoing)
            _ = try await fixture.arrived(1, in: "delivered")

            try fixture.configure("<SES><Settings><Domain>example.test</Domain></Settings></SES>")
            daemon.signal(SIGHUP)
            _ = try await daemon.line(containing: "ses.xml:1")
            try await fixture.drop(MailSamples.plain(), to: .outgoing)
            _ = try await fixture.arrived(2, in: "delivered")

            var blocking = try await signing()
            blocking.outgoing = SESXML.sign(
                alias: Samples.aliceKey, filter: "<Filter><AND><Subject contains=\"never written\"/></AND></Filter>")
            blocking.signingNoFilterAction = "BLOCK_EMAIL"
            try fixture.configure(blocking)
            daemon.signal(SIGHUP)
            try await eventually("blocked under the new configuration") {
                try await fixture.drop(MailSamples.plain(), to: .outgoing)
                return try fixture.counts()["blocked/new"] == nil ? nil : ()
            }
            #expect(try await daemon.terminate().status == 0)
        }

        @Test("SIGHUP changes the number of messages processed at a time, up and down", .timeLimit(.minutes(2)))
        func width() async throws {
            let leave = DispatchSemaphore(value: 0)
            let refusal = String(
                decoding: try TestMaterial.octets(TestMaterial.fixtures + "/dss/responses/sign-refused.xml"),
                as: UTF8.self)
            let server = try ScriptedPeer.answering { _ in
                leave.wait()
                return "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: \(refusal.utf8.count)\r\n\r\n"
                    + refusal
            }
            var configuration = SESXML(servers: [server.address])
            configuration.outgoing = SESXML.sign(alias: Samples.aliceKey)
            configuration.emailErrorAction = "BLOCK_EMAIL"
            func width(_ number: Int) -> SESXML {
                configuration.processing = "<Concurrency>\(number)</Concurrency>"
                return configuration
            }
            let fixture = try await SpoolFixture(width(2))
            for _ in 0..<30 { try await fixture.drop(MailSamples.plain(), to: .outgoing) }
            let daemon = try await fixture.watch()
            try await eventually("two are at the server") { server.requests.count == 2 ? () : nil }
            func reread(_ number: Int, _ times: Int) async throws {
                try fixture.configure(width(number))
                daemon.signal(SIGHUP)
                try await eventually("the configuration is re-read") {
                    daemon.text(.error).components(separatedBy: "configuration re-read").count > times ? () : nil
                }
            }
            try await reread(20, 1)
            try await eventually("twenty are at the server") { server.requests.count == 20 ? () : nil }
            try await reread(1, 2)
            for _ in 0..<20 { leave.signal() }
            try await eventually("one more is at the server") { server.requests.count == 21 ? () : nil }
            try await eventually("twenty are blocked") { try fixture.counts()["blocked/new"] == 20 ? () : nil }
            #expect(server.requests.count == 21)
            for _ in 0..<10 { leave.signal() }
            try await eventually("all are blocked") { try fixture.counts() == ["blocked/new": 30] ? () : nil }
            #expect(try await daemon.terminate().status == 0)
        }

        @Test("a bare *.eml put in by a person is taken once it is still, with its own recipients")
        func bareFile() async throws {
            let fixture = try await SpoolFixture(try await signing())
            let daemon = try await fixture.watch()
            let message = MailSamples.plain(
                to: "Bob <bob@example.test>", fields: ["Cc: dora@example.test", "Bcc: emil@example.test"])
            try fixture.place(message, in: "outgoing", named: "letter.eml")
            let result = try #require(try await fixture.arrived(in: "delivered").first)
            #expect(result.recipients == [MailSamples.bob, "dora@example.test", "emil@example.test"])
            #expect(result.header("Bcc").isEmpty)
            try await daemon.terminate()
        }

        @Test("a bare *.eml that still grows is left alone until it is complete")
        func growingFile() async throws {
            let fixture = try await SpoolFixture(try await signing())
            let daemon = try await fixture.watch()
            let path = try fixture.place(MailSamples.plain(), in: "outgoing", named: "growing.eml")
            let writer = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            try writer.seekToEnd()
            // Longer than the two seconds of stillness, with no second without an octet.
            let end = ContinuousClock.now + .seconds(5)
            var lines = 0
            while ContinuousClock.now < end {
                try writer.write(contentsOf: Array("line \(lines)\r\n".utf8))
                lines += 1
                try await Task.sleep(for: .milliseconds(100))
                #expect(try fixture.counts() == ["outgoing": 1])
            }
            try writer.close()
            let result = try #require(try await fixture.arrived(in: "delivered").first)
            #expect(result.text.contains("line \(lines - 1)"))
            try await daemon.terminate()
        }

        @Test("starting again and again without new mail changes no result")
        func idempotentStart() async throws {
            let fixture = try await SpoolFixture(try await signing())
            try await fixture.drop(MailSamples.plain(), to: .outgoing)
            try await fixture.process()
            func results() throws -> [String] {
                try fixture.files(in: "delivered").map { file in
                    var facts = stat()
                    stat(file.path, &facts)
                    return "\(file.name) \(facts.st_ino) \(facts.st_mtim.tv_sec).\(facts.st_mtim.tv_nsec)"
                }
            }
            let before = try results()
            for _ in 1...5 { try await fixture.process() }
            #expect(try results() == before)
        }
    }
}
