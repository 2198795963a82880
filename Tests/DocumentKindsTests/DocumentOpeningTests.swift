import Testing

@testable import DocumentKinds

@Suite("The kind of a document by its first octets")
struct DocumentOpeningTests {
    @Test(
        "marks of formats",
        arguments: [
            ("%PDF-1.7\n", ["pdf"]), ("\u{FEFF}%PDF-2.0\n", ["pdf"]), ("junk before\n%PDF-1.4\n", ["pdf"]),
            ("see %PDF-1.4\n", []), ("%PDF-\n", []), ("%PDF-1", ["pdf"]), ("PK\u{3}\u{4}", ["zip"]),
            ("GIF89a", ["gif"]),
            ("<?xml version=\"1.0\"?><a/>", ["xml"]), ("\u{FEFF}<?xml version='1.0'?>", ["xml"]),
            ("\n  <?xml ?>", ["xml"]),
            ("<Invoice xmlns='urn:x'>", ["xml"]), ("<ns:a>", ["xml"]), ("<!-- c --><x/>", ["xml"]),
            ("<html><body>", []),
            ("<!DOCTYPE html><html>", []), ("<!DOCTYPE note SYSTEM 'x'><note/>", ["xml"]),
            ("<!DOCTYPE table [<!ENTITY a 'b'>]><table/>", ["xml"]), ("<P>text", []),
            ("<- arrow", []), ("<3", []), ("a < b", []), ("<", []),
            ("<alice@x.test> wrote", []), ("-----BEGIN PKCS7-----\nMII", ["cms"]), ("", []), ("text", []),
        ])
    func marks(_ text: String, _ kinds: [String]) {
        #expect(Set(DocumentOpening(Array(text.utf8)).kinds.map(\.rawValue)) == Set(kinds))
    }

    @Test("binary marks, and XML in UTF-16")
    func binary() {
        #expect(DocumentOpening([0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, 0]).kinds == [.ole])
        #expect(DocumentOpening([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]).kinds == [.png])
        #expect(DocumentOpening([0xFF, 0xD8, 0xFF, 0xE0]).kinds == [.jpeg])
        #expect(DocumentOpening(Self.signedDataInBER).kinds == [.cms])
        let declaration = Array("<?xml version=\"1.0\"?>".utf16)
        let big = declaration.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
        let little = declaration.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
        #expect(DocumentOpening(big).kinds == [.xml])
        #expect(DocumentOpening(little).kinds == [.xml])
        #expect(DocumentOpening([0xFE, 0xFF] + big).kinds == [.xml])
        #expect(DocumentOpening([0xFF, 0xFE] + little).kinds == [.xml])
    }

    /// ContentInfo with the identifier of SignedData, in BER.
    static let signedDataInBER: [UInt8] = [
        0x30, 0x80, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02, 0xA0, 0x80, 0x30, 0x80, 0x02,
        0x01,
        0x01, 0x31, 0x0F,
    ]

    struct Reading: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let octets: [UInt8]
        let declared: DocumentOpening.Kind?
        let reading: SignedReading?

        init(
            _ description: String, _ octets: [UInt8], _ reading: SignedReading?,
            declared: DocumentOpening.Kind? = nil
        ) {
            testDescription = description
            self.octets = octets
            self.declared = declared
            self.reading = reading
        }

        static let wide = "\u{FEFF}<?xml version='1.0' encoding='UTF-16'?><a/>".utf16.flatMap {
            [UInt8($0 & 255), UInt8($0 >> 8)]
        }
        static let all = [
            Reading("UTF-16", wide, .document(.xml)),
            Reading("a byte order mark", Array("\u{FEFF}<a/>".utf8), .document(.xml)),
            Reading("leading blanks", Array(" \n<a/>".utf8), .document(.xml)),
            Reading("HTML", Array("<p>x".utf8), .document(.xml)),
            Reading("a prefix", Array("<ds:Signature".utf8), .document(.xml)),
            Reading("a PDF", Array("%PDF-1.7".utf8), .document(.pdf)),
            Reading("a line before", Array("\n%PDF-1.7".utf8), .document(.pdf)),
            Reading("a mail that tells of PDF", Array("From: a\n\n%PDF-1.7".utf8), nil),
            Reading(
                "a field before what is called a PDF", Array("A: b\n%PDF-1.7".utf8), .document(.pdf), declared: .pdf),
            Reading("a mark within a line of a PDF", Array("x%PDF-1.7".utf8), .document(.pdf), declared: .pdf),
            Reading("a mark within a line of text", Array("x%PDF-1.7".utf8), nil),
            Reading("SignedData", DocumentOpeningTests.signedDataInBER, .cms),
            Reading("another sequence", [0x30, 0x03, 0, 0, 0], .cms),
            Reading("SignedData with a PDF", DocumentOpeningTests.signedDataInBER + Array("\n%PDF-1.7".utf8), .cms),
            Reading(
                "the same, called a PDF", DocumentOpeningTests.signedDataInBER + Array("\n%PDF-1.7".utf8),
                .ambiguous([.cms, .pdf]),
                declared: .pdf),
            Reading("XML with a PDF", Array("<x>\n%PDF-1.7".utf8), .ambiguous([.pdf, .xml])),
            Reading("a text", Array("text".utf8), nil), Reading("nothing", [], nil),
        ]
    }

    @Test("a document has one reading, whichever program asks", arguments: Reading.all)
    func reading(_ given: Reading) {
        #expect(DocumentOpening(given.octets).reading(declared: given.declared) == given.reading)
    }

    @Test("nothing is too short")
    func short() {
        for count in 0..<12 { _ = DocumentOpening([UInt8](repeating: 0x3C, count: count)) }
        for count in 0..<12 { _ = DocumentOpening([UInt8](repeating: 0xFE, count: count)) }
    }
}
