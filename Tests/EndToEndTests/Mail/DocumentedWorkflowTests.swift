import Foundation
import TestSupport
import Testing

/// The recipes of `docs/recipes.md`, by their numbers.
private struct RecipeBook {
    /// The configuration around a recipe.
    let frame: String
    let recipes: [Int: String]

    /// Reads the page: the first indented block below each heading that begins with a number, and that of the frame.
    init() throws {
        let page = String(decoding: try TestMaterial.octets(TestMaterial.project + "/docs/recipes.md"), as: UTF8.self)
        var (frame, recipes) = ("", [Int: String]())
        for section in page.components(separatedBy: "\n## ").dropFirst() {
            let lines = section.components(separatedBy: "\n")
            let block = lines.drop { !$0.hasPrefix("    ") }.prefix { $0.hasPrefix("    ") }.joined(separator: "\n")
            if let number = lines[0].split(separator: ".").first.flatMap({ Int($0) }) {
                recipes[number] = block
            } else if lines[0] == "The frame" {
                frame = block
            }
        }
        (self.frame, self.recipes) = (frame, recipes)
    }

    /// `ses.xml` with recipe `number`, for the embedded server of the tests and a spool at `spool`.
    func configuration(_ number: Int, spool: String) async throws -> String {
        let server = try await DSSFixture.shared
        let (place, shipped) = ("<!-- the recipe -->", "http://unix:/var/lib/ses-dss/socket:/")
        let recipe = try #require(recipes[number], "recipe \(number)")
        try #require(frame.contains(place) && frame.contains(shipped))
        let text = frame.replacing(place, with: recipe).replacing(shipped, with: "http://127.0.0.1:\(server.port)/")
        let (opening, element) = ("<Processing>", "<Spool>\(spool)</Spool>")
        return text.contains(opening)
            ? text.replacing(opening, with: opening + element)
            : text.replacing("</SES>", with: "\(opening)\(element)</Processing></SES>")
    }
}

extension EndToEnd {
    @Suite("The workflows of docs/recipes.md")
    struct DocumentedWorkflows {
        /// A spool under recipe `number`.
        /// - Parameter partner: The domain that stands for `partner.test`.
        private func house(_ number: Int, partner: String = "partner.test") async throws -> SpoolFixture {
            let fixture = try await SpoolFixture(SESXML(servers: [try await DSSFixture.shared.address]))
            try fixture.configure(
                try await RecipeBook().configuration(number, spool: fixture.spool)
                    .replacing("partner.test", with: partner))
            return fixture
        }

        /// The spool after `message` went through recipe `number`.
        private func passed(
            _ number: Int, _ message: [UInt8], _ direction: SpoolFixture.Direction = .outgoing,
            from sender: String = MailSamples.alice, partner: String = "partner.test"
        ) async throws -> SpoolFixture {
            let fixture = try await house(number, partner: partner)
            try await fixture.drop(message, to: direction, from: sender)
            try await fixture.process()
            return fixture
        }

        /// The addresses of those who signed the one delivered mail.
        private func signers(_ fixture: SpoolFixture) async throws -> [String] {
            let file = try fixture.onlyFile(in: "delivered")
            try #require(file.envelopeField("X-SES-Outcome") == "signed", "\(file)")
            return try await OpenSSL.signerAddresses(file.message, anchor: try await DSSFixture.demo.anchor)
        }

        private func outcome(_ fixture: SpoolFixture) throws -> String? {
            try fixture.onlyFile(in: "delivered").envelopeField("X-SES-Outcome")
        }

        @Test("each loads without a fault or a doubt", arguments: 1...10)
        func loads(_ number: Int) async throws {
            #expect(try RecipeBook().recipes.keys.sorted() == Array(1...10))
            let house = try await house(number)
            let check = try await house.ses(["check", "--config", house.configurationPath])
            #expect(check.status == 0 && !check.output.contains("warning:"), "\(check)")
        }

        @Test("1: each sender's key signs; nobody signs as another, and nobody without a key is sent unsigned")
        func ownKeys() async throws {
            for sender in [MailSamples.alice, MailSamples.bob] {
                let signed = try await passed(1, MailSamples.plain(from: sender), from: sender)
                #expect(try await signers(signed) == [sender])
            }
            let keyless = try await passed(1, MailSamples.plain(from: "dora@example.test"), from: "dora@example.test")
            #expect(try keyless.counts() == ["admin/new": 1, "blocked/new": 1])
            let pretended = try await passed(1, MailSamples.plain(from: MailSamples.alice), from: MailSamples.bob)
            #expect(try pretended.counts() == ["admin/new": 1, "blocked/new": 1])
        }

        @Test("2: the seal signs for each author of the domain, and mail of other domains passes")
        func seal() async throws {
            let signed = try await passed(2, MailSamples.plain(from: "dora@example.test"))
            #expect(try await signers(signed) == ["signing@example.test"])
            let other = try await passed(2, MailSamples.plain(from: MailSamples.outsider))
            #expect(try outcome(other) == "passed")
        }

        @Test("3: the one named signs with an own key, all others with the seal")
        func ownKeyOrSeal() async throws {
            let own = try await passed(3, MailSamples.plain(from: MailSamples.bob), from: MailSamples.bob)
            #expect(try await signers(own) == [MailSamples.bob])
            let seal = try await passed(3, MailSamples.plain(from: "dora@example.test"))
            #expect(try await signers(seal) == ["signing@example.test"])
        }

        @Test("4: a word in the subject asks for the signature")
        func onRequest() async throws {
            let asked = try await passed(4, MailSamples.plain(subject: "Our offer [sign]"))
            #expect(try await signers(asked) == [MailSamples.alice])
            let plain = try await passed(4, MailSamples.plain(subject: "Our offer, and a sign"))
            #expect(try outcome(plain) == "passed")
        }

        @Test("5: mail to the partner is signed, other mail is not")
        func toThePartner() async throws {
            let signed = try await passed(5, MailSamples.plain(to: "eve@partner.test"))
            #expect(try await signers(signed) == [MailSamples.alice])
            #expect(try outcome(try await passed(5, MailSamples.plain())) == "passed")
        }

        @Test("6: a PDF gets its stamp, and the mail around it is signed")
        func invoices() async throws {
            let (invoice, anchor) = (PDFSamples.plain(), try await DSSFixture.demo.anchor)
            let house = try await passed(6, MailSamples.withFiles([.pdf(invoice)]))
            #expect(try await signers(house) == [MailSamples.alice])
            let files = try await MailParts.files(of: try house.onlyFile(in: "delivered").message)
            let signed = try #require(files.first { $0.name == "invoice.pdf" })
            let report = try await PDFOracle.of(signed.octets, anchor: anchor)
            #expect(report.isValid && report.signatures.map(\.reason) == ["Invoice"], "\(report)")
            #expect(try outcome(try await passed(6, MailSamples.plain())) == "passed")
        }

        @Test("7: PDF and XML are signed within, and a file of another kind stays")
        func documents() async throws {
            let (invoice, order, terms) = (AttachedFile.pdf(), AttachedFile.xml(), AttachedFile.other())
            let house = try await passed(7, MailSamples.withFiles([invoice, order, terms]))
            let file = try house.onlyFile(in: "delivered")
            let files = try await MailParts.files(of: file.message)
            try #require(files.map(\.name) == ["invoice.pdf", "invoice.xml", "terms.doc"])
            let report = try await PDFOracle.of(files[0].octets, anchor: try await DSSFixture.demo.anchor)
            #expect(report.isValid, "\(report)")
            #expect(String(decoding: files[1].octets, as: UTF8.self).contains("SignatureValue>"))
            #expect(files[2].octets == terms.octets)
            #expect(file.header("Content-Type").first?.hasPrefix("multipart/mixed") == true)
        }

        @Test("8: any other file gets its signature beside it")
        func besideTheFile() async throws {
            let terms = AttachedFile.other()
            let house = try await passed(8, MailSamples.withFiles([terms]))
            let files = try await MailParts.files(of: try house.onlyFile(in: "delivered").message)
            #expect(files.map(\.name) == ["terms.doc", "terms.doc.p7s"])
            #expect(files.first?.octets == terms.octets)
        }

        @Test("9: the result stands above the text; changed mail goes to the administrator, strangers' mail does not")
        func resultAbove() async throws {
            let good = try await passed(9, try await Samples.signedByAlice, .incoming)
            #expect(try good.onlyFile(in: "delivered").text.contains("Signature check: trusted"))
            let changed = try await passed(9, try await Samples.tampered, .incoming)
            #expect(try changed.counts() == ["admin/new": 1, "blocked/new": 1])
            let stranger = try await passed(9, try await Samples.signedByStranger, .incoming)
            #expect(try outcome(stranger) == "indeterminate")
            let signed = try await Documents.signed(PDFSamples.plain(), profile: "adss:signing:profile:006")
            let document = try await passed(9, MailSamples.withFiles([.pdf(signed)]), .incoming)
            #expect(try outcome(document) == "verified")
            #expect(try outcome(try await passed(9, MailSamples.plain(), .incoming)) == "passed")
        }

        @Test("10: the partner's unsigned mail and what cannot be judged is held, other mail passes")
        func partnerMustSign() async throws {
            let unsigned = try await passed(10, MailSamples.plain(from: "eve@partner.test"), .incoming)
            #expect(try unsigned.counts() == ["blocked/new": 1])
            let other = try await passed(10, MailSamples.plain(from: MailSamples.outsider), .incoming)
            #expect(try outcome(other) == "passed")
            // The demonstration keys are for example.test, which stands in for the partner here.
            let signed = try await passed(10, try await Samples.signedByAlice, .incoming, partner: "example.test")
            #expect(try outcome(signed) == "verified")
            let stranger = try await passed(10, try await Samples.signedByStranger, .incoming, partner: "example.test")
            #expect(try stranger.counts() == ["blocked/new": 1])
        }
    }
}
