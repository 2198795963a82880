import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite(
        "Real, odd and malformed mail through the programs", .enabled(if: TestMaterial.shared != nil, "needs ../shared")
    )
    struct Corpus {
        struct Sample: Sendable {
            let name: String
            let recipient: String
            let octets: [UInt8]
        }

        /// The messages of the corpus, each with a recipient of its own; every fourth only in the normal run.
        private static func samples() throws -> [Sample] {
            let folder = try #require(TestMaterial.shared) + "/corpora/mime/"
            var all: [(name: String, octets: [UInt8])] = []
            for file in try TestMaterial.table(folder + "expected.tsv").compactMap({ $0["file"] }).sorted() {
                let octets = try TestMaterial.octets(folder + file)
                if file.hasSuffix(".mbox.txt") {
                    let offsets = folder + file.replacingOccurrences(of: ".mbox.txt", with: ".unix-offsets.json")
                    for (number, message) in try messages(of: octets, offsets).enumerated() {
                        all.append(("\(file) \(number)", message))
                    }
                } else {
                    all.append((file, octets))
                }
            }
            let chosen = all.enumerated().filter { EndToEnd.isSecondLevel || $0.offset.isMultiple(of: 4) }
            return chosen.map { Sample(name: $1.name, recipient: "r\($0)@example.test", octets: $1.octets) }
        }

        /// Cuts an mbox: where another parser says, else at the lines that begin with `From `.
        private static func messages(of mbox: [UInt8], _ offsets: String) throws -> [[UInt8]] {
            let octets = MailSamples.withLineFeeds(mbox)
            if let json = FileManager.default.contents(atPath: offsets) {
                struct Place: Decodable { let beginOffset, endOffset: Int }
                return try JSONDecoder().decode([Place].self, from: json).map {
                    Array(octets[$0.beginOffset..<$0.endOffset])
                }
            }
            let text = String(decoding: octets, as: UTF8.self)
            return text.split(separator: /(?:^|\n)From [^\n]*\n/).map { Array(($0 + "\n").utf8) }
        }

        /// Returns the message without its old header, after the damage that mail may suffer on its way: `>From `, and
        /// blanks at line ends lost.
        private static func carried(_ message: [UInt8]) -> [UInt8] {
            let text = String(decoding: message, as: UTF8.self).replacingOccurrences(of: "\r\n", with: "\n")
            let start = text.firstRange(of: "MIME-Version: 1.0\nContent-Type: multipart/signed")?.lowerBound
            let lines = text[(start ?? text.startIndex)...].split(separator: "\n", omittingEmptySubsequences: false)
            return lines.flatMap { line in
                var line = line
                while let last = line.last, last == " " || last == "\t" { line.removeLast() }
                return Array(((line.hasPrefix("From ") ? ">" : "") + line + "\r\n").utf8)
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

        @Test(
            "a signed mail verifies with OpenSSL, and one that is not signed gives the reason", .timeLimit(.minutes(10))
        )
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
            // What is signed or encrypted already passes as it is, and says so.
            let passed = delivered.filter { $0.envelopeField("X-SES-Outcome") != "signed" }
            for file in passed { #expect(file.envelopeField("X-SES-Reason")?.contains("already") == true, "\(file)") }
            for file in delivered where file.envelopeField("X-SES-Outcome") == "signed" {
                let verified = try await OpenSSL.verify(file.message, anchor: anchor)
                let name = samples.first { [$0.recipient] == file.recipients }?.name ?? file.name
                #expect(verified.status == 0, "\(name): \(verified.error)")
                let carried = Self.carried(file.message)
                #expect(carried.allSatisfy { $0 < 0x80 }, "\(name)")
                let arrived = try await OpenSSL.verify(carried, anchor: anchor)
                #expect(arrived.status == 0, "\(name), carried by mbox and gateways: \(arrived.error)")
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
                // A byte order mark before the header is taken away.
                let octets =
                    sample.octets.starts(with: [0xEF, 0xBB, 0xBF]) ? sample.octets.dropFirst(3) : sample.octets[...]
                #expect(file.message.count >= octets.count, "\(sample.name)")
                #expect(file.message.suffix(octets.count).elementsEqual(octets), "\(sample.name)")
            }
        }

        @Test("no document costs `ses` and `ses-dss` more than 2 s or 512 MiB", .timeLimit(.minutes(10)))
        func cost() async throws {
            let folder = try #require(TestMaterial.shared) + "/corpora/"
            var all: [String] = []
            for corpus in ["pdf-signatures", "pdf-plain", "xml-signatures", "xml-plain"] {
                all += try TestMaterial.table(folder + corpus + "/expected.tsv").compactMap { row in
                    row["file"].map { folder + corpus + "/" + $0 }
                }
            }
            let chosen = all.enumerated().filter { EndToEnd.isSecondLevel || $0.offset.isMultiple(of: 6) }.map(
                \.element)
            try #require(chosen.count > 8)
            for path in chosen {
                // A server of its own, whose figures are those of this document.
                let server = try await DSSFixture()
                var configuration = SESXML(servers: [server.address])
                configuration.incoming = SESXML.verify(operations: "VERIFY_ATTACHMENT")
                configuration.emailErrorAction = "EMAIL_TO_RECIPIENTS"
                configuration.notTrustedAction = "EMAIL_TO_RECIPIENTS"
                let fixture = try await SpoolFixture(configuration)
                let file = AttachedFile.other(try TestMaterial.octets(path), name: "document")
                try await fixture.drop(MailSamples.withFiles([file]), to: .incoming)
                for finished in [try await fixture.process(), try await server.stop()] {
                    #expect(finished.processorTime < .seconds(2), "\(path)")
                    #expect(finished.peakMemory < 512 << 20, "\(path): \(finished.peakMemory >> 20) MiB")
                }
                let counts = try fixture.counts()
                #expect(counts == ["delivered/new": 1], "\(path): \(counts)")
            }
        }
    }
}
