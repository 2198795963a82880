import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Orders of an operator")
    struct Orders {
        /// A spool that blocks what no workflow is for, and signs what Alice sends.
        private func fixture(server: String? = nil, retry: String = "") async throws -> SpoolFixture {
            var address = server
            if address == nil { address = try await DSSFixture.shared.address }
            var configuration = SESXML(servers: [address ?? ""])
            configuration.signingNoFilterAction = "BLOCK_EMAIL"
            configuration.outgoing = SESXML.sign(
                alias: Samples.aliceKey, filter: "<Filter><AND><From contains=\"alice@*\"/></AND></Filter>")
            configuration.processing = retry
            return try await SpoolFixture(configuration)
        }

        private static let carol = "carol@example.test"

        private func blocked(_ fixture: SpoolFixture, _ subject: String = "Price list") async throws -> SpoolFile {
            try await fixture.drop(
                MailSamples.plain(from: Self.carol, subject: subject), to: .outgoing, from: Self.carol)
            try await fixture.process()
            return try fixture.onlyFile(in: "blocked")
        }

        private func entry(_ file: SpoolFile) throws -> String {
            try #require(file.name.split(separator: ".").dropFirst().first.map(String.init))
        }

        private func order(
            _ fixture: SpoolFixture, _ arguments: String..., input: [UInt8] = []
        ) async throws -> RunningProgram.Finished {
            try await fixture.ses(arguments + ["--config", fixture.configurationPath], input: input)
        }

        @Test("list, show and export tell of a blocked message")
        func shown() async throws {
            let fixture = try await fixture()
            let file = try await blocked(fixture)
            let entry = try entry(file)
            let list = try await order(fixture, "list", "--held")
            #expect(list.status == 0, "\(list)")
            let row = try #require(list.output.split(separator: "\n").dropFirst().first)
            #expect(row.hasPrefix(entry.prefix(8)) && row.contains("blocked") && row.contains(Self.carol))
            #expect(row.contains(MailSamples.bob) && row.contains("NoFilterAction"))
            let json = try await order(fixture, "list", "blocked", "--json")
            let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
            let messages = try #require(object?["messages"] as? [[String: Any]])
            #expect(
                messages.first?["entry"] as? String == entry && messages.first?["subject"] as? String == "Price list")
            #expect(try await order(fixture, "list", "--waiting").output.hasPrefix("no message"))
            #expect(try await order(fixture, "list", "--from", "CAROL@").output.contains(entry.prefix(8)))
            #expect(try await order(fixture, "list", "--from", "dora").output.hasPrefix("no message"))
            #expect(try await order(fixture, "list", "--older", "2h").output.hasPrefix("no message"))
            let shown = try await order(fixture, "show", String(entry.prefix(6)))
            #expect(shown.status == 0 && shown.output.contains("Subject: Price list"), "\(shown)")
            #expect(shown.output.contains("place       blocked") && shown.output.contains("received"))
            let exported = try await order(fixture, "export", entry)
            #expect(exported.status == 0 && Array(exported.output.utf8) == file.message)
            #expect(try await order(fixture, "show", "ffffffff").status == 66)
            #expect(try await order(fixture, "show", "xyz").status == 64)
        }

        @Test("the entry that drop prints and the mail server's queue id stay with a message to its result")
        func identity() async throws {
            let fixture = try await fixture()
            let drop = try await fixture.ses(
                [
                    "drop", "--to", "outgoing", "--spool", fixture.spool, "--queue-id", "4XYZ999", "-f",
                    MailSamples.alice, "--", MailSamples.bob,
                ], input: MailSamples.plain())
            let entry = try #require(drop.output.split(whereSeparator: \.isWhitespace).last.map(String.init))
            try await fixture.process()
            let result = try fixture.onlyFile(in: "delivered")
            #expect(try self.entry(result) == entry && result.envelopeField("X-SES-Entry") == entry)
            #expect(result.envelopeField("X-SES-Queue-Id") == "4XYZ999")
            let shown = try await order(fixture, "show", entry)
            #expect(shown.output.contains("queue id    4XYZ999") && shown.output.contains("signed"), "\(shown)")
        }

        @Test("release passes a message on as it was, at once, beside a daemon, and the journal names the person")
        func released() async throws {
            let fixture = try await fixture()
            let file = try await blocked(fixture)
            let entry = try entry(file)
            let daemon = try await fixture.watch()
            let began = ContinuousClock.now
            let release = try await order(fixture, "release", String(entry.prefix(8)))
            #expect(release.status == 0 && release.output.contains("released to \(MailSamples.bob)"), "\(release)")
            try await eventually("the released message leaves", within: .seconds(20)) {
                try fixture.files(in: "delivered").isEmpty ? nil : ()
            }
            // Without the bell the daemon looks every half a minute.
            #expect(ContinuousClock.now - began < .seconds(20))
            _ = try await daemon.terminate()
            let result = try fixture.onlyFile(in: "delivered")
            #expect(result.envelopeField("X-SES-Outcome") == "released" && result.recipients == [MailSamples.bob])
            #expect(result.header("Content-Type").allSatisfy { !$0.contains("multipart/signed") })
            #expect(try fixture.counts() == ["delivered/new": 1])
            let shown = try await order(fixture, "show", entry)
            #expect(shown.output.contains("release by "), "\(shown)")
        }

        @Test("requeue sends a message through the workflows again")
        func requeued() async throws {
            let fixture = try await fixture()
            let entry = try entry(try await blocked(fixture))
            var configuration = SESXML(servers: [try await DSSFixture.shared.address])
            configuration.outgoing = SESXML.sign(alias: Samples.aliceKey)
            configuration.processing = "<SenderMustOwnFrom>false</SenderMustOwnFrom>"
            try fixture.configure(configuration)
            #expect(try await order(fixture, "requeue", entry).status == 0)
            try await fixture.process()
            let result = try fixture.onlyFile(in: "delivered")
            #expect(result.header("Content-Type").contains { $0.contains("multipart/signed") }, "\(result)")
        }

        @Test("retry tries a waiting message now, and hold keeps it from that")
        func retriedAndHeld() async throws {
            let dead = "http://127.0.0.1:\(try DSSFixture.deadPort())"
            let fixture = try await fixture(
                server: dead, retry: "<Retry><delayTime>10 hours</delayTime><maxRetries>3</maxRetries></Retry>")
            try await fixture.drop(MailSamples.plain(), to: .outgoing)
            try await fixture.process()
            let waiting = try entry(try fixture.onlyFile(in: "retry"))
            let list = try await order(fixture, "list", "retry")
            #expect(list.output.contains("next attempt in"), "\(list)")
            #expect(try await order(fixture, "hold", waiting).status == 0)
            try await fixture.process()
            #expect(try fixture.counts() == ["blocked/new": 1])
            #expect(try await order(fixture, "list", "--held").output.contains("held by an operator"))
            let wrong = try await order(fixture, "retry", waiting)
            #expect(wrong.status == 66 && wrong.error.contains("stands in blocked"), "\(wrong)")
            #expect(try await order(fixture, "requeue", waiting).status == 0)
            var configuration = SESXML(servers: [try await DSSFixture.shared.address])
            configuration.outgoing = SESXML.sign(alias: Samples.aliceKey)
            try fixture.configure(configuration)
            #expect(try await order(fixture, "retry", "--all", "--yes").status == 0)
            try await fixture.process()
            #expect(try fixture.counts() == ["delivered/new": 1])
        }

        @Test("the name of a bare file is not believed, and a Maildir file is listed by its envelope")
        func names() async throws {
            let fixture = try await fixture()
            let unique = "1790000000.0123456789abcdef0123456789abcdef.0011223344556677"
            try fixture.place(MailSamples.plain(), in: "outgoing", named: unique + ",E=40:2,.eml")
            let trace = "Return-Path: <a@example.test>\r\nEnvelope-To: hidden@partner.test\r\n"
            try fixture.place(
                Array(trace.utf8) + MailSamples.plain(), in: "incoming/new", named: "1700000000.M1.host")
            let list = try await order(fixture, "list", "incoming")
            #expect(list.output.contains("hidden@partner.test"), "\(list)")
            #expect(try await order(fixture, "hold", "--all", "--yes").status == 0)
            let held = try fixture.names(in: "blocked/new")
            #expect(held.count == 2 && held.allSatisfy { !$0.contains(",E=") }, "\(held)")
            #expect(held.contains { $0.contains(",O=outfile") } && held.contains { $0.contains(",O=in,") }, "\(held)")
        }

        @Test("reject gives a message back to its sender with the operator's words, and to nobody else")
        func rejected() async throws {
            let fixture = try await fixture()
            let entry = try entry(try await blocked(fixture))
            let asked = try await order(fixture, "reject", entry, "--text", "Please send it signed.")
            #expect(asked.status == 64 && asked.error.contains("--yes"), "\(asked)")
            #expect(try fixture.counts() == ["blocked/new": 1])
            let rejected = try await order(fixture, "reject", entry, "--text", "Please send it signed.", "--yes")
            #expect(rejected.status == 0, "\(rejected)")
            let report = try fixture.onlyFile(in: "delivered")
            #expect(report.recipients == [Self.carol] && report.sender == "")
            #expect(report.text.contains("Please send it signed.") && report.text.contains("Status: 5.7.1"))
            #expect(report.text.contains("Final-Recipient: rfc822; \(MailSamples.bob)"))
            #expect(try fixture.counts() == ["delivered/new": 1])
        }

        @Test("remove asks, and removes; an order without messages is refused")
        func removed() async throws {
            let fixture = try await fixture()
            let entry = try entry(try await blocked(fixture))
            #expect(try await order(fixture, "remove").status == 64)
            #expect(try await order(fixture, "remove", entry).status == 64)
            #expect(try fixture.counts() == ["blocked/new": 1])
            #expect(try await order(fixture, "remove", entry, "--yes").status == 0)
            #expect(try fixture.counts().isEmpty)
            let again = try await order(fixture, "remove", entry, "--yes")
            #expect(again.status == 66, "\(again)")
        }

        @Test("a bare file that waits can be held, and is then processed as what it was")
        func bare() async throws {
            let fixture = try await fixture()
            try fixture.place(MailSamples.plain(), in: "outgoing", named: "letter.eml")
            #expect(try await order(fixture, "hold", "--all", "--yes").status == 0)
            #expect(try fixture.counts() == ["blocked/new": 1])
            #expect(try await order(fixture, "requeue", "--all", "--yes").status == 0)
            try await fixture.process()
            let result = try fixture.onlyFile(in: "delivered")
            #expect(result.recipients == [MailSamples.bob])
        }

        @Test("retry has the relay try a deferred message at once, and trace tells its way by each of its names")
        func relayed() async throws {
            let fixture = try await fixture()
            let port = try DSSFixture.deadPort()
            let slow = RelayFixture.gateway(port).replacingOccurrences(of: "1 second", with: "10 hours")
            let relay = try RelayFixture(beside: fixture, slow)
            let message = MailSamples.plain(id: "traced-1")
            _ = try await fixture.ses(
                [
                    "drop", "--to", "outgoing", "--spool", fixture.spool, "--queue-id", "4XYZ999", "-f",
                    MailSamples.alice, "--", MailSamples.bob,
                ], input: message)
            try await fixture.process()
            let entry = try entry(try fixture.onlyFile(in: "delivered"))
            let daemon = try RunningProgram(
                try Programs.path("ses-relay"), ["run", "--config", relay.configurationPath])
            try await eventually("the message is deferred") {
                try fixture.names(in: "relay/deferred").isEmpty ? nil : ()
            }
            let list = try await order(fixture, "list", "deferred")
            #expect(list.output.contains(entry.prefix(8)) && list.output.contains("next attempt in"), "\(list)")
            let before = try fixture.names(in: "relay/deferred")
            let server = try ScriptedMailServer(at: LoopbackPlace(port: port))
            let retry = try await order(fixture, "retry", entry)
            #expect(retry.status == 0, "\(retry)")
            try await eventually("the relay tries it", within: .seconds(30)) {
                server.mails.count == 1 ? () : nil
            }
            #expect(before.count == 1)
            _ = try await daemon.terminate()
            for name in [entry, String(entry.prefix(6)), "4XYZ999", "<traced-1@example.test>", MailSamples.bob] {
                let trace = try await order(fixture, "trace", name)
                #expect(trace.status == 0 && trace.output.contains("entry \(entry)"), "\(name): \(trace)")
                #expect(trace.output.contains("relayed      \(MailSamples.bob)   127.0.0.1"), "\(trace)")
                #expect(trace.output.contains("now            done"), "\(trace)")
                #expect(trace.output.split(separator: "\n").count <= 11, "\(trace)")
            }
            let nothing = try await order(fixture, "trace", "nobody@nowhere.test")
            #expect(
                nothing.status == 66 && nothing.output.contains("Nothing was found for nobody@nowhere.test"),
                "\(nothing)")
            #expect(nothing.output.contains("the journals of ses and of the relay from 2"), "\(nothing)")
        }

        @Test("orders beside a daemon that takes the same messages lose none and double none", .timeLimit(.minutes(30)))
        func raced() async throws {
            let fixture = try await fixture()
            var daemon = try await fixture.watch()
            let rounds = isSecondLevel ? 1_000 : 40
            let orders = [["release"], ["requeue"], ["hold"], ["retry"]]
            for number in 0..<rounds {
                try await fixture.drop(
                    MailSamples.plain(from: Self.carol, subject: "raced-\(number)"), to: .outgoing, from: Self.carol)
                let order = orders[number % orders.count]
                let running = try RunningProgram(
                    try Programs.path("ses"),
                    order + ["--all", "--yes", "--config", fixture.configurationPath])
                // Half of them are killed, wherever they are: the instant is another one each time.
                if number.isMultiple(of: 2) {
                    try await Task.sleep(for: .milliseconds(number * 37 % 120))
                    _ = try await running.crash()
                } else {
                    _ = try await running.finished()
                }
                if number % 20 == 19 {
                    try await daemon.crash()
                    daemon = try await fixture.watch()
                }
            }
            _ = try await order(fixture, "release", "--all", "--yes")
            try await eventually("nothing is in work", within: .seconds(60)) {
                let counts = try fixture.counts()
                return counts.keys.allSatisfy { ["delivered/new", "blocked/new"].contains($0) } ? () : nil
            }
            _ = try await daemon.terminate()
            var seen: [String: Int] = [:]
            for folder in ["delivered", "blocked"] {
                for file in try fixture.files(in: folder) { seen[file.header("Subject").first ?? "", default: 0] += 1 }
            }
            #expect(seen.count == rounds && seen.values.allSatisfy { $0 == 1 }, "\(seen.filter { $0.value != 1 })")
        }
    }
}
