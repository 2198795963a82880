import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Real, odd and malformed mail through the programs", .enabled(if: TestMaterial.shared != nil))
    struct Corpus {
        struct Sample: Sendable {
            let name: String
            let recipient: String
            let octets: [UInt8]
        }

        /// The messages of the corpus, each with a recipient of its own; every eighth only in the normal run.
        private static func samples() throws -> [Sample] {
            let folder = try #require(TestMaterial.shared) + "/corpora/mime"
            let all = try TestMaterial.table(folder + "/expected.tsv").compactMap { $0["file"] }
                .filter { $0.hasSuffix(".eml") }.sorted()
            let chosen = all.enumerated().filter { EndToEnd.isSecondLevel || $0.offset.isMultiple(of: 4) }
            return try chosen.map { number, file in
                Sample(
                    name: file, recipient: "r\(number)@example.test",
                    octets: try TestMaterial.octets(folder + "/" + file))
            }
        }

        private func drop(_ samples: [Sample], to direction: SpoolFixture.Direction, in fixture: SpoolFixture)
            async throws
        {
            for sample in samples {
                try await fixture.drop(
                    sample.octets, to: direction, from: MailSamples.outsider, recipients: [sample.recipient])
            }
        }

        @Test("whatever is signed verifies with OpenSSL, and what is not signed says why", .timeLimit(.minutes(10)))
        func signing() async throws {
            let samples = try Self.samples()
            try #require(samples.count > 10)
            var configuration = SESXML(servers: [try await DSSFixture.shared.address])
            configuration.outgoing = SESXML.sign(alias: Samples.aliceKey)
            configuration.emailErrorAction = "BLOCK_EMAIL"
            let fixture = try await SpoolFixture(configuration)
            try await drop(samples, to: .outgoing, in: fixture)
            try await fixture.process(within: .seconds(300))

            let delivered = try fixture.files(in: "delivered")
            let blocked = try fixture.files(in: "blocked")
            #expect(delivered.count + blocked.count == samples.count)
            #expect(delivered.count * 10 >= samples.count * 8, "too many refused")
            let anchor = try await DSSFixture.demo.anchor
            for file in delivered {
                let verified = try await OpenSSL.verify(file.message, anchor: anchor)
                let name = samples.first { [$0.recipient] == file.recipients }?.name ?? file.name
                #expect(verified.status == 0, "\(name): \(verified.error)")
            }
            for file in blocked { #expect(file.envelopeField("X-SES-Reason")?.isEmpty == false, "\(file)") }
        }

        @Test("SEND_ORIGINAL_EMAIL keeps every octet below the added fields", .timeLimit(.minutes(10)))
        func verifying() async throws {
            let samples = try Self.samples()
            var configuration = SESXML(servers: [try await DSSFixture.shared.address])
            configuration.incoming = SESXML.verify()
            configuration.emailErrorAction = "EMAIL_TO_RECIPIENTS"
            configuration.notTrustedAction = "EMAIL_TO_RECIPIENTS"
            let fixture = try await SpoolFixture(configuration)
            try await drop(samples, to: .incoming, in: fixture)
            try await fixture.process(within: .seconds(300))

            let delivered = try fixture.files(in: "delivered")
            #expect(try fixture.counts() == ["delivered/new": samples.count])
            for sample in samples {
                let file = try #require(delivered.first { $0.recipients == [sample.recipient] }, "\(sample.name)")
                #expect(file.message.count >= sample.octets.count, "\(sample.name)")
                #expect(file.message.suffix(sample.octets.count).elementsEqual(sample.octets), "\(sample.name)")
            }
        }
    }
}
