import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite("ses sign and ses verify as filters")
    struct Filters {
        private func house() async throws -> SpoolFixture {
            var configuration = SESXML(servers: [try await DSSFixture.shared.address])
            configuration.outgoing = SESXML.sign(
                alias: Samples.aliceKey, filter: "<Filter><AND><From contains=\"alice@example.test\"/></AND></Filter>")
            configuration.incoming = SESXML.verify(rule: "ADD_RESULT_TO_TOP")
            return try await SpoolFixture(configuration)
        }

        private func filter(
            _ house: SpoolFixture, _ command: String, _ options: [String] = [], _ input: [UInt8]
        ) async throws -> RunningProgram.Finished {
            try await house.ses(
                [command, "--json", "--config", house.configurationPath] + options, input: input)
        }

        private func result(_ finished: RunningProgram.Finished) throws -> String {
            let object = try JSONSerialization.jsonObject(with: Data(finished.error.utf8)) as? [String: Any]
            return try #require(object?["result"] as? String, "\(finished)")
        }

        @Test(
            "a mail is signed by the workflows, verified as trusted, and not once it was changed; no spool is touched")
        func mail() async throws {
            let house = try await house()
            let signed = try await filter(house, "sign", [], MailSamples.plain(from: MailSamples.alice))
            #expect(try signed.status == 0 && result(signed) == "signed", "\(signed)")
            let octets = Array(signed.output.utf8)
            let judged = try await OpenSSL.verify(octets, anchor: try await DSSFixture.demo.anchor)
            #expect(judged.status == 0, "\(judged)")
            let verified = try await filter(house, "verify", [], octets)
            #expect(try verified.status == 0 && result(verified) == "trusted", "\(verified)")
            #expect(verified.output.contains("Signature check: trusted"))
            let body = String(decoding: octets, as: UTF8.self)
            let line = try #require(body.split(whereSeparator: \.isNewline).first { $0.hasPrefix("Subject: ") })
            let changed = body.replacing(String(line), with: "Subject: another")
            let content = changed.replacing("Content-Type: text/plain", with: "Content-Type: text/html")
            let refused = try await filter(house, "verify", [], Array(content.utf8))
            #expect(try refused.status == 2 && result(refused) == "not trusted", "\(refused)")
            #expect(try house.counts().isEmpty && house.names(in: "journal").isEmpty)
        }

        @Test("mail that no workflow signs comes out octet for octet, with status 1")
        func unchanged() async throws {
            let house = try await house()
            let mail = MailSamples.withLineFeeds(MailSamples.plain(from: MailSamples.bob))
            let passed = try await filter(house, "sign", [], mail)
            #expect(try passed.status == 1 && result(passed) == "unchanged", "\(passed)")
            #expect(Array(passed.output.utf8) == mail)
            let unsigned = try await filter(house, "verify", [], mail)
            #expect(try unsigned.status == 1 && result(unsigned) == "not signed", "\(unsigned)")
            #expect(Array(unsigned.output.utf8) == mail)
        }

        @Test("a given profile and key sign mail of any sender")
        func given() async throws {
            let house = try await house()
            let signed = try await filter(
                house, "sign", ["--profile", "adss:signing:profile:007", "--alias", "FROM_EMAIL_ADDRESS"],
                MailSamples.plain(from: MailSamples.bob))
            #expect(signed.status == 0, "\(signed)")
            #expect(
                try await OpenSSL.signerAddresses(
                    Array(signed.output.utf8), anchor: try await DSSFixture.demo.anchor) == [MailSamples.bob])
        }

        @Test("an XML document and any other file are signed and verified; a changed one is not trusted")
        func files() async throws {
            let house = try await house()
            let xml = Array("<order><item>one</item></order>\n".utf8)
            let key = ["--alias", "alice_document_signing"]
            let signed = try await filter(
                house, "sign", ["--as", "xml", "--profile", "adss:signing:profile:009"] + key, xml)
            #expect(signed.status == 0, "\(signed)")
            let good = try await filter(house, "verify", ["--as", "xml"], Array(signed.output.utf8))
            #expect(good.status == 0 && good.output == signed.output, "\(good)")
            let bad = try await filter(
                house, "verify", ["--as", "xml"], Array(signed.output.replacing(">one<", with: ">two<").utf8))
            #expect(bad.status == 2, "\(bad)")
            let none = try await filter(house, "verify", ["--as", "xml"], xml)
            #expect(try none.status == 1 && result(none) == "not signed", "\(none)")
        }

        @Test("a server that does not answer is 75, and one that refuses is 69; nothing comes out")
        func failures() async throws {
            let house = try await house()
            let mail = MailSamples.plain(from: MailSamples.alice)
            let refused = try await filter(house, "sign", ["--profile", "nowhere"], mail)
            #expect(refused.status == 69 && refused.output.isEmpty, "\(refused)")
            #expect(refused.error.contains("profile is unknown"), "\(refused)")
            try house.configure(SESXML(servers: ["http://127.0.0.1:\(try DSSFixture.deadPort())"]))
            let silent = try await filter(house, "sign", ["--profile", "adss:signing:profile:007"], mail)
            #expect(silent.status == 75 && silent.output.isEmpty, "\(silent)")
        }
    }
}
