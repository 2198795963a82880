import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Commands and their exit codes")
    struct Commands {
        private func fixture() async throws -> SpoolFixture {
            var configuration = SESXML(servers: [try await DSSFixture.shared.address])
            configuration.outgoing = SESXML.sign(
                alias: Samples.aliceKey, filter: "<Filter><AND><From contains=\"alice@*\"/></AND></Filter>")
            configuration.incoming = SESXML.verify()
            return try await SpoolFixture(configuration)
        }

        private func object(_ text: String) throws -> [String: Any] {
            try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        }

        @Test("drop exits with 65 for a message that can never be accepted and with 75 for one that may be later")
        func dropCodes() async throws {
            let fixture = try await fixture()
            func drop(
                _ input: [UInt8], sender: String = "a@example.test", to recipients: [String], spool: String? = nil
            )
                async throws -> Int32
            {
                try await fixture.ses(
                    ["drop", "--spool", spool ?? fixture.spool, "--to", "outgoing", "-f", sender, "--"] + recipients,
                    input: input
                ).status
            }
            #expect(try await drop(MailSamples.plain(), to: ["bob@example.test"]) == 0)
            #expect(try await drop(MailSamples.plain(), sender: "<>", to: ["bob@example.test"]) == 0)
            #expect(try await drop(MailSamples.plain(), sender: "", to: ["bob@example.test"]) == 0)
            #expect(try await drop([], to: ["bob@example.test"]) == 65)
            #expect(try await drop(MailSamples.plain(), to: ["not an address"]) == 65)
            #expect(try await drop(MailSamples.plain(), to: ["bob@example.test\nBcc: x@example.test"]) == 65)
            let absent = fixture.scratch.file("absent")
            #expect(try await drop(MailSamples.plain(), to: ["bob@example.test"], spool: absent) == 75)
            #expect(try fixture.counts() == ["outgoing/new": 3])
            #expect(try fixture.names(in: "outgoing/tmp").isEmpty)
        }

        @Test("status reports a file that is never taken once it has lain there for ten minutes")
        func statusOfStrays() async throws {
            let fixture = try await fixture()
            try fixture.place(MailSamples.plain(), in: "outgoing", named: "letter.txt")
            try fixture.place(MailSamples.plain(), in: "incoming/cur", named: "1700000000.M1.host:2,S")
            let clock = try ShiftedClock()
            let environment = try await clock.environment(program: "ses")
            func status() async throws -> RunningProgram.Finished {
                try await fixture.ses(["status", "--spool", fixture.spool], environment: environment)
            }
            #expect(try await !status().output.contains("not taken"))
            try clock.shift(by: 660)
            let later = try await status()
            #expect(later.output.hasPrefix("WARNING "), "\(later)")
            #expect(later.output.contains("not taken for more than ten minutes: outgoing/letter.txt: only *.eml"))
            #expect(later.output.contains("incoming/cur/1700000000.M1.host:2,S: only new/ is read"))
            #expect(later.status != 0)
        }

        @Test("drop names each recipient that cannot be read, and takes the message for none")
        func dropNames() async throws {
            let fixture = try await fixture()
            let run = try await fixture.ses(
                [
                    "drop", "--spool", fixture.spool, "--to", "outgoing", "-f", "a@example.test", "--",
                    "bob@example.test",
                    "root", "c arl@example.test", "d@exa\u{2028}mple.test",
                ], input: MailSamples.plain())
            #expect(run.status == 65)
            #expect(run.error.contains("3 of 4 recipients"))
            #expect(run.error.contains("root, c arl@example.test, d@exa\\u{2028}mple.test"))
            #expect(try fixture.counts().isEmpty)
        }

        @Test(
            "drop reads addresses as a header is read",
            arguments: ["'bob@example.test'", "Bob <bob@example.test>", "bob@example.test."])
        func dropReads(_ recipient: String) async throws {
            let fixture = try await fixture()
            let run = try await fixture.ses(
                ["drop", "--spool", fixture.spool, "--to", "outgoing", "-f", "a@example.test", "--", recipient],
                input: MailSamples.plain())
            #expect(run.status == 0, "\(run)")
            #expect(try fixture.onlyFile(in: "outgoing").recipients == ["bob@example.test"])
        }

        @Test("drop reads local names of the null sender as such, and says for others what to configure")
        func dropSender() async throws {
            let fixture = try await fixture()
            for (sender, status) in [("MAILER-DAEMON", 0), ("#@[]", 0), ("root", 65)] as [(String, Int32)] {
                let run = try await fixture.ses(
                    ["drop", "--spool", fixture.spool, "--to", "outgoing", "-f", sender, "--", "b@example.test"],
                    input: MailSamples.plain())
                #expect(run.status == status, "\(run)")
                if status != 0 { #expect(run.error.contains("append_at_myorigin") && run.error.contains("root")) }
            }
            #expect(try fixture.files(in: "outgoing").map(\.sender) == ["", ""])
        }

        @Test("drop takes ten thousand recipients in time proportional to their number", .timeLimit(.minutes(1)))
        func dropMany() async throws {
            let fixture = try await fixture()
            func seconds(_ count: Int) async throws -> Double {
                let recipients = (0..<count).map { "recipient\($0)@example.test" }
                let start = ContinuousClock.now
                let run = try await fixture.ses(
                    ["drop", "--spool", fixture.spool, "--to", "outgoing", "-f", "a@example.test", "--"] + recipients,
                    input: MailSamples.plain())
                #expect(run.status == 0)
                return (ContinuousClock.now - start) / .seconds(1)
            }
            // By the square of the number it took 23 s on an idle machine.
            #expect(try await seconds(10_000) < 10)
            #expect(try fixture.onlyFile(in: "outgoing").recipients.count == 10_000)
        }

        @Test("explain shows the text of a recipient that cannot be read, and where the message goes")
        func explainUnreadable() async throws {
            let fixture = try await fixture()
            let mail = "From: alice@example.test\r\nTo: b ob@example.test, carl@example.test\r\n\r\nx\r\n"
            let path = try fixture.scratch.write(Array(mail.utf8), to: "mail.EML")
            #expect(chmod(path, 0o644) == 0)
            let arguments = ["explain", "--direction", "outgoing", path, "--config", fixture.configurationPath]
            let text = try await fixture.ses(arguments)
            #expect(text.output.contains("unread:    To: \"b ob@example.test\""))
            let report = try object(try await fixture.ses(arguments + ["--json"]).output)
            #expect(report["action"] as? String == "EMAIL_TO_ADMINISTRATOR")
            let envelope = try #require(report["envelope"] as? [String: Any])
            #expect(envelope["unreadable"] as? [String] == ["To: \"b ob@example.test\""])
            #expect(envelope["recipients"] as? [String] == ["carl@example.test"])
        }

        @Test("drop keeps the message octet for octet below its envelope", arguments: [true, false])
        func dropKeeps(_ hasLineFeedsOnly: Bool) async throws {
            let fixture = try await fixture()
            let message = MailSamples.plain()
            let given = hasLineFeedsOnly ? MailSamples.withLineFeeds(message) : message
            try await fixture.drop(given, to: .outgoing, recipients: ["b@example.test", "c@example.test"])
            let file = try fixture.onlyFile(in: "outgoing")
            #expect(file.message == given)
            #expect(file.recipients == ["b@example.test", "c@example.test"])
            #expect(file.envelope.last?.name == "x-ses-end")
        }

        @Test("drop keeps the mail server's identifier of the message, and nothing in it can end the field")
        func dropQueueID() async throws {
            let fixture = try await fixture()
            for queueID in ["4XyZ1234", "a\nX-SES-Outcome: released"] {
                let run = try await fixture.ses(
                    [
                        "drop", "--spool", fixture.spool, "--to", "outgoing", "--queue-id", queueID, "-f", "",
                        "--", "bob@example.test",
                    ], input: MailSamples.plain())
                #expect(run.status == 0)
            }
            let files = try fixture.files(in: "outgoing")
            #expect(
                Set(files.map { $0.envelopeField("X-SES-Queue-Id") })
                    == ["4XyZ1234", "a X-SES-Outcome: released"])
            #expect(files.allSatisfy { $0.envelopeField("X-SES-Outcome") == nil && $0.sender == "" })
        }

        @Test(
            "drop requires only the group of the folders, as a mail server's pipe gives it",
            .enabled(if: geteuid() == 0, "needs root"))
        func dropGroup() async throws {
            let fixture = try await fixture()
            let group: UInt32 = 61_001
            #expect(chmod(fixture.scratch.path, 0o755) == 0)
            for (place, mode) in [("outgoing", 0o3770), ("outgoing/tmp", 0o3770), ("outgoing/new", 0o3770)] {
                let path = fixture.spool + "/" + place
                #expect(chown(path, Programs.unprivileged?.user ?? 0, group) == 0)
                #expect(chmod(path, mode_t(mode)) == 0)
            }
            func drop(group: UInt32) async throws -> RunningProgram.Finished {
                try await RunningProgram.run(
                    "/usr/bin/setpriv",
                    [
                        "--reuid=61002", "--regid=\(group)", "--clear-groups", "--", try Programs.path("ses"), "drop",
                        "--spool", fixture.spool, "--to", "outgoing", "-f", "a@example.test", "--",
                        "b@example.test", "c@example.test",
                    ], input: MailSamples.plain(), asRoot: true)
            }
            let refused = try await drop(group: 61_003)
            #expect(refused.status == 75, "\(refused)")
            #expect(try fixture.counts().isEmpty)
            let taken = try await drop(group: group)
            #expect(taken.status == 0, "\(taken)")
            let file = try fixture.onlyFile(in: "outgoing")
            #expect(file.recipients == ["b@example.test", "c@example.test"])
            var facts = stat()
            #expect(stat(file.path, &facts) == 0)
            // Who may read it is the spool's group, of which the gateway's user is a member.
            #expect(facts.st_gid == group && facts.st_mode & 0o7777 == 0o640)
        }

        @Test(
            "drop takes the addresses that mail servers pass, whatever their form, and prints the entry it made",
            arguments: ["-x@example.test", "--to@example.test", "\"a b\"@example.test", "<alice@example.test>"])
        func dropArguments(_ sender: String) async throws {
            let fixture = try await fixture()
            let run = try await fixture.ses(
                [
                    "drop", "--to", "outgoing", "--spool", fixture.spool, "-f", sender, "--", "-y@example.test",
                    "\"b..c\"@example.test",
                ], input: MailSamples.plain())
            #expect(run.status == 0, "\(run)")
            let file = try fixture.onlyFile(in: "outgoing")
            #expect(file.sender == sender.trimmingCharacters(in: CharacterSet(charactersIn: "<>")))
            #expect(file.recipients == ["-y@example.test", "\"b..c\"@example.test"])
            #expect(run.output == "entry \(try #require(file.envelopeField("X-SES-Entry")))\n")
        }

        @Test("drop takes the spool from the environment and reads no configuration")
        func dropEnvironment() async throws {
            let fixture = try await fixture()
            try fixture.configure("not XML at all")
            let run = try await fixture.ses(
                ["drop", "--to", "incoming", "-f", "a@example.test", "--", "bob@example.test"],
                environment: ["SES_SPOOL": fixture.spool, "SES_CONFIG": fixture.configurationPath],
                input: MailSamples.plain())
            #expect(run.status == 0)
            #expect(try fixture.counts() == ["incoming/new": 1])
        }

        @Test("check accepts a good file and reports all faults of a bad one with their lines")
        func check() async throws {
            let fixture = try await fixture()
            let good = try await fixture.ses(["check", "--json", "--config", fixture.configurationPath])
            #expect(good.status == 0)
            let report = try object(good.output)
            #expect(report["v"] as? Int == 1)
            #expect((report["faults"] as? [Any])?.isEmpty == true)
            #expect(report["warnings"] is [Any])

            let text = String(decoding: try TestMaterial.octets(fixture.configurationPath), as: UTF8.self)
                .replacingOccurrences(of: "<OriginatorId>", with: "<OriginatorID>")
                .replacingOccurrences(of: "</OriginatorId>", with: "</OriginatorID>")
                .replacingOccurrences(of: ">SIGN_EMAIL<", with: ">SIGN_EMAILS<")
            try fixture.configure(text)
            let bad = try await fixture.ses(["check", "--json", "--config", fixture.configurationPath])
            #expect(bad.status == 78)
            let faults = try #require(try object(bad.output)["faults"] as? [[String: Any]])
            #expect(faults.count >= 2)
            #expect(faults.contains { $0["nearest"] as? String == "<OriginatorId>" })
            #expect(faults.contains { $0["nearest"] as? String == "SIGN_EMAIL" })
            #expect(faults.allSatisfy { $0["line"] is Int && $0["file"] is String && $0["text"] is String })
        }

        @Test("explain prints the decision that processing then follows, and changes nothing")
        func explain() async throws {
            let fixture = try await fixture()
            let path = try fixture.scratch.write(MailSamples.plain(), to: "question.eml")
            #expect(chmod(path, 0o644) == 0)
            let run = try await fixture.ses([
                "explain", "--direction", "outgoing", path, "--json", "--config", fixture.configurationPath,
            ])
            #expect(run.status == 0)
            let report = try object(run.output)
            #expect(report["v"] as? Int == 1)
            #expect(report["direction"] as? String == "outgoing")
            #expect(report["workflow"] is String)
            #expect(report["operations"] as? [String] == ["SIGN_EMAIL"])
            let criteria = try #require(report["criteria"] as? [[String: Any]])
            #expect(criteria.count == 1)
            #expect(criteria[0]["holds"] as? Bool == true)
            #expect(criteria[0]["line"] is Int)
            let envelope = try #require(report["envelope"] as? [String: Any])
            #expect(envelope["recipients"] as? [String] == [MailSamples.bob])
            #expect(try fixture.counts().isEmpty)
        }

        @Test("status counts each folder, and is OK when nothing waits and nothing is wrong")
        func status() async throws {
            let fixture = try await fixture()
            try await fixture.drop(MailSamples.plain(), to: .outgoing)
            let run = try await fixture.ses(["status", "--json", "--config", fixture.configurationPath])
            let report = try object(run.output)
            #expect(run.status == 2)
            #expect(report["v"] as? Int == 2)
            #expect(report["status"] as? String == "CRITICAL")
            let reasons = try #require(report["reasons"] as? [[String: Any]])
            #expect(reasons.compactMap { $0["code"] as? String } == ["not-running"])
            let folders = try #require(report["folders"] as? [String: [String: Any]])
            #expect(folders["outgoing"]?["count"] as? Int == 1)
            #expect(folders["delivered"]?["count"] as? Int == 0)
            #expect(report["processes"] is [Any])
            let servers = try #require(report["servers"] as? [[String: Any]])
            #expect(servers.compactMap { $0["answering"] as? Bool } == [true, true])
            try await fixture.process()
            let done = try await fixture.ses(["status", "--config", fixture.configurationPath])
            #expect(done.status == 0 && done.output.hasPrefix("OK "), "\(done)")
        }

        @Test("init can be repeated without harm, with the modes of the layout")
        func initialise() async throws {
            let fixture = try await fixture()
            try await fixture.drop(MailSamples.plain(), to: .outgoing)
            #expect(try await fixture.ses(["init", fixture.spool]).status == 0)
            #expect(try fixture.counts() == ["outgoing/new": 1])
            for (place, mode) in [
                ("", 0o751), ("outgoing", 0o3770), ("incoming/new", 0o3770), ("delivered", 0o2770), ("work", 0o750),
                ("secret", 0o600),
            ] as [(String, mode_t)] {
                var facts = stat()
                #expect(stat(fixture.spool + "/" + place, &facts) == 0)
                #expect(facts.st_mode & 0o7777 == mode, "\(place)")
            }
        }

        @Test("a spool or configuration that everybody may write is refused", arguments: ["spool", "ses.xml"])
        func worldWritable(_ name: String) async throws {
            let fixture = try await fixture()
            try await fixture.drop(MailSamples.plain(), to: .outgoing)
            #expect(chmod(fixture.scratch.file(name), name == "spool" ? 0o757 : 0o666) == 0)
            let run = try await fixture.ses(["process", "--config", fixture.configurationPath])
            #expect(run.status == 77 || run.status == 78)
            #expect(run.error.contains(name))
            #expect(try fixture.counts() == ["outgoing/new": 1])
        }

        @Test("root is refused without --allow-root", .enabled(if: geteuid() == 0, "needs root"))
        func root() async throws {
            let fixture = try await fixture()
            let arguments = ["process", "--config", fixture.configurationPath]
            let program = try Programs.path("ses")
            let refused = try await RunningProgram.run(program, arguments, asRoot: true)
            #expect(refused.status == 77)
            #expect(refused.error.contains("--allow-root"))
            #expect(try await RunningProgram.run(program, arguments + ["--allow-root"], asRoot: true).status == 0)
            let allowed = try await RunningProgram.run(
                program, arguments, environment: ["SES_ALLOW_ROOT": "1"], asRoot: true)
            #expect(allowed.status == 0)
        }

        @Test("a missing or faulty configuration ends every command with 78 and its place")
        func faulty() async throws {
            let fixture = try await fixture()
            try fixture.configure("<SES>\n<Settings/>\n<Outgoing><Signs/></Outgoing></SES>")
            for command in ["watch", "process", "sweep"] {
                let run = try await fixture.ses([command, "--config", fixture.configurationPath])
                #expect(run.status == 78)
                #expect(run.error.contains("ses.xml:3"))
            }
        }
    }
}
