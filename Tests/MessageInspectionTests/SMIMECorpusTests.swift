import DocumentKinds
import InternetMessage
import Octets
import TestSupport
import Testing
import Workflows

@testable import MessageInspection

@Suite("S/MIME forms of the shared corpora", .enabled(if: TestMaterial.shared != nil, "needs ../shared"))
struct SMIMECorpusTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let path: String
        let expected: String
        let expectedWhenWeakIsAllowed: String
        var testDescription: String { path }

        func message() throws -> Message { try Message(reading: OctetString(try TestMaterial.octets(path))) }
    }

    static func rows(_ corpus: String) throws -> [Row] {
        guard let shared = TestMaterial.shared else { return [] }
        let folder = "\(shared)/corpora/\(corpus)"
        return try TestMaterial.table(folder + "/expected.tsv").compactMap { row in
            guard let file = row["file"], let expected = row["expected"] else { return nil }
            return Row(
                path: folder + "/" + file, expected: expected,
                expectedWhenWeakIsAllowed: row["expected_weak_ok"] ?? expected)
        }
    }

    static let mails: [Row] = {
        let found = try? ["smime-good", "smime-identity", "smime-rfc4134"].flatMap { try rows($0) }
        return (found ?? []).filter { $0.path.hasSuffix(".eml") }
    }()

    @Test("there are mails to classify")
    func present() { #expect(Self.mails.count >= 60) }

    @Test("signed mails are signed, others are not, and no sound one is ambiguous", arguments: mails)
    func classification(_ row: Row) throws {
        let message = try row.message()
        let reading = SMIMEReading(message.root)
        let below = SMIMEForm.signedPartsBelow(message.root)
        if row.expected == "not signed" {
            #expect(!reading.form.isSigned)
            #expect(below.isEmpty)
        } else if row.path.hasSuffix("signed-part-after-unsigned-text.eml") {
            #expect(!reading.form.isSigned)
            #expect(below == [[1]])
        } else {
            #expect(reading.form.isSigned)
            #expect(reading.ambiguities == [])
            #expect(reading.remarks == [])
        }
    }

    @Test("a signed mail shows neither its signature nor an inner layer of S/MIME as an attachment", arguments: mails)
    func attachments(_ row: Row) throws {
        let facts = InspectedMessage(try row.message(), recipients: [], sender: nil)
        guard facts.isSigned || facts.isEncrypted else { return }
        #expect(!facts.attachments.contains { $0.fileName?.hasPrefix("smime.p7") == true })
    }

    @Test("the text of a clear signed mail is read")
    func text() throws {
        let mails = Self.mails.filter { $0.path.contains("mozilla/alice.dsig") || $0.path.contains("identity") }
        #expect(mails.count >= 12)
        for mail in mails {
            #expect(!InspectedMessage(try mail.message(), recipients: [], sender: nil).bodyText.isEmpty, "\(mail.path)")
        }
    }

    @Test("the files of RFC 4134 are SignedData by their first octets")
    func files() throws {
        let files = try Self.rows("smime-rfc4134").filter { $0.path.hasSuffix(".p7m") }
        #expect(files.count == 7)
        for file in files {
            let content = CMSContentType(prefix: try TestMaterial.octets(file.path))
            #expect(content == .signedData(hasDigests: true), "\(file.path)")
        }
    }
}

@Suite("Facts of the shared mail corpora", .enabled(if: TestMaterial.shared != nil, "needs ../shared"))
struct MailCorpusTests {
    @Test("every mail gives its facts, and none is S/MIME")
    func mails() throws {
        let rows = try SMIMECorpusTests.rows("mime")
        #expect(rows.count >= 80)
        var attachments = 0
        for row in rows {
            let octets = OctetString(try TestMaterial.octets(row.path))
            let facts = InspectedMessage(try Message(reading: octets), recipients: [], sender: nil)
            #expect(!facts.isSigned && !facts.isEncrypted, "\(row.path)")
            _ = (facts.to, facts.cc, facts.bcc, facts.from, facts.subject, facts.bodyText)
            attachments += facts.attachments.count
        }
        #expect(attachments > 0)
    }
}

@Suite("Documents of the shared corpora as attachments", .enabled(if: TestMaterial.shared != nil, "needs ../shared"))
struct DocumentCorpusTests {
    private func facts(_ path: String) throws -> (kinds: Set<DocumentOpening.Kind>, isSigned: Bool) {
        let head =
            "Content-Type: application/octet-stream; name=\"x\"\r\nContent-Disposition: attachment\r\n"
            + "Content-Transfer-Encoding: binary\r\n\r\n"
        let octets = OctetString(Array(head.utf8) + (try TestMaterial.octets(path)))
        let facts = InspectedMessage(try Message(reading: octets), recipients: [], sender: nil).attachments
        let only = try #require(facts.first)
        return (only.contentKinds, only.isSigned)
    }

    @Test("PDFs without a filled signature field are not signed")
    func plainPDF() throws {
        let rows = try SMIMECorpusTests.rows("pdf-plain").filter { $0.path.hasSuffix(".pdf") }
        #expect(rows.count >= 15)
        for row in rows {
            let found = try facts(row.path)
            #expect(found.kinds == [.pdf], "\(row.path)")
            if row.expected == "not signed" { #expect(!found.isSigned, "\(row.path)") }
        }
    }

    @Test("PDFs with a signature, forged ones too, are signed")
    func signedPDF() throws {
        let rows = try SMIMECorpusTests.rows("pdf-signatures").filter { $0.expected == "not trusted" }
        #expect(rows.count >= 6)
        for row in rows { #expect(try facts(row.path).isSigned, "\(row.path)") }
    }

    @Test("XML documents are signed when there is a ds:Signature")
    func xml() throws {
        let plain = try SMIMECorpusTests.rows("xml-plain").filter { $0.path.hasSuffix(".xml") }
        let signed = try SMIMECorpusTests.rows("xml-signatures").filter { $0.path.hasSuffix(".xml") }
        #expect(plain.count >= 15 && signed.count >= 60)
        for row in plain {
            let found = try facts(row.path)
            #expect(found.kinds.contains(.xml) || row.path.hasSuffix("empty.xml"), "\(row.path) \(found.kinds)")
            #expect(!found.isSigned, "\(row.path)")
        }
        for row in signed {
            #expect(try facts(row.path).isSigned == (row.expected != "not signed"), "\(row.path)")
        }
    }
}
