import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Verifying incoming mail")
    struct Verifying {
        /// Takes one message in through a fresh spool that verifies.
        private func received(
            _ message: [UInt8], sender: String = MailSamples.alice, rule: String = "SEND_ORIGINAL_EMAIL",
            attachResponse: Bool = false, processing: String = ""
        ) async throws -> SpoolFixture {
            var configuration = SESXML(servers: [try await DSSFixture.shared.address])
            configuration.incoming = SESXML.verify(rule: rule, attachResponse: attachResponse)
            configuration.processing = processing
            let fixture = try await SpoolFixture(configuration)
            try await fixture.drop(message, to: .incoming, from: sender)
            try await fixture.process()
            return fixture
        }

        private func verdict(_ file: SpoolFile) -> String? {
            file.header("Authentication-Results").compactMap { field in
                field.firstRange(of: /smime=(\w+)/).map { String(field[$0].dropFirst("smime=".count)) }
            }.first
        }

        @Test("a mail that SES signed is trusted and, below the added fields, unchanged")
        func trusted() async throws {
            let signed = try await Samples.signedByAlice
            let result = try await received(signed).onlyFile(in: "delivered")
            #expect(verdict(result) == "pass")
            #expect(result.header("Authentication-Results").first?.hasPrefix("ses.example.test;") == true)
            #expect(result.message.count > signed.count)
            #expect(result.message.suffix(signed.count).elementsEqual(signed))
        }

        @Test("a tampered mail goes to the administrator as a notice with the original, and to nobody else")
        func tampered() async throws {
            let tampered = try await Samples.tampered
            let fixture = try await received(tampered)
            #expect(try fixture.counts() == ["admin/new": 1, "blocked/new": 1])
            let notice = try fixture.onlyFile(in: "admin")
            #expect(notice.recipients == ["admin@example.test"])
            #expect(notice.sender == "")
            #expect(notice.header("Auto-Submitted") == ["auto-generated"])
            let reading = try await PythonReading.of(notice.message)
            #expect(reading.parts.first?.type == "multipart/mixed")
            #expect(reading.part("text/plain")?.text?.contains("not trusted") == true)
            #expect(reading.part("text/html") != nil)
            #expect(reading.part("message/rfc822") != nil)
            #expect(notice.message.firstRange(of: tampered.suffix(200)) != nil)
        }

        @Test("one octet changed anywhere in the signed content is detected")
        func flips() async throws {
            let signed = try await Samples.signedByAlice
            let text = Array("The price is 100 euro.\r\nYours, Alice".utf8)
            let place = try #require(signed.firstRange(of: text))
            var configuration = SESXML(servers: [try await DSSFixture.shared.address])
            configuration.incoming = SESXML.verify()
            let fixture = try await SpoolFixture(configuration)
            let offsets = Array(place).filter { signed[$0] != 0x0D && signed[$0] != 0x0A }
            for offset in offsets {
                var copy = signed
                copy[offset] ^= 0x01
                try fixture.place(copy, in: "incoming/new", named: "1700000000.flip\(offset).test")
            }
            try await fixture.process()
            #expect(try fixture.counts() == ["admin/new": offsets.count, "blocked/new": offsets.count])
        }

        @Test("an unsigned mail reaches its recipients with smime=none, without a server being asked")
        func unsigned() async throws {
            let message = MailSamples.plain(from: MailSamples.outsider)
            let result = try await received(message, sender: MailSamples.outsider).onlyFile(in: "delivered")
            #expect(verdict(result) == "none")
            #expect(result.message.suffix(message.count).elementsEqual(message))
        }

        @Test("NotSignedAction applies to unsigned mail if it is set")
        func notSignedAction() async throws {
            let fixture = try await received(
                MailSamples.plain(), processing: "<NotSignedAction>BLOCK_EMAIL</NotSignedAction>")
            #expect(try fixture.counts() == ["blocked/new": 1])
        }

        @Test("an encrypted mail is not checked and is reported as such")
        func encrypted() async throws {
            let result = try await received(MailSamples.encrypted(), sender: MailSamples.outsider)
                .onlyFile(in: "delivered")
            #expect(verdict(result) == "none")
        }

        @Test("a signed part inside unsigned content is not trusted")
        func partlySigned() async throws {
            let signed = try await Samples.signedByAlice
            let inner = signed[
                (try #require(signed.firstRange(of: Array("Content-Type: multipart/signed".utf8)))).lowerBound...]
            let message =
                MailSamples.message(
                    [
                        "From: \(MailSamples.alice)", "To: \(MailSamples.bob)", "Subject: Partly signed",
                        "MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=around",
                    ],
                    body: "--around\r\nContent-Type: text/plain\r\n\r\nNot signed at all.\r\n--around\r\n")
                + Array(inner) + Array("\r\n--around--\r\n".utf8)
            let fixture = try await received(message)
            #expect(try fixture.counts() == ["admin/new": 1, "blocked/new": 1])
        }

        @Test("a mail whose From is not the signer is not trusted, unless that is only to be reported")
        func otherFrom() async throws {
            let message = try MailSamples.changed(
                try await Samples.signedByAlice, "From: alice@example.test", to: "From: mallory@example.test")
            #expect(try await received(message).counts() == ["admin/new": 1, "blocked/new": 1])
            let reported = try await received(message, processing: "<SignerIdentity>report</SignerIdentity>")
            #expect(verdict(try reported.onlyFile(in: "delivered")) == "policy")
        }

        @Test("two From fields are not trusted")
        func twoFroms() async throws {
            let message = Array("From: manager@example.test\r\n".utf8) + (try await Samples.signedByAlice)
            #expect(try await received(message).counts() == ["admin/new": 1, "blocked/new": 1])
        }

        @Test("a forged result of our own name is removed, one of another server is kept")
        func forgedResults() async throws {
            let message = MailSamples.plain(
                from: MailSamples.outsider,
                fields: [
                    "Authentication-Results: ses.example.test; smime=pass",
                    "AUTHENTICATION-RESULTS: (a comment) SES.example.test", "\t; smime=pass",
                    "Authentication-Results: mx.example.test; spf=pass", "X-SES-Verdict: trusted",
                ])
            let result = try await received(message, sender: MailSamples.outsider).onlyFile(in: "delivered")
            let fields = result.header("Authentication-Results")
            #expect(fields.count == 2)
            #expect(fields.first?.contains("smime=none") == true)
            #expect(fields.last == "mx.example.test; spf=pass")
            #expect(result.header("X-SES-Verdict").isEmpty)
        }

        @Test("several From, opaque and unknown signers: a stranger's signature is indeterminate")
        func stranger() async throws {
            let fixture = try await received(
                try await Samples.signedByStranger,
                processing: "<ResponseIndeterminateAction>EMAIL_TO_RECIPIENTS</ResponseIndeterminateAction>")
            #expect(verdict(try fixture.onlyFile(in: "delivered")) == "neutral")
        }
    }

    @Suite("Showing the result")
    struct ShowingTheResult {
        private func shown(_ message: [UInt8], rule: String, attachResponse: Bool) async throws -> SpoolFile {
            var configuration = SESXML(servers: [try await DSSFixture.shared.address])
            configuration.incoming = SESXML.verify(rule: rule, attachResponse: attachResponse)
            let fixture = try await SpoolFixture(configuration)
            try await fixture.drop(message, to: .incoming)
            try await fixture.process()
            return try fixture.onlyFile(in: "delivered")
        }

        @Test(
            "a signed mail is never edited: it travels complete inside the mail with the result",
            arguments: ["ADD_RESULT_TO_TOP", "ADD_RESULT_TO_BOTTOM", "ADD_ORIGINAL_EMAIL_AS_ATTACHMENT"], [true, false])
        func enclosed(_ rule: String, _ attachesResponse: Bool) async throws {
            let signed = try await Samples.signedByAlice
            let result = try await shown(signed, rule: rule, attachResponse: attachesResponse)
            let reading = try await PythonReading.of(result.message)
            #expect(reading.part("message/rfc822") != nil)
            #expect(reading.parts.contains { $0.text?.contains("trusted") == true })
            let content = try #require(signed.firstRange(of: Array("Content-Type: multipart/signed".utf8)))
            #expect(result.message.firstRange(of: signed[content.lowerBound...]) != nil)
            let answers = reading.parts.filter { $0.text?.contains("VerifyResponse") == true }
            #expect(answers.count == (attachesResponse ? 1 : 0))
        }

        @Test(
            "an unsigned mail gets the result as text in its body",
            arguments: ["ADD_RESULT_TO_TOP", "ADD_RESULT_TO_BOTTOM"])
        func edited(_ rule: String) async throws {
            let result = try await shown(MailSamples.withAttachment(), rule: rule, attachResponse: false)
            let reading = try await PythonReading.of(result.message)
            let text = try #require(reading.part("text/plain")?.text)
            let words = try #require(text.firstRange(of: "The terms are attached."))
            let isAtTop = rule == "ADD_RESULT_TO_TOP"
            #expect(text[..<words.lowerBound].contains("not signed") == isAtTop)
            #expect(text[words.upperBound...].contains("not signed") != isAtTop)
            #expect(reading.part("text/html")?.text?.contains("not signed") == true)
            #expect(reading.part("application/octet-stream")?.name == "terms.bin")
        }

        @Test("SEND_ORIGINAL_EMAIL changes nothing, even if the response is asked for", arguments: [true, false])
        func original(_ attachesResponse: Bool) async throws {
            let signed = try await Samples.signedByAlice
            let result = try await shown(signed, rule: "SEND_ORIGINAL_EMAIL", attachResponse: attachesResponse)
            #expect(result.message.suffix(signed.count).elementsEqual(signed))
        }
    }
}
