import Octets
import Testing

@testable import PDFStructure

@Suite("PDF values (ISO 32000-1 §7.3)")
struct ValueTests {
    private static func value(_ text: String) throws(PDFSyntaxError) -> PDFValue {
        let source = OctetString(text)
        return try source.withUnsafeBytes { (raw) throws(PDFSyntaxError) in
            var reader = PDFValueReader(source, raw, at: 0)
            return try reader.value()
        }
    }

    @Test(
        "one number is the same however it is written",
        arguments: [
            ("612", "612.0"), ("612", "+612."), ("0.5", ".50"), ("0", "-0.0"), ("-3", "-003.000"), ("7", "0007"),
        ])
    func same(_ left: String, _ right: String) throws {
        #expect(try Self.value(left) == Self.value(right))
        #expect(try Self.value(left).hashValue == Self.value(right).hashValue)
        #expect(try Self.value("[\(left) /A]") == Self.value("[\(right) /A]"))
    }

    @Test(
        "other values are not the same",
        arguments: [
            ("612", "612.1"), ("1", "-1"), ("10", "1.0"), ("1", "true"), ("null", "0"), ("/A", "(A)"), ("[1]", "1"),
            ("0.1", "0.01"), ("1 0 R", "1 1 R"), ("<</A 1>>", "<</A 1/B 2>>"), ("(a)", "(b)"),
        ])
    func different(_ left: String, _ right: String) throws { #expect(try Self.value(left) != Self.value(right)) }

    @Test("a string is the same in digits and in letters, a name with escapes and without")
    func spelled() throws {
        #expect(try Self.value("<4142>") == Self.value("(AB)"))
        #expect(try Self.value("/A#42") == Self.value("/AB"))
    }

    @Test("a reference needs three words")
    func references() throws {
        #expect(try Self.value("12 0 R").reference == IndirectReference(number: 12, generation: 0))
        #expect(try Self.value("[1 2 3 0 R 4]").array?.count == 4)
        #expect(try Self.value("-1 0 R").integer == -1)
        #expect(try Self.value("1 0 Rx").integer == 1)
    }

    @Test("a key that stands twice is noted, null or not; a null is not an entry")
    func duplicates() throws {
        #expect(try Self.value("<</A 1/A 2>>").dictionary?.hasDuplicates == true)
        #expect(try Self.value("<</A null/A 2>>").dictionary?.hasDuplicates == true)
        #expect(try Self.value("<</A 1/A null>>").dictionary?.hasDuplicates == true)
        #expect(try Self.value("<</A 1/#41 2>>").dictionary?.hasDuplicates == true)
        let plain = try #require(try Self.value("<</A 1/B null>>").dictionary)
        #expect(!plain.hasDuplicates && plain.entries.count == 1)
    }

    @Test("depth and number of values are bounded")
    func bounds() {
        let deep = String(repeating: "[", count: 101) + String(repeating: "]", count: 101)
        #expect(throws: PDFSyntaxError.self) { try Self.value(deep) }
        let wide = "[" + String(repeating: "1 ", count: 250_001) + "]"
        let error = #expect(throws: PDFSyntaxError.self) { try Self.value(wide) }
        #expect(error?.kind == .tooComplex)
    }

    @Test("what ends too early is an error", arguments: ["[1", "<</A", "<</A 1", "<<1 2>>", "]", ">>", "", "foo"])
    func incomplete(_ text: String) {
        let error = #expect(throws: PDFSyntaxError.self) { try Self.value(text) }
        #expect(error?.kind == .damaged)
    }
}
