import Octets
import Testing

@Suite("Base64 (RFC 4648 §4, RFC 2045 §6.8)")
struct Base64Tests {
    struct Pair: Sendable {
        let plain: String
        let encoded: String
    }

    static let examples: [Pair] = [
        Pair(plain: "", encoded: ""), Pair(plain: "f", encoded: "Zg=="), Pair(plain: "fo", encoded: "Zm8="),
        Pair(plain: "foo", encoded: "Zm9v"), Pair(plain: "foob", encoded: "Zm9vYg=="),
        Pair(plain: "fooba", encoded: "Zm9vYmE="), Pair(plain: "foobar", encoded: "Zm9vYmFy"),
    ]

    @Test("encodes and decodes the standard's examples", arguments: examples)
    func standardExamples(_ given: Pair) throws {
        #expect(Base64.encode(given.plain.utf8) == given.encoded)
        #expect(try Base64.decode(given.encoded) == Array(given.plain.utf8))
    }

    @Test("white space is not a fault")
    func whiteSpace() throws {
        #expect(try Base64.decode(" Zm9v\r\n\tYg =\n= ") == Array("foob".utf8))
    }

    struct Faulty: Sendable {
        let text: String
        let kind: Base64Error.Kind
        let offset: Int
        /// The octets that a tolerant reader gets.
        let octets: String
    }

    static let faulty: [Faulty] = [
        Faulty(text: "Zm9vYg=", kind: .truncated, offset: 7, octets: "foob"),
        Faulty(text: "Zm9vYg", kind: .truncated, offset: 6, octets: "foob"),
        Faulty(text: "Zm9vY", kind: .truncated, offset: 5, octets: "foo"),
        Faulty(text: "Zm*9v", kind: .foreignOctet(UInt8(ascii: "*")), offset: 2, octets: "foo"),
        Faulty(text: "Zg==Zm9v", kind: .misplacedPadding, offset: 4, octets: "ffoo"),
        Faulty(text: "Zg=Zm9v", kind: .truncated, offset: 3, octets: "ffoo"),
        Faulty(text: "Zg===", kind: .misplacedPadding, offset: 4, octets: "f"),
        Faulty(text: "=Zm9v", kind: .misplacedPadding, offset: 0, octets: "foo"),
        Faulty(text: "Z===", kind: .misplacedPadding, offset: 1, octets: ""),
        Faulty(text: "Zm9v====", kind: .misplacedPadding, offset: 4, octets: "foo"),
    ]

    @Test(
        "unclean text is a fault for the strict reader, and tolerated by the other, however it is cut",
        arguments: faulty)
    func faults(_ given: Faulty) {
        #expect(throws: Base64Error(kind: given.kind, offset: given.offset)) { try Base64.decode(given.text) }
        for size in 1...given.text.utf8.count {
            var decoder = Base64Decoder()
            var octets: [UInt8] = []
            let text = Array(given.text.utf8)
            for start in stride(from: 0, to: text.count, by: size) {
                Array(text[start..<min(start + size, text.count)]).withUnsafeBytes { decoder.decode($0, into: &octets) }
            }
            decoder.finish(into: &octets)
            #expect(String(decoding: octets, as: UTF8.self) == given.octets)
            #expect(decoder.fault == Base64Error(kind: given.kind, offset: given.offset))
        }
    }

    @Test(
        "a streamed source gives the same digits, in lines or in one",
        arguments: [0, 1, 2, 3, 56, 57, 58, 113, 114, 115, 49_149, 49_150, 150_000])
    func streamed(_ count: Int) throws {
        let octets = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
        let plain = Base64.encode(octets)
        let oneLine = Base64Encoded(OctetString(octets), lineLength: nil).collected()
        #expect(oneLine.text == plain)
        for (lineEnd, mark) in [(Base64Encoded.LineEnd.crlf, "\r\n"), (.lf, "\n")] {
            let lines = Base64Encoded(OctetString(octets), lineEnd: lineEnd).collected()
            let digits = Array(plain.utf8)
            let expected = stride(from: 0, to: digits.count, by: 76).map {
                String(decoding: digits[$0..<min($0 + 76, digits.count)], as: UTF8.self)
            }.joined(separator: mark)
            #expect(lines == OctetString(expected))
        }
    }

    @Test("a reader that asks for few octets at a time gets the same")
    func smallReads() {
        let source = Base64Encoded(OctetString(Array(0...255)))
        var chunks: [UInt8] = []
        source.forEachChunk(size: 5) { chunks.append(contentsOf: $0) }
        #expect(OctetString(chunks) == source.collected())
    }

    @Test("an unreasonable line length still makes whole groups")
    func lineLengths() {
        #expect(Base64Encoded(OctetString("foobar"), lineLength: 0, lineEnd: .lf).collected().text == "Zm9v\nYmFy")
        #expect(Base64Encoded(OctetString("foobar"), lineLength: 7, lineEnd: .lf).collected().text == "Zm9v\nYmFy")
    }
}
