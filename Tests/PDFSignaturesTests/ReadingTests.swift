import Octets
import TestSupport
import Testing

@testable import PDFSignatures

@Suite("Reading a PDF's objects")
struct ReadingTests {
    /// A PDF of one page with whatever else, with right offsets.
    static let small = GivenPDF.onePage(catalog: "/Lang (en\\056x) /A#20b [1 -2.5 true null /N#e9 (a\\000b) <4142>]")

    @Test("gives every kind of object")
    func kinds() throws {
        let document = try PDFDocument(Self.small, .strict)
        let root = document.root
        #expect(root.kind == .dictionary)
        #expect(root["Type"].name == "Catalog")
        #expect(root["Lang"].string == OctetString("en.x"))
        let array = root["A b"]
        #expect(array.items.map(\.kind) == [.integer, .real, .boolean, .null, .name, .string, .string])
        #expect(array[0].integer == 1)
        #expect(array[1].number == -2.5)
        #expect(array[1].integer == nil)
        #expect(array[2].boolean == true)
        #expect(array[4].name == "N\u{E9}")
        #expect(array[5].string?.array == [0x61, 0, 0x62])
        #expect(array[6].string == OctetString("AB"))
        #expect(array[7].isNull)
        #expect(root.keys.sorted() == ["A b", "Lang", "Pages", "Type"])
        #expect(root["N\u{E9}"]["deeper"][3].isNull)
        #expect(root["Pages"].reference == PDFReference(number: 2, generation: 0))
        #expect(root.unparsedResolved.text.contains("/Pages 2 0 R"))
        #expect(root["Pages"]["Kids"].unparsed.text == "[ 3 0 R ]")
        #expect(document.object(PDFReference(number: 3, generation: 0))["Type"].name == "Page")
        #expect(document.object(PDFReference(number: 9_999, generation: 0)).isNull)
        let stream = document.object(PDFReference(number: 4, generation: 0))
        #expect(stream.isStream && stream["Length"].integer == 8)
        #expect(try stream.streamOctets(upTo: 8).text == "0 0 m S\n")
        #expect(throws: PDFError.self) { try stream.streamOctets(upTo: 7) }
        #expect(document.headerVersion == "1.7" && document.objectCount == 5 && !document.isEncrypted)
        #expect(document.warnings.isEmpty)
        try document.throwFault()
    }

    @Test("ends when all looks are used up, and says so")
    func bounded() throws {
        let document = try PDFDocument(Self.small, .strict, looks: 10)
        for _ in 0..<10 { #expect(document.root.isDictionary) }
        #expect(document.root.isNull)
        #expect { try document.throwFault() } throws: { ($0 as? PDFError)?.kind == .tooComplex }
    }

    @Test("refuses what is no PDF, and what would have to be guessed")
    func refusals() throws {
        #expect(Self.kind(of: OctetString("hello")) == .notPDF)
        #expect(Self.kind(of: OctetString()) == .notPDF)
        #expect(Self.kind(of: OctetString("%PDF-1.7\nnothing")) == .damaged)
        let cut = Self.small.slice(0..<Self.small.count - 16)
        #expect(Self.kind(of: cut) == .damaged)
        #expect(try PDFDocument(cut, .recovering).root.isDictionary)
    }

    @Test("keeps a warning about what it read over")
    func warnings() throws {
        let broken = GivenPDF.onePage(catalog: "/X 3 0 R /Y << /Z ")
        #expect(Self.kind(of: broken) == .damaged)
    }

    static func kind(of octets: OctetString) -> PDFError.Kind? {
        do throws(PDFError) {
            let document = try PDFDocument(octets, .strict)
            guard document.root.isDictionary else { return .damaged }
            try document.throwFault()
            return document.warnings.isEmpty ? nil : .damaged
        } catch { return error.kind }
    }
}
