import Octets
import Testing

@testable import PDFStructure

@Suite("Filters and content streams (ISO 32000-1 §7.4, §7.8.2)")
struct StreamFilterTests {
    private static func undone(_ filter: String, _ octets: [UInt8]) throws(PDFSyntaxError) -> [UInt8] {
        try StreamFilters.undone(filter, octets, PDFDictionary(), limit: 1_000, budget: WorkBudget())
    }

    @Test("digits of base 16 and base 85")
    func text() throws {
        #expect(try Self.undone("ASCIIHexDecode", Array("48 65\n6C6C 6F7>zz".utf8)) == Array("Hellop".utf8))
        #expect(try Self.undone("ASCII85Decode", Array("87cURD]i,\"Ebo80~>".utf8)) == Array("Hello World!".utf8))
        #expect(try Self.undone("A85", Array("z~>".utf8)) == [0, 0, 0, 0])
        #expect(try Self.undone("A85", Array("@/~>".utf8)) == Array("a".utf8))
    }

    @Test("runs, and the example of the standard for LZW")
    func packed() throws {
        #expect(try Self.undone("RunLengthDecode", [2, 65, 66, 67, 254, 90, 128, 1]) == Array("ABCZZZ".utf8))
        // §7.4.4.2, example 2.
        let codes: [UInt8] = [0x80, 0x0B, 0x60, 0x50, 0x22, 0x0C, 0x0C, 0x85, 0x01]
        #expect(try Self.undone("LZWDecode", codes) == [45, 45, 45, 45, 45, 65, 45, 45, 45, 66])
    }

    @Test(
        "damaged, too long and picture data are refused",
        arguments: [
            ("ASCIIHexDecode", [0x7A]), ("A85", [0x7E + 1]), ("A85", Array("s8W-\"~>".utf8)),
            ("A85", Array("a~>".utf8)),
            ("RunLengthDecode", [5, 1]), ("RunLengthDecode", [200]), ("LZWDecode", [0xFF, 0x00]), ("DCTDecode", [1]),
            ("RunLengthDecode", [UInt8](repeating: 129, count: 40)),
        ] as [(String, [UInt8])])
    func refused(_ filter: String, _ octets: [UInt8]) {
        #expect(throws: PDFSyntaxError.self) { try Self.undone(filter, octets) }
    }

    /// Operators with the number of their operands.
    private static func operations(_ text: String) throws(PDFSyntaxError) -> [String] {
        var stream = ContentStream(OctetString(text))
        var found: [String] = []
        while let item = try stream.next() {
            switch item {
            case .operation(let name, let operands): found.append("\(name) \(operands.count)")
            case .inlineImage(let entries): found.append("BI \(entries.entries.count)")
            }
        }
        return found
    }

    @Test("operators come with their operands")
    func operators() throws {
        #expect(
            try Self.operations("q 1 0 0 1 5 5 cm BT /F1 12 Tf [(a) -20 (b)] TJ T* (c) ' ET Q % end")
                == ["q 0", "cm 6", "BT 0", "Tf 2", "TJ 1", "T* 0", "' 1", "ET 0", "Q 0"])
        #expect(try Self.operations("/P <</MCID 0>> BDC true false null x EMC") == ["BDC 2", "x 3", "EMC 0"])
        #expect(try Self.operations("").isEmpty)
    }

    @Test("the data of an inline image are skipped")
    func inlineImage() throws {
        #expect(try Self.operations("BI /W 1 /H 1 ID (EI)<>EI[ EI Q") == ["BI 2", "Q 0"])
        #expect(throws: PDFSyntaxError.self) { try Self.operations("BI /W 1 ID abc") }
    }

    @Test(
        "content that readers take in more than one way is an error",
        arguments: ["(a Tj", "[1 2 TJ", "<</A 1 BDC", "1 ) Tj"])
    func broken(_ text: String) { #expect(throws: PDFSyntaxError.self) { try Self.operations(text) } }
}
