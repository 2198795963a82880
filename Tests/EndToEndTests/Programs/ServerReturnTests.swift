import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite("A server that comes back")
    struct ServerReturn {
        private static let count = 12

        @Test("what waits for the signing server is tried as soon as it answers, each once, not by the schedule")
        func signingServer() async throws {
            let first = try await DSSFixture()
            var configuration = SESXML(servers: [first.address])
            configuration.outgoing = SESXML.sign(alias: Samples.aliceKey)
            configuration.processing = "<Retry><delayTime>10 hours</delayTime><maxRetries>9</maxRetries></Retry>"
            let fixture = try await SpoolFixture(configuration)
            let daemon = try await fixture.watch()
            try await fixture.drop(MailSamples.plain(id: "before"), to: .outgoing)
            try await eventually("the first is signed") { try fixture.names(in: "delivered/new").count == 1 ? () : nil }
            try await first.stop()
            for number in 0..<Self.count {
                try await fixture.drop(MailSamples.plain(id: "waits-\(number)"), to: .outgoing)
            }
            try await eventually("all wait") { try fixture.names(in: "retry/new").count == Self.count ? () : nil }
            let second = try await DSSFixture(port: first.port)
            let began = ContinuousClock.now
            try await eventually("all are signed", within: .seconds(60)) {
                try fixture.names(in: "delivered/new").count == Self.count + 1 ? () : nil
            }
            // Nothing new came, and the schedule says ten hours.
            #expect(ContinuousClock.now - began < .seconds(60))
            _ = try await daemon.terminate()
            try await second.stop()
            let journal = try fixture.names(in: "journal").filter { $0.hasSuffix(".jsonl") }.map {
                String(decoding: try TestMaterial.octets(fixture.spool + "/journal/" + $0), as: UTF8.self)
            }.joined()
            let deferred = journal.split(separator: "\n").count { $0.contains("\"ev\":\"deferred\"") }
            #expect(deferred == Self.count, "each waited once: \(deferred)")
        }

        @Test("what waits for the next hop is tried as soon as it answers, not by the schedule")
        func nextHop() async throws {
            let fixture = try await SpoolFixture(SESXML(servers: ["http://127.0.0.1:1"]))
            let port = try DSSFixture.deadPort()
            let slow = RelayFixture.gateway(port).replacingOccurrences(of: "1 second", with: "10 hours")
            let relay = try RelayFixture(beside: fixture, slow)
            for number in 0..<Self.count {
                try await fixture.drop(MailSamples.plain(id: "hop-\(number)"), to: .outgoing)
            }
            try await fixture.process()
            let daemon = try RunningProgram(
                try Programs.path("ses-relay"), ["run", "--config", relay.configurationPath])
            try await eventually("all are deferred") {
                try fixture.names(in: "relay/deferred").count == Self.count ? () : nil
            }
            let server = try ScriptedMailServer(at: LoopbackPlace(port: port))
            try await eventually("all are sent", within: .seconds(90)) {
                server.mails.count == Self.count ? () : nil
            }
            _ = try await daemon.terminate()
            #expect(try fixture.names(in: "relay/deferred").isEmpty)
            #expect(server.mails.count == Self.count)
        }
    }
}
