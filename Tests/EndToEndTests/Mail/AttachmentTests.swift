import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Signing and verifying attachments")
    struct Attachments {
        private static let pdf = "adss:signing:profile:006"
        private static let cms = "adss:signing:profile:008"
        private static let xml = "adss:signing:profile:009"
        /// Takes the document's own format.
        private static let auto = "adss:signing:profile:010"

        /// `octets` with one octet of `words` changed.
        private func flipped(_ octets: [UInt8], within words: String) throws -> [UInt8] {
            let place = try #require(octets.firstRange(of: Array(words.utf8)))
            var copy = octets
            copy[place.lowerBound] ^= 0x01
            return copy
        }

        // MARK: Signing

        @Test("a PDF is signed so that pyHanko, pdfsig and SES trust it, and none of them with an octet changed")
        func signedPDF() async throws {
            let signed = try await Documents.signed(PDFSamples.plain(), profile: Self.pdf)
            let anchor = try await DSSFixture.demo.anchor
            let report = try await PDFOracle.of(signed, anchor: anchor)
            #expect(report.isValid, "\(report)")
            let good = try await Documents.received(MailSamples.withFiles([.pdf(signed)]))
            let goodCounts = try good.counts()
            #expect(goodCounts == ["delivered/new": 1])
            let flipped = try flipped(signed, within: "Invoice 4711")
            #expect(try await PDFOracle.of(flipped, anchor: anchor).isRefused)
            let bad = try await Documents.received(MailSamples.withFiles([.pdf(flipped)]))
            let badCounts = try bad.counts()
            #expect(badCounts == ["admin/new": 1, "blocked/new": 1])
        }

        @Test("XML is signed so that xmlsec1, signxml and SES trust it, and none of them with an octet changed")
        func signedXML() async throws {
            let fixture = try await Documents.sent([.xml()], profile: Self.xml)
            let files = try await MailParts.files(of: try fixture.onlyFile(in: "delivered").message)
            try #require(files.count == 1)
            #expect(files[0].name == "invoice.xml" && files[0].type == "application/xml")
            let scratch = try ScratchDirectory()
            let certificate = try await Documents.certificate("alice_document_signing", in: scratch)
            let anchor = try await DSSFixture.demo.anchor
            func verdicts(_ octets: [UInt8]) async throws -> (xmlsec: Bool, signxml: Bool) {
                try await XMLOracle.isValid(octets, anchor: anchor, certificate: certificate, isXAdES: true)
            }
            #expect(try await verdicts(files[0].octets) == (true, true))
            let good = try await Documents.received(
                MailSamples.withFiles([AttachedFile("invoice.xml", "application/xml", files[0].octets)]))
            let goodCounts = try good.counts()
            #expect(goodCounts == ["delivered/new": 1])
            let flipped = try flipped(files[0].octets, within: "100</total>")
            #expect(try await verdicts(flipped) == (false, false))
            let bad = try await Documents.received(
                MailSamples.withFiles([AttachedFile("invoice.xml", "application/xml", flipped)]))
            let badCounts = try bad.counts()
            #expect(badCounts == ["admin/new": 1, "blocked/new": 1])
        }

        @Test("another file gets its CMS beside it, which OpenSSL and SES trust, and neither with an octet changed")
        func signedFile() async throws {
            let content = AttachedFile.other().octets
            let fixture = try await Documents.sent([.other(content)], profile: Self.cms)
            let message = try fixture.onlyFile(in: "delivered").message
            let files = try await MailParts.files(of: message)
            #expect(files.map(\.name) == ["terms.doc", "terms.doc.p7s"])
            #expect(files.map(\.type) == ["application/msword", "application/pkcs7-signature"])
            #expect(files[0].octets == content)
            let anchor = try await DSSFixture.demo.anchor
            #expect(try await OpenSSL.verify(cms: files[1].octets, content: content, anchor: anchor).status == 0)
            let attached = files.map { AttachedFile($0.name, $0.type, $0.octets) }
            #expect(
                try await Documents.received(MailSamples.withFiles(attached)).counts() == ["delivered/new": 1])
            let flipped = try flipped(content, within: "terms")
            #expect(try await OpenSSL.verify(cms: files[1].octets, content: flipped, anchor: anchor).status != 0)
            let bad = try await Documents.received(MailSamples.withFiles([.other(flipped), attached[1]]))
            let badCounts = try bad.counts()
            #expect(badCounts == ["admin/new": 1, "blocked/new": 1])
        }

        @Test("a server that encloses the content makes a p7m of the file")
        func enclosedFile() async throws {
            let site = try await DSSFixture.demo
            let scratch = try ScratchDirectory()
            try SpoolFixture.own(scratch.path)
            let text = String(decoding: try TestMaterial.octets(site.configuration), as: UTF8.self)
                .replacingOccurrences(of: "format=\"cms\"", with: "format=\"cms\" enclosed=\"true\"")
                .replacingOccurrences(of: "\"keys/", with: "\"\(site.directory)/keys/")
                .replacingOccurrences(of: ">ca.pem<", with: ">\(site.anchor)<")
            let path = try scratch.write(Array(text.utf8), to: "dss.xml")
            try SpoolFixture.own(path)
            let server = try await DSSFixture(configuration: path)
            var configuration = SESXML(servers: [server.address])
            configuration.outgoing = SESXML.signAttachments(alias: "alice_document_signing", profile: Self.cms)
            let fixture = try await SpoolFixture(configuration)
            try await fixture.drop(MailSamples.withFiles([.other()]), to: .outgoing)
            try await fixture.process()
            let files = try await MailParts.files(of: try fixture.onlyFile(in: "delivered").message)
            #expect(files.map(\.name) == ["terms.doc.p7m"])
            let verified = try await OpenSSL.verify(cms: files[0].octets, content: nil, anchor: site.anchor)
            #expect(verified.status == 0 && verified.content == AttachedFile.other().octets)
            let received = try await Documents.received(
                MailSamples.withFiles([AttachedFile("terms.doc.p7m", "application/pkcs7-mime", files[0].octets)]))
            let receivedCounts = try received.counts()
            #expect(receivedCounts == ["delivered/new": 1])
            try await server.stop()
        }

        @Test("PDF, XML and other files of one mail are each signed in their own format, and the mail over all of them")
        func mixed() async throws {
            let fixture = try await Documents.sent(
                [.pdf(), .xml(), .other()], profile: Self.auto, mailProfile: "adss:signing:profile:007")
            let message = try fixture.onlyFile(in: "delivered").message
            let anchor = try await DSSFixture.demo.anchor
            #expect(try await OpenSSL.verify(message, anchor: anchor).status == 0)
            let files = try await MailParts.files(of: message)
            #expect(files.map(\.name) == ["invoice.pdf", "invoice.xml", "terms.doc", "terms.doc.p7s", "smime.p7s"])
            #expect(try await PDFOracle.of(files[0].octets, anchor: anchor).isValid)
            let received = try await Documents.received(
                message, operations: "VERIFY_EMAIL, VERIFY_ATTACHMENT", rule: "ADD_ORIGINAL_EMAIL_AS_ATTACHMENT",
                attachResponse: true)
            let shown = try await PythonReading.of(try received.onlyFile(in: "delivered").message)
            let text = try #require(shown.part("text/plain")?.text)
            for name in ["invoice.pdf", "invoice.xml", "terms.doc"] { #expect(text.contains(name), "\(text)") }
            // One answer of the server for each object that was verified.
            #expect(shown.parts.filter { $0.text?.contains("VerifyResponse") == true }.count == 4)
        }

        @Test("only selected attachments are signed, and nothing is done if the filter selects none")
        func selected() async throws {
            let filter = "<Filter><AND><Attachment contains=\"pdf\" signed=\"false\"/></AND></Filter>"
            let fixture = try await Documents.sent([.pdf(), .xml(), .other()], profile: Self.auto, filter: filter)
            let files = try await MailParts.files(of: try fixture.onlyFile(in: "delivered").message)
            #expect(files.map(\.name) == ["invoice.pdf", "invoice.xml", "terms.doc"])
            #expect(files[0].octets.count > PDFSamples.plain().count)
            #expect(files[1].octets == AttachedFile.xml().octets && files[2].octets == AttachedFile.other().octets)
            let none = try await Documents.sent([], profile: Self.auto)
            let noneCounts = try none.counts()
            #expect(noneCounts == ["delivered/new": 1])
        }

        @Test(
            "all or nothing: one attachment that cannot be signed sends the whole mail to the administrator unchanged",
            arguments: [
                AttachedFile("a.pdf", "application/pdf", Array("no PDF at all".utf8)),
                AttachedFile("a.pdf", "application/pdf", Array(PDFSamples.plain().prefix(400))),
                AttachedFile("a.xml", "application/xml", Array("<a><b></a>".utf8)),
            ])
        func refused(_ file: AttachedFile) async throws {
            let fixture = try await Documents.sent([.pdf(), file], profile: Self.auto)
            let fixtureCounts = try fixture.counts()
            #expect(fixtureCounts == ["admin/new": 1, "blocked/new": 1])
            let notice = try fixture.onlyFile(in: "admin")
            let files = try await MailParts.files(of: notice.message)
            #expect(files.contains { $0.octets == PDFSamples.plain() }, "the mail in the notice is as it came")
        }

        // MARK: Attributes

        @Test("reason, location and contact stand in the signature")
        func words() async throws {
            let signed = try await Documents.signed(
                PDFSamples.plain(), profile: Self.pdf,
                attributes: [
                    ("SIGNING_REASON", "Geprüft (§ 4) — Ωmega"), ("SIGNING_LOCATION", "Guildford, Surrey"),
                    ("CONTACT_INFO", "accounts@example.test"),
                ])
            let report = try await PDFOracle.of(signed, anchor: try await DSSFixture.demo.anchor)
            #expect(report.isValid, "\(report)")
            #expect(report.signatures.first?.reason == "Geprüft (§ 4) — Ωmega")
            #expect(report.signatures.first?.location == "Guildford, Surrey")
            #expect(report.signatures.first?.contactInfo == "accounts@example.test")
        }

        @Test("a named empty field is used")
        func field() async throws {
            let signed = try await Documents.signed(
                PDFSamples.plain(emptyField: "Approval"), profile: Self.pdf, attributes: [("SIGNING_FIELD", "Approval")]
            )
            let report = try await PDFOracle.of(signed, anchor: try await DSSFixture.demo.anchor)
            #expect(report.isValid && report.signatures.map(\.field) == ["Approval"], "\(report)")
        }

        /// The dark part of a page as pdftoppm draws it, as fractions of width and height from the top left.
        private func ink(_ octets: [UInt8], page: Int) async throws -> (x: Double, y: Double)? {
            let scratch = try ScratchDirectory()
            let path = try scratch.write(octets, to: "document.pdf")
            let run = try await RunningProgram.run(
                "/usr/bin/pdftoppm",
                ["-gray", "-r", "36", "-f", "\(page)", "-l", "\(page)", path, scratch.file("page")],
                asRoot: true)
            guard run.status == 0 else { throw HarnessError("pdftoppm: \(run)") }
            let name = try #require(try scratch.names().first { $0.hasPrefix("page") })
            let image = try TestMaterial.octets(scratch.file(name))
            var fields: [Int] = []
            var index = 2
            while fields.count < 3 {
                while image[index] <= 0x20 { index += 1 }
                let start = index
                while image[index] > 0x20 { index += 1 }
                fields.append(Int(String(decoding: image[start..<index], as: UTF8.self)) ?? 0)
            }
            let (width, height) = (fields[0], fields[1])
            let pixels = image[(index + 1)...]
            var (sumX, sumY, count) = (0, 0, 0)
            for (offset, pixel) in pixels.enumerated() where pixel < 0xA0 {
                sumX += offset % width
                sumY += offset / width
                count += 1
            }
            guard count > 0 else { return nil }
            return (Double(sumX) / Double(count * width), Double(sumY) / Double(count * height))
        }

        @Test("each area of a page is in its place, on an upright page and on one that is turned", arguments: 1...5)
        func area(_ area: Int) async throws {
            let expected = [1: (0.25, 0.2), 2: (0.75, 0.2), 3: (0.5, 0.5), 4: (0.25, 0.8), 5: (0.75, 0.8)]
            let place = try #require(expected[area])
            for rotation in [0, 90] {
                // The page's own words are white here, so that the stamp is all the ink there is.
                let original = PDFSamples.plain(pages: 2, rotation: rotation, words: ") Tj 1 1 1 rg (x")
                let signed = try await Documents.signed(
                    original, profile: Self.pdf,
                    attributes: [("SIGNING_AREA", "\(area)"), ("SIGNING_PAGE", "2"), ("VISIBILITY", "TRUE")])
                #expect(try await PDFOracle.of(signed, anchor: try await DSSFixture.demo.anchor).isValid)
                let found = try #require(try await ink(signed, page: 2), "nothing is to be seen on page 2")
                #expect(abs(found.x - place.0) < 0.25 && abs(found.y - place.1) < 0.25, "\(area) \(rotation): \(found)")
            }
        }

        @Test("an invisible signature does not change the look of the page")
        func invisible() async throws {
            let original = PDFSamples.plain()
            let signed = try await Documents.signed(
                original, profile: Self.pdf, attributes: [("VISIBILITY", "FALSE"), ("SIGNING_PAGE", "1")])
            let before = try #require(try await ink(original, page: 1))
            let after = try #require(try await ink(signed, page: 1))
            #expect(before == after)
        }

        // MARK: Verifying

        @Test("each signature of a PDF is reported, and unsigned files are listed as such")
        func listed() async throws {
            let once = try await Documents.signed(PDFSamples.plain(), profile: Self.pdf)
            let twice = try await Documents.signed(once, profile: Self.pdf)
            let mail = MailSamples.withFiles([.pdf(twice, name: "contract.pdf"), .other()])
            let fixture = try await Documents.received(mail, rule: "ADD_RESULT_TO_TOP")
            let result = try fixture.onlyFile(in: "delivered")
            let text = try #require(try await PythonReading.of(result.message).part("text/plain")?.text)
            #expect(text.contains("contract.pdf") && text.contains("terms.doc"))
            #expect(text.components(separatedBy: "Alice Documents").count >= 3, "\(text)")
            #expect(text.contains("not signed"), "\(text)")
            let files = try await MailParts.files(of: result.message)
            #expect(files.contains { $0.octets == twice })
        }

        @Test("one changed file among sound ones decides for the mail")
        func worst() async throws {
            let signed = try await Documents.signed(PDFSamples.plain(), profile: Self.pdf)
            let changed = try MailSamples.changed(signed, "Invoice 4711", to: "Invoice 4712")
            let fixture = try await Documents.received(
                MailSamples.withFiles([.pdf(signed, name: "good.pdf"), .pdf(changed, name: "changed.pdf")]))
            let fixtureCounts = try fixture.counts()
            #expect(fixtureCounts == ["admin/new": 1, "blocked/new": 1])
            let text = try await PythonReading.of(try fixture.onlyFile(in: "admin").message).part("text/plain")?.text
            #expect(text?.contains("changed.pdf") == true && text?.contains("good.pdf") == true)
        }

        @Test("a p7s without its file, and one for two files, is not trusted")
        func orphan() async throws {
            let fixture = try await Documents.sent([.other()], profile: Self.cms)
            let files = try await MailParts.files(of: try fixture.onlyFile(in: "delivered").message)
            let signature = AttachedFile(files[1].name, files[1].type, files[1].octets)
            #expect(
                try await Documents.received(MailSamples.withFiles([signature])).counts() == [
                    "admin/new": 1, "blocked/new": 1,
                ])
        }

        @Test("a mail whose files are all unsigned reaches its recipients without a server being asked")
        func unsigned() async throws {
            var configuration = SESXML(servers: ["http://127.0.0.1:\(try DSSFixture.deadPort())"])
            configuration.incoming = SESXML.verify(operations: "VERIFY_ATTACHMENT")
            let fixture = try await SpoolFixture(configuration)
            try await fixture.drop(MailSamples.withFiles([.pdf(), .xml(), .other()]), to: .incoming)
            try await fixture.process()
            let fixtureCounts = try fixture.counts()
            #expect(fixtureCounts == ["delivered/new": 1])
        }
    }
}
