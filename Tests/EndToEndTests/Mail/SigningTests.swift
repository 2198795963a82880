import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Signing outgoing mail")
    struct Signing {
        /// Sends one message through a fresh spool that signs with `alias`.
        private func signed(
            _ message: [UInt8], alias: String = Samples.aliceKey, sender: String = MailSamples.alice,
            recipients: [String] = [MailSamples.bob], domains: [String] = ["example.test"]
        ) async throws -> SpoolFixture {
            var configuration = SESXML(servers: [try await DSSFixture.shared.address])
            configuration.domains = domains
            configuration.outgoing = SESXML.sign(alias: alias)
            let fixture = try await SpoolFixture(configuration)
            try await fixture.drop(message, to: .outgoing, from: sender, recipients: recipients)
            try await fixture.process()
            return fixture
        }

        @Test("a mail signed with a named key verifies with OpenSSL and names its signer")
        func namedKey() async throws {
            let result = try await signed(MailSamples.plain()).onlyFile(in: "delivered")
            let anchor = try await DSSFixture.demo.anchor
            #expect(try await OpenSSL.verify(result.message, anchor: anchor).status == 0)
            #expect(
                try await OpenSSL.signerAddresses(result.message, anchor: anchor).contains(MailSamples.alice))
            let reading = try await PythonReading.of(result.message)
            #expect(reading.parts.first?.type == "multipart/signed")
            #expect(reading.parts.first?.parameters["protocol"] == "application/pkcs7-signature")
            #expect(reading.part("application/pkcs7-signature")?.name == "smime.p7s")
            #expect(reading.defects.isEmpty)
        }

        @Test("header fields stay outside the signature and unchanged")
        func fields() async throws {
            let original = MailSamples.plain(
                subject: "Grüße", fields: ["X-Odd:  two blanks", "Keywords: one,", " two"])
            let result = try await signed(original).onlyFile(in: "delivered")
            let before = try await PythonReading.of(original)
            let after = try await PythonReading.of(result.message)
            let moved: Set = ["content-type", "content-transfer-encoding", "mime-version", "received"]
            func kept(_ reading: PythonReading) -> [[String]] {
                reading.fields.filter { !moved.contains($0[0].lowercased()) && !$0[0].hasPrefix("X-SES") }
            }
            #expect(kept(after) == kept(before))
            #expect(after.values("Message-ID") == before.values("Message-ID"))
        }

        @Test("FROM_EMAIL_ADDRESS signs with the key of the one From address")
        func fromAddress() async throws {
            let message = MailSamples.plain(from: "Alice Example <alice@EXAMPLE.test>")
            let result = try await signed(message, alias: "FROM_EMAIL_ADDRESS").onlyFile(in: "delivered")
            let anchor = try await DSSFixture.demo.anchor
            #expect(
                try await OpenSSL.signerAddresses(result.message, anchor: anchor).contains(MailSamples.alice))
        }

        @Test(
            "FROM_EMAIL_ADDRESS refuses a From that is not one address of the organisation",
            arguments: [
                "carol@elsewhere.test", "alice@example.test, carol@example.test", "alice@example.test.elsewhere.test",
                "",
            ])
        func fromAddressRefused(_ from: String) async throws {
            let fixture = try await signed(MailSamples.plain(from: from), alias: "FROM_EMAIL_ADDRESS")
            #expect(try fixture.counts() == ["admin/new": 1, "blocked/new": 1])
        }

        @Test("NONE leaves the choice of the key to the server")
        func noAlias() async throws {
            let result = try await signed(MailSamples.plain(), alias: "NONE").onlyFile(in: "delivered")
            #expect(
                try await OpenSSL.verify(result.message, anchor: try await DSSFixture.demo.anchor).status == 0)
        }

        @Test("a mail that is not fit for transport is repaired and then verifies")
        func madeFit() async throws {
            let message = MailSamples.message(
                [
                    "From: \(MailSamples.alice)", "To: \(MailSamples.bob)", "Subject: 8-bit", "MIME-Version: 1.0",
                    "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit",
                ],
                body: "From here on: größer   \r\nlong: \(String(repeating: "x", count: 1_200))\r\n")
            let result = try await signed(message).onlyFile(in: "delivered")
            #expect(
                try await OpenSSL.verify(result.message, anchor: try await DSSFixture.demo.anchor).status == 0)
            #expect(result.message.allSatisfy { $0 < 0x80 })
            #expect(result.message.split(separator: 0x0A).allSatisfy { $0.count <= 998 + 1 })
            let text = try await PythonReading.of(result.message).part("text/plain")?.text
            #expect(text?.contains("größer   ") == true)
        }

        @Test("a mail with attachments keeps each of them")
        func attachments() async throws {
            let original = MailSamples.withAttachment()
            let result = try await signed(original).onlyFile(in: "delivered")
            #expect(
                try await OpenSSL.verify(result.message, anchor: try await DSSFixture.demo.anchor).status == 0)
            let before = try await PythonReading.of(original)
            let after = try await PythonReading.of(result.message)
            #expect(after.parts.dropFirst().dropLast().map(\.digest) == before.parts.map(\.digest))
        }

        @Test("Bcc is removed, and the envelope keeps every recipient")
        func blindCopies() async throws {
            let recipients = [MailSamples.bob, "dora@example.test", "emil@elsewhere.test"]
            let message = MailSamples.plain(fields: ["Bcc: dora@example.test,", " emil@elsewhere.test"])
            let result = try await signed(message, recipients: recipients).onlyFile(in: "delivered")
            #expect(result.header("Bcc").isEmpty)
            #expect(!result.text.contains("dora@example.test"))
            #expect(result.recipients == Set(recipients))
            #expect(result.sender == MailSamples.alice)
        }

        @Test("a file with line feeds only keeps them, and is signed as CRLF", arguments: [true, false])
        func lineEnds(_ hasLineFeedsOnly: Bool) async throws {
            let message = MailSamples.plain()
            let given = hasLineFeedsOnly ? MailSamples.withLineFeeds(message) : message
            let result = try await signed(given).onlyFile(in: "delivered")
            #expect(result.octets.contains(0x0D) != hasLineFeedsOnly)
            #expect(
                try await OpenSSL.verify(result.message, anchor: try await DSSFixture.demo.anchor).status == 0)
        }

        @Test("a bounce goes to its recipients unchanged")
        func nullSender() async throws {
            let message = MailSamples.plain(
                from: "MAILER-DAEMON@example.test", fields: ["Auto-Submitted: auto-replied"])
            let result = try await signed(message, sender: "<>").onlyFile(in: "delivered")
            let reading = try await PythonReading.of(result.message)
            #expect(reading.parts.first?.type == "text/plain")
            #expect(result.sender == "")
        }

        @Test("fields that only SES may write are removed when they come from outside")
        func forgedFields() async throws {
            let message = MailSamples.plain(fields: ["X-SES-Outcome: delivered", "x-ses-reason : because"])
            let result = try await signed(message).onlyFile(in: "delivered")
            #expect(result.header("X-SES-Reason").isEmpty)
            #expect(!result.text.contains("because"))
        }

        @Test("a mail that passed here before is blocked")
        func loop() async throws {
            var configuration = SESXML(servers: [try await DSSFixture.shared.address])
            configuration.outgoing = SESXML.sign(alias: Samples.aliceKey)
            let fixture = try await SpoolFixture(configuration)
            try await fixture.drop(MailSamples.plain(), to: .outgoing)
            try await fixture.process()
            let first = try fixture.onlyFile(in: "delivered")
            #expect(first.header("Received").contains { $0.contains("(SES)") })
            try await fixture.drop(first.message, to: .outgoing)
            try await fixture.process()
            #expect(try fixture.counts() == ["delivered/new": 1, "blocked/new": 1])
        }

        @Test("more than fifty Received fields are a loop too")
        func hops() async throws {
            let hops = (1...51).map { "Received: by relay\($0).example.test; Mon, 5 Jan 2026 10:00:00 +0000" }
            let fixture = try await signed(MailSamples.plain(fields: hops))
            #expect(try fixture.counts() == ["blocked/new": 1])
        }
    }
}
