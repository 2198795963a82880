import Foundation
import Glibc
import TestSupport
import Testing

extension FaultBench {
    @Suite("The relay beside peers that hang")
    struct RelayHangs {
        /// The step at which each of the servers hangs.
        private static let steps: [(name: String, step: ScriptedMailServer.Step)] = [
            ("greeting", .connected), ("EHLO", .ehlo), ("MAIL", .mail), ("RCPT", .rcpt("u0")), ("DATA", .data),
            ("final dot", .content), ("QUIT", .quit),
        ]
        private static let count = 12

        private func routes(_ bad: [Int], _ good: Int) -> String {
            bad.enumerated().map { index, port in
                "<Route name=\"h\(index)\" toDomain=\"h\(index).test\"><gateway>127.0.0.1</gateway>"
                    + "<gatewayPort>\(port)</gatewayPort><TLS level=\"off\"/></Route>"
            }.joined() + RelayFixture.gateway(good)
        }

        private func message(_ id: String) -> String {
            String(decoding: MailSamples.withLineFeeds(MailSamples.plain(id: id)), as: UTF8.self)
        }

        /// Returns the time that a mail to a good server takes.
        private func latency(
            _ fixture: RelayFixture, _ good: ScriptedMailServer, after start: ContinuousClock.Instant? = nil
        )
            async throws -> Duration
        {
            let begin = start ?? .now
            let before = good.mails.count
            try fixture.put(message("ok\(before)"), to: ["ok@x.test"])
            try await eventually("other mail goes", within: .seconds(60)) { good.mails.count > before ? () : nil }
            return ContinuousClock.now - begin
        }

        @Test("other mail goes within 2 s, also after restarts in the middle, and SIGTERM ends it in 10 s")
        func servers() async throws {
            let chosen = FaultShare.of(Array(Self.steps.indices), normally: 1)
            var failures = 0
            for index in chosen {
                let (name, step) = Self.steps[index]
                var found: [String] = []
                let bad = try (0..<Self.count).map { _ in
                    try ScriptedMailServer { $0 == step ? .silence : nil }
                }
                let good = try ScriptedMailServer()
                let fixture = try await RelayFixture(routes(bad.map(\.port), good.port))
                var daemon = try await fixture.start()
                for server in 0..<Self.count {
                    for user in 0..<3 { try fixture.put(message("\(server)-\(user)"), to: ["u0@h\(server).test"]) }
                }
                try await eventually("all hang") { bad.allSatisfy { $0.connections > 0 } ? () : nil }
                for round in 0..<3 {
                    let took = try await latency(fixture, good)
                    if took > .seconds(2) { found.append("other mail took \(took) in round \(round)") }
                    if round.isMultiple(of: 2) { try await daemon.crash() } else { try await daemon.terminate() }
                    daemon = try fixture.launch()
                    let after = try await latency(fixture, good)
                    if after > .seconds(2) { found.append("other mail took \(after) after restart \(round)") }
                }
                let begin = ContinuousClock.now
                let ended = try await daemon.terminate(within: .seconds(20))
                let took = ContinuousClock.now - begin
                if took > .seconds(10) || ended.status != 0 { found.append("SIGTERM took \(took): \(ended.status)") }
                let counts = try fixture.counts()
                if counts["failed"] != nil || counts["relay/work"] != nil { found.append("in the end \(counts)") }
                #expect(found == [], "\(name)")
                if !found.isEmpty { failures += 1 }
            }
            FaultShare.tell(
                "relay, hanging servers, \(Self.count) each", points: chosen.count, of: Self.steps.count,
                failures: failures)
        }

        @Test("a sendmail program that never ends is stopped, holds up no other mail, and is gone after SIGTERM")
        func sendmail() async throws {
            let good = try ScriptedMailServer()
            let program = try ScratchDirectory()
            #expect(chmod(program.path, 0o755) == 0)
            let path = try program.write(
                Array("#!/bin/sh\ntrap '' TERM\ncat >/dev/null\nwhile :; do sleep 1000; done\n".utf8), to: "sendmail")
            #expect(chmod(path, 0o755) == 0)
            let fixture = try await RelayFixture(
                "<Route name=\"s\" toDomain=\"s.test\"><Sendmail path=\"\(path)\"/><Timeout connect=\"1\" reply=\"1\"/></Route>"
                    + RelayFixture.gateway(good.port))
            let daemon = try await fixture.start()
            try fixture.put(message("s"), to: ["b@s.test"])
            try await eventually("it runs") { try fixture.counts()["relay/work"] == 1 ? () : nil }
            #expect(try await latency(fixture, good) < .seconds(2))
            try await eventually("it was stopped") {
                try fixture.journal().contains { $0.contains("had not ended after 2 s") } ? () : nil
            }
            #expect(try fixture.possibleRepeats()["b@s.test"] == 1)
            try fixture.put(message("t"), to: ["c@s.test"])
            try await eventually("the next runs") { try fixture.counts()["relay/work"] != nil ? () : nil }
            let begin = ContinuousClock.now
            #expect(try await daemon.terminate(within: .seconds(20)).status == 0)
            #expect(ContinuousClock.now - begin < .seconds(10))
            let left = try await RunningProgram.run("/usr/bin/pgrep", ["-f", path], asRoot: true)
            #expect(left.output.isEmpty)
        }

        @Test("name servers that say nothing hold up no other mail")
        func nameServers() async throws {
            let silent = try SilentDNS()
            let good = try ScriptedMailServer()
            let fixture = try await RelayFixture(
                "<dnsserver><servers><server>127.0.0.1:\(silent.port)</server></servers></dnsserver>"
                    + "<Route name=\"good\" toDomain=\"x.test\"><gateway>127.0.0.1</gateway>"
                    + "<gatewayPort>\(good.port)</gatewayPort><TLS level=\"off\"/></Route>")
            var daemon = try await fixture.start()
            for number in 0..<16 { try fixture.put(message("n\(number)"), to: ["u@d\(number).example.test"]) }
            try await eventually("they are looked up") { silent.hasBeenAsked ? () : nil }
            #expect(try await latency(fixture, good) < .seconds(2))
            try await daemon.crash()
            daemon = try fixture.launch()
            #expect(try await latency(fixture, good) < .seconds(2))
            let begin = ContinuousClock.now
            #expect(try await daemon.terminate(within: .seconds(20)).status == 0)
            #expect(ContinuousClock.now - begin < .seconds(10))
            #expect(try fixture.counts()["failed"] == nil)
        }
    }
}
