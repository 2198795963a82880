import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    @Suite("ses send-test and ses doctor on a running house")
    struct RunningHouse {
        /// The programs of a machine that was set up, as children of the test.
        private final class House: Sendable {
            let machine: TrialMachine
            let server: RunningProgram
            let ses: RunningProgram
            let relay: RunningProgram

            init(_ machine: TrialMachine, nextHop: Int) async throws {
                self.machine = machine
                let made = try await machine.setup([
                    "--domain", "firm.test", "--next-hop", "127.0.0.1:\(nextHop)", "--no-test",
                ])
                guard made.status == 0 else { throw HarnessError("setup: \(made)") }
                server = try RunningProgram(
                    try Programs.path("ses-dss"), ["run", "--config", machine.dss + "/dss.xml"])
                _ = try await server.line(containing: "listening on", within: .seconds(30))
                let daemon = try RunningProgram(try Programs.path("ses"), ["watch", "--config", machine.ses])
                let other = try RunningProgram(try Programs.path("ses-relay"), ["run", "--config", machine.relay])
                (ses, relay) = (daemon, other)
                try await eventually("both run") {
                    FileManager.default.fileExists(atPath: machine.spool + "/state/ses-\(daemon.pid).json")
                        && FileManager.default.fileExists(atPath: machine.spool + "/relay/ses-relay-\(other.pid).json")
                        ? () : nil
                }
            }

            func sendTest(_ options: [String] = []) async throws -> (Int32, [String: Any]) {
                let finished = try await RunningProgram.run(
                    try Programs.path("ses"),
                    ["send-test", "bob@other.test", "--json", "--config", machine.ses] + options)
                guard let object = try JSONSerialization.jsonObject(with: Data(finished.output.utf8)) as? [String: Any]
                else { throw HarnessError("\(finished)") }
                return (finished.status, object)
            }

            func doctor() async throws -> (Int32, [String: Any]) {
                let finished = try await RunningProgram.run(
                    try Programs.path("ses"),
                    [
                        "doctor", "--json", "--config", machine.ses, "--relay-config", machine.relay, "--root",
                        machine.root, "--lmtp-sockets", machine.root + "/run",
                    ])
                guard let object = try JSONSerialization.jsonObject(with: Data(finished.output.utf8)) as? [String: Any]
                else { throw HarnessError("\(finished)") }
                return (finished.status, object)
            }
        }

        private func steps(_ report: [String: Any]) -> [String] {
            (report["steps"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
        }

        private func bad(_ report: [String: Any]) -> [(area: String, text: String, remedy: String)] {
            (report["findings"] as? [[String: Any]] ?? []).filter { $0["level"] as? String != "OK" }.map {
                ($0["area"] as? String ?? "", $0["text"] as? String ?? "", $0["remedy"] as? String ?? "")
            }
        }

        @Test("each step is told in order; the step that fails is named with what to do, and so does the doctor")
        func followed() async throws {
            let sink = try await RecordingMailServer()
            let house = try await House(try TrialMachine(), nextHop: sink.port)
            let (status, report) = try await house.sendTest()
            #expect(status == 0, "\(report)")
            #expect(steps(report) == ["dropped", "signed", "committed", "relayed"])
            let texts = (report["steps"] as? [[String: Any]] ?? []).compactMap { $0["text"] as? String }
            #expect(texts.contains { $0.contains("key \"seal\"") } && texts.last?.contains("250") == true, "\(texts)")
            #expect(try sink.mails().count == 1)

            // A sender whose mail no workflow signs.
            let (other, unsigned) = try await house.sendTest(["--from", "carl@nowhere.test"])
            #expect(other == 1 && unsigned["failed"] as? String == "signed", "\(unsigned)")
            #expect((unsigned["advice"] as? String)?.contains("ses explain") == true)

            // The signing server is gone.
            try await house.server.terminate()
            let (silent, deferred) = try await house.sendTest()
            #expect(silent == 1 && deferred["failed"] as? String == "signed", "\(deferred)")
            #expect((deferred["advice"] as? String)?.contains("ses check --probe") == true)
            let (broken, examined) = try await house.doctor()
            #expect(broken == 2, "\(examined)")
            let signing = try #require(bad(examined).first { $0.area == "signing server" })
            #expect(signing.remedy.contains("systemctl start ses-dss"), "\(signing)")

            // Nobody relays, and then nobody claims.
            try await house.relay.terminate()
            try await house.ses.terminate()
            let (idle, unclaimed) = try await house.sendTest(["--timeout", "1s"])
            #expect(idle == 1 && unclaimed["failed"] as? String == "claimed", "\(unclaimed)")
            #expect((unclaimed["advice"] as? String)?.contains("systemctl start ses") == true)
        }

        @Test("a next hop that refuses is the failed step, with its words")
        func refused() async throws {
            let server = try ScriptedMailServer { $0 == .rcpt("bob") ? .say("450 4.2.1 mailbox busy") : nil }
            let house = try await House(try TrialMachine(), nextHop: server.port)
            let (status, report) = try await house.sendTest()
            #expect(status == 1 && report["failed"] as? String == "relayed", "\(report)")
            let last = (report["steps"] as? [[String: Any]])?.last?["text"] as? String
            #expect(last?.contains("mailbox busy") == true, "\(report)")
        }

        @Test("the doctor finds nothing but what is amiss: a next hop of the way in, and the pairing")
        func examined() async throws {
            let sink = try await RecordingMailServer()
            let machine = try TrialMachine()
            let house = try await House(machine, nextHop: sink.port)
            let (status, report) = try await house.doctor()
            // Verified mail goes to port 10026 of this machine, where nobody listens in a test.
            #expect(status == 2, "\(report)")
            #expect(
                Set(bad(report).map(\.area)) == ["next hop", "administrator", "pairing"]
                    || Set(bad(report).map(\.area)) == ["next hop", "pairing"], "\(report)")
            let text = try machine.text(machine.relay).replacing(
                "<gatewayPort>10026<", with: "<gatewayPort>\(sink.port)<")
            try Data(text.utf8).write(to: URL(fileURLWithPath: machine.relay))
            let (second, better) = try await house.doctor()
            #expect(second == 1, "\(better)")
            #expect(Set(bad(better).map(\.area)).isSubset(of: ["pairing", "configuration"]), "\(better)")
            #expect(bad(better).contains { $0.area == "pairing" && $0.remedy.contains("ses-pair") })
        }
    }
}
