import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Failures and their outcomes")
    struct Failures {
        /// Retries at once, twice.
        private static let eagerly =
            "<Retry><delayTime>1 second</delayTime><maxRetries>2</maxRetries></Retry><Timeout connect=\"2\" total=\"4\"/>"

        private func signing(_ servers: [String]) -> SESXML {
            var configuration = SESXML(servers: servers)
            configuration.outgoing = SESXML.sign(alias: Samples.aliceKey)
            configuration.processing = Self.eagerly
            return configuration
        }

        @Test("a dead primary costs nothing: the secondary signs")
        func failover() async throws {
            let dead = "http://127.0.0.1:\(try DSSFixture.deadPort())"
            let fixture = try await SpoolFixture(signing([dead, try await DSSFixture.shared.address]))
            for _ in 1...10 { try await fixture.drop(MailSamples.plain(), to: .outgoing) }
            try await fixture.process()
            #expect(try fixture.counts() == ["delivered/new": 10])
        }

        @Test("with the server down mail waits in retry, and a sweep delivers it once the server is back")
        func downThenUp() async throws {
            let port = try DSSFixture.deadPort()
            let fixture = try await SpoolFixture(signing(["http://127.0.0.1:\(port)"]))
            try await fixture.drop(MailSamples.plain(), to: .outgoing)
            try await fixture.process()
            #expect(try fixture.counts() == ["retry/new": 1])
            let name = try #require(try fixture.names(in: "retry/new").first)
            #expect(SpoolFile.part("N", of: name) == "1")
            #expect(SpoolFile.part("O", of: name) == "out")

            let server = try await DSSFixture(port: port)
            try await eventually("delivered by a sweep") {
                try await fixture.sweep()
                return try fixture.counts()["delivered/new"] == 1 ? () : nil
            }
            #expect(try fixture.counts() == ["delivered/new": 1])
            let result = try fixture.onlyFile(in: "delivered")
            #expect(result.recipients == [MailSamples.bob])
            let verified = try await OpenSSL.verify(result.message, anchor: server.site.anchor)
            #expect(verified.status == 0)
            try await server.stop()
        }

        @Test("after the last attempt EmailErrorAction decides, and nothing unsigned is delivered")
        func exhausted() async throws {
            var configuration = signing(["http://127.0.0.1:\(try DSSFixture.deadPort())"])
            configuration.emailErrorAction = "EMAIL_TO_ADMINISTRATOR"
            let fixture = try await SpoolFixture(configuration)
            try await fixture.drop(MailSamples.plain(), to: .outgoing)
            try await fixture.process()
            try await eventually("the last attempt") {
                try await fixture.sweep()
                return try fixture.counts()["admin/new"] == 1 ? () : nil
            }
            #expect(try fixture.counts() == ["admin/new": 1, "blocked/new": 1])
        }

        @Test(
            "a server that answers badly never gets anything delivered",
            arguments: ["empty", "html500", "soapfault", "wrongid", "nosignal", "cut", "straysig"])
        func badAnswers(_ fault: String) async throws {
            let server = try await DSSFixture(faults: [fault])
            let fixture = try await SpoolFixture(signing([server.address]))
            try await fixture.drop(MailSamples.plain(), to: .outgoing)
            try await fixture.process()
            try await server.stop()
            let counts = try fixture.counts()
            #expect(counts["delivered/new"] == nil)
            #expect(counts == ["retry/new": 1] || counts == ["admin/new": 1, "blocked/new": 1])
        }

        @Test("an answer with other namespace prefixes is accepted too")
        func otherPrefixes() async throws {
            let server = try await DSSFixture(faults: ["prefixes"])
            let fixture = try await SpoolFixture(signing([server.address]))
            try await fixture.drop(MailSamples.plain(), to: .outgoing)
            try await fixture.process()
            try await server.stop()
            #expect(try fixture.counts() == ["delivered/new": 1])
        }

        @Test("a mail that is in work when the daemon is killed is delivered once by the next one")
        func restart() async throws {
            var silent: SilentServer? = try SilentServer()
            let port = try #require(silent?.port)
            let fixture = try await SpoolFixture(signing(["http://127.0.0.1:\(port)"]))
            let first = try await fixture.watch()
            try await fixture.drop(MailSamples.plain(), to: .outgoing)
            try await eventually("in work") { try fixture.counts()["work"] == 1 ? () : nil }
            try await first.crash()
            #expect(try fixture.counts() == ["work": 1])

            silent = nil
            let server = try await DSSFixture(port: port)
            let second = try await fixture.watch()
            _ = try await fixture.arrived(in: "delivered")
            try await second.terminate()
            #expect(try fixture.counts() == ["delivered/new": 1])
            try await server.stop()
        }

        @Test("an orderly stop does not count as a start without an end, in recovery neither")
        func orderlyStop() async throws {
            let silent = try SilentServer()
            var configuration = signing([silent.address])
            configuration.processing = "<Timeout connect=\"60\" total=\"120\"/>"
            let fixture = try await SpoolFixture(configuration)
            func message() throws -> String? {
                try fixture.names(in: "work").flatMap { try fixture.names(in: "work/" + $0) }
                    .first { $0.hasPrefix("message") }
            }
            try await fixture.drop(MailSamples.plain(), to: .outgoing)
            // The second daemon finds the message in recovery.
            for _ in 1...2 {
                let daemon = try await fixture.watch()
                try await eventually("in work") {
                    SpoolFile.part("C", of: try message() ?? "") == "1" ? () : nil
                }
                #expect(try await daemon.terminate(within: .seconds(40)).status == 0)
                let left = try #require(try message())
                #expect(SpoolFile.part("C", of: left) ?? "0" == "0")
                #expect(SpoolFile.part("N", of: left) == "0")
            }
        }

        @Test("a message that ends three starts goes to the administrator, and the others are processed")
        func poison() async throws {
            let silent = try SilentServer()
            let fixture = try await SpoolFixture(signing([silent.address]))
            let message = MailSamples.plain(subject: "Poison")
            try await fixture.drop(message, to: .outgoing)
            for start in 1...3 {
                let run = try RunningProgram(
                    try Programs.path("ses"), ["process", "--config", fixture.configurationPath])
                try await eventually("start \(start)") {
                    let entries = try fixture.names(in: "work")
                    let inside = try entries.flatMap { try fixture.names(in: "work/" + $0) }
                    return inside.contains { SpoolFile.part("C", of: $0) == String(start) } ? () : nil
                }
                try await run.crash()
            }
            try fixture.configure(signing([try await DSSFixture.shared.address]))
            try await fixture.drop(MailSamples.plain(subject: "After it"), to: .outgoing)
            try await fixture.process()
            #expect(try fixture.counts() == ["admin/new": 1, "blocked/new": 1, "delivered/new": 1])
            let reading = try await PythonReading.of(try fixture.onlyFile(in: "admin").message)
            #expect(reading.parts.contains { $0.text?.contains("Subject: Poison") == true })
        }

        @Test("a file that cannot be a message is put aside, makes the status unhealthy and holds up nothing")
        func corrupt() async throws {
            let fixture = try await SpoolFixture(signing([try await DSSFixture.shared.address]))
            let new = fixture.spool + "/outgoing/new/"
            #expect(mkfifo(new + "1700000000.fifo.test", 0o644) == 0)
            #expect(symlink("/etc/passwd", new + "1700000000.link.test") == 0)
            #expect(mkdir(new + "1700000000.folder.test", 0o755) == 0)
            for name in ["fifo", "link", "folder"] { try SpoolFixture.own(new + "1700000000.\(name).test") }
            try fixture.place([], in: "outgoing/new", named: "1700000000.empty.test")
            try await fixture.drop(MailSamples.plain(), to: .outgoing)
            try await fixture.process()
            #expect(try fixture.counts() == ["corrupt": 4, "delivered/new": 1])
            let status = try await fixture.ses(["status", "--config", fixture.configurationPath])
            #expect(status.status == 1)
        }
    }
}
