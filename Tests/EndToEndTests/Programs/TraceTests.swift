import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The story of a message")
    struct Trace {
        private func fixture(processing: String = "", action: String = "EMAIL_TO_ADMINISTRATOR") async throws
            -> SpoolFixture
        {
            var configuration = SESXML(servers: [try await DSSFixture.shared.address])
            configuration.signingNoFilterAction = action
            configuration.outgoing = SESXML.sign(
                alias: Samples.aliceKey, filter: "<Filter><AND><From contains=\"alice@*\"/></AND></Filter>")
            configuration.processing = processing
            return try await SpoolFixture(configuration)
        }

        private func run(_ fixture: SpoolFixture, _ arguments: String...) async throws -> RunningProgram.Finished {
            try await fixture.ses(arguments + ["--config", fixture.configurationPath])
        }

        private func journal(_ fixture: SpoolFixture) throws -> String {
            try fixture.names(in: "journal").filter { $0.hasSuffix(".jsonl") }.map {
                String(decoding: try TestMaterial.octets(fixture.spool + "/journal/" + $0), as: UTF8.self)
            }.joined()
        }

        @Test("a signed message costs at most 400 octets of the journal, and its story has all that they say")
        func economy() async throws {
            let fixture = try await fixture()
            let message = MailSamples.plain(id: "20261201091500.41a2c3d4e5")
            let drop = try await fixture.ses(
                [
                    "drop", "--to", "outgoing", "--spool", fixture.spool, "--queue-id", "4XYZ999999", "-f",
                    MailSamples.alice, "--", MailSamples.bob,
                ], input: message)
            #expect(drop.status == 0)
            try await fixture.process()
            #expect(try fixture.counts() == ["delivered/new": 1])
            let journal = try journal(fixture)
            #expect(journal.utf8.count <= 400, "\(journal.utf8.count) octets: \(journal)")
            let trace = try await run(fixture, "trace", "4XYZ999999")
            for wanted in [
                "4XYZ999999", MailSamples.alice, MailSamples.bob, "ses.xml line ", "signed", Samples.aliceKey,
                "127.0.0.1:", " ms", "20261201091500.41a2c3d4e5",
            ] { #expect(trace.output.contains(wanted), "\(wanted): \(trace)") }
        }

        @Test("what the administrator gets is held too: released from there, or removed when its time is over")
        func heldCopies() async throws {
            let fixture = try await fixture(processing: "<HeldCopyDays>7</HeldCopyDays>")
            for number in 1...2 {
                try await fixture.drop(
                    MailSamples.plain(from: "carol@example.test", id: "held-\(number)"), to: .outgoing,
                    from: "carol@example.test")
            }
            try await fixture.process()
            #expect(try fixture.counts() == ["admin/new": 2, "blocked/new": 2])
            let held = try fixture.names(in: "blocked/new")
            #expect(held.allSatisfy { $0.hasSuffix(",A=told") })
            let list = try await run(fixture, "list", "--held")
            #expect(list.output.contains("EMAIL_TO_ADMINISTRATOR"), "\(list)")
            let first = try #require(held[0].split(separator: ".").dropFirst().first.map(String.init))
            #expect(try await run(fixture, "release", first).status == 0)
            try await fixture.process()
            #expect(try fixture.onlyFile(in: "delivered").recipients == [MailSamples.bob])
            #expect(try fixture.names(in: "blocked/new") == [held[1]])
            // Eight days ago; and one that no notice told of.
            let old = Int(Date().timeIntervalSince1970) - 8 * 86_400
            let folder = fixture.spool + "/blocked/new/"
            let rest = held[1].drop { $0 != "." }
            try FileManager.default.moveItem(atPath: folder + held[1], toPath: folder + "\(old)" + rest)
            let kept = "\(old).0123456789abcdef0123456789abcdef.0011223344556677,O=out"
            try fixture.place(MailSamples.plain(), in: "blocked/new", named: kept)
            try await fixture.process()
            #expect(try fixture.names(in: "blocked/new") == [kept])
            #expect(try journal(fixture).contains("\"ev\":\"removed\""))
        }

        @Test("an address of the header and a word of the subject find a message, the word only where that is set")
        func words() async throws {
            for isSet in [false, true] {
                let fixture = try await fixture(processing: "<JournalSubjects>\(isSet)</JournalSubjects>")
                try await fixture.drop(
                    MailSamples.plain(from: MailSamples.alice, subject: "Quarterly figures"), to: .outgoing,
                    from: "bounces@lists.example.test", recipients: ["hidden@partner.test"])
                try await fixture.process()
                for word in ["hidden@partner.test", MailSamples.alice, MailSamples.bob, "bounces@lists.example.test"] {
                    #expect(try await run(fixture, "trace", word).status == 0, "\(word)")
                }
                #expect(try await run(fixture, "trace", "quarterly").status == (isSet ? 0 : 66))
                #expect(try await run(fixture, "trace", "--since", "1h").status == 0)
                #expect(try await run(fixture, "trace", "--until", "1h").status == 66)
                #expect(try await run(fixture, "trace", "--since", "yesterday").status == 64)
                #expect(try await run(fixture, "trace").status == 64)
            }
        }

        @Test("explain tells size, key, refusals and the request, without the document unless it is asked for")
        func explained() async throws {
            let fixture = try await fixture(processing: "<SenderMustOwnFrom>true</SenderMustOwnFrom>")
            let good = try fixture.scratch.write(
                Array("Return-Path: <\(MailSamples.alice)>\r\nEnvelope-To: \(MailSamples.bob)\r\n".utf8)
                    + MailSamples.plain(), to: "good")
            let told = try await run(fixture, "explain", "--direction", "outgoing", good, "--request")
            #expect(told.output.contains("SignRequest") && told.output.contains("octets, left out"), "\(told)")
            #expect(told.output.contains("key:       \(Samples.aliceKey)") && told.output.contains("size:"))
            let full = try await run(fixture, "explain", "--direction", "outgoing", good, "--content")
            #expect(!full.output.contains("left out") && full.output.count > told.output.count)
            let bad = try fixture.scratch.write(
                Array("Return-Path: <mallory@example.test>\r\nEnvelope-To: \(MailSamples.bob)\r\n".utf8)
                    + MailSamples.plain(), to: "bad")
            let refused = try await run(fixture, "explain", "--direction", "outgoing", bad, "--request")
            #expect(refused.output.contains("refused:") && refused.output.contains("SenderMustOwnFrom"), "\(refused)")
            #expect(!refused.output.contains("SignRequest"))
        }

        @Test("bounce gives a message back as undeliverable, and export writes several to files")
        func bounced() async throws {
            let fixture = try await fixture(action: "BLOCK_EMAIL")
            for number in 1...2 {
                try await fixture.drop(
                    MailSamples.plain(from: "carol@example.test", id: "bounce-\(number)"), to: .outgoing,
                    from: "carol@example.test")
            }
            try await fixture.process()
            let directory = fixture.scratch.file("exported")
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            try SpoolFixture.own(directory)
            let exported = try await run(fixture, "export", "--from", "carol", "--directory", directory)
            #expect(exported.status == 0 && exported.output.contains("2 messages"), "\(exported)")
            let files = try FileManager.default.contentsOfDirectory(atPath: directory)
            #expect(files.count == 2 && files.allSatisfy { $0.hasSuffix("-blocked.eml") })
            let bounced = try await run(fixture, "bounce", "--all", "--yes", "--text", "It cannot be delivered.")
            #expect(bounced.status == 0, "\(bounced)")
            #expect(try fixture.counts() == ["delivered/new": 2])
            for report in try fixture.files(in: "delivered") {
                #expect(report.text.contains("Status: 5.4.7") && report.text.contains("It cannot be delivered."))
                #expect(report.recipients == ["carol@example.test"])
            }
        }
    }
}
