import InternetMessage
import Octets
import Testing

@Suite("Transfer encodings (RFC 2045 §6)")
struct TransferEncodingTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let encoded: String
        let decoded: String

        init(_ encoded: String, _ decoded: String) {
            self.encoded = encoded
            self.decoded = decoded
        }

        var testDescription: String { encoded.debugDescription }
    }

    static let quotedPrintable = [
        Case("", ""),
        Case("Now's the time =\r\nfor all folk=\r\n to come", "Now's the time for all folk to come"),
        Case("a=3D=3d=20", "a== "),
        Case("line \t\r\nnext \n", "line\r\nnext\n"),
        Case("a = \r\nb", "a b"),
        Case("a=\nb=\r\n", "ab"),
        Case("a=", "a"),
        Case("100=%, =ZZ, =4", "100=%, =ZZ, =4"),
        Case("a=\rb", "a=\rb"),
        Case("a\r\rb\r\n\r", "a\r\rb\r\n\r"),
        Case("==41=", "=A"),
        Case("a  b\tc", "a  b\tc"),
        Case("end  ", "end"),
        Case("=0D=0A", "\r\n"),
    ]

    @Test("quoted-printable is decoded, however the octets are cut", arguments: quotedPrintable)
    func decode(_ given: Case) {
        let source = DecodedBody(OctetString(given.encoded), encoding: .quotedPrintable)
        #expect(source.collected().array == Array(given.decoded.utf8))
        #expect(source.count == given.decoded.utf8.count)
        var pieces: [UInt8] = []
        source.forEachChunk(size: 1) { pieces.append(contentsOf: $0) }
        #expect(pieces == Array(given.decoded.utf8))
        // Long enough that the encoded text itself is cut in the middle.
        for length in 65_530...65_537 {
            let padding = String(repeating: "x", count: length)
            let long = DecodedBody(OctetString(padding + given.encoded), encoding: .quotedPrintable).collected()
            #expect(long.slice(min(length, long.count)..<long.count).array == Array(given.decoded.utf8))
        }
    }

    static let texts = [
        "", "plain", "a = b", "trailing blank \r\nand tab\t\r\n", "ends with blank ", "Größe\r\n",
        "From me\r\nFrom you\r\nFromage",
        ".\r\n..\r\n.hidden", "bare \r and \n stay", "\r\n\r\n", String(repeating: "x", count: 76) + "\r\n",
        String(repeating: "x", count: 77), String(repeating: "=", count: 200), String(repeating: "word ", count: 400),
        String(repeating: "x", count: 75) + ".", String(repeating: "ü", count: 20_000), "\u{0}\u{1}\u{7F}",
        String(repeating: "x", count: 16_383) + "\r\n" + String(repeating: "y", count: 16_384) + " \r\n",
    ]

    @Test("text passes quoted-printable unchanged, in lines that transport does not change", arguments: texts)
    func encode(_ text: String) {
        let encoded = QuotedPrintableEncoded(OctetString(text))
        let octets = encoded.collected()
        #expect(DecodedBody(octets, encoding: .quotedPrintable).collected() == OctetString(text))
        var small: [UInt8] = []
        encoded.forEachChunk(size: 7) { small.append(contentsOf: $0) }
        #expect(OctetString(small) == octets)
        #expect(LineEnding.of(octets) == .crlf)
        for line in octets.text.components(separatedBy: "\r\n") {
            #expect(line.utf8.count <= 76)
            #expect(line.utf8.allSatisfy { ($0 >= 0x20 && $0 < 0x7F) || $0 == 0x09 })
            #expect(!line.hasSuffix(" ") && !line.hasSuffix("\t") && !line.hasPrefix("From ") && !line.hasPrefix("."))
        }
    }

    @Test(
        "a body is decoded by its transfer encoding",
        arguments: [
            ("base64", "Zm9v\r\nYmFy\r\n", "foobar"), ("base64", "junk:Zm9v", "\u{8E}\u{E9}\u{E4}foo"),
            ("quoted-printable", "a=3Db\r\n", "a=b\r\n"), ("8bit", "a=3D", "a=3D"), ("x-uuencode", "begin", "begin"),
        ])
    func body(_ encoding: String, _ body: String, _ expected: String) throws {
        let text = "Content-Transfer-Encoding: \(encoding)\r\n\r\n\(body)"
        let entity = try Message(reading: OctetString(text)).root
        let decoded = String(String.UnicodeScalarView(entity.decodedBody.map { Unicode.Scalar($0) }))
        #expect(decoded == expected)
        #expect(entity.decodedSource.collected() == entity.decodedBody)
        #expect(entity.decodedPrefix(2) == entity.decodedBody.slice(0..<2))
        #expect(entity.decodedPrefix(1_000_000) == entity.decodedBody)
        #expect(entity.decodedPrefix(0).isEmpty && entity.decodedPrefix(-1).isEmpty)
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [String] {
        var rest = Substring(self)
        var found: [String] = []
        while let range = rest.firstRange(of: separator) {
            found.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        return found + [String(rest)]
    }
}

@Suite("Line endings")
struct LineEndingTests {
    @Test(
        "are recognised by every CR and LF",
        arguments: [
            ("", LineEnding.crlf), ("a", .crlf), ("a\r\nb\r\n", .crlf), ("a\nb\n", .lf), ("a\r\nb\n", .mixed),
            ("a\nb\r\n", .mixed),
            ("a\rb", .mixed), ("a\r\r\n", .mixed), ("a\n\r", .mixed), ("a\r\n\r", .mixed), ("\n", .lf), ("\r", .mixed),
        ])
    func convention(_ text: String, _ expected: LineEnding) {
        #expect(LineEnding.of(OctetString(text)) == expected)
    }

    @Test(
        "every LF without CR becomes CRLF and nothing else is repaired",
        arguments: [
            ("a\nb\n", "a\r\nb\r\n"), ("\n", "\r\n"), ("\n\n", "\r\n\r\n"), ("a\r\nb\n", "a\r\nb\r\n"),
            ("a\rb\r", "a\rb\r"), ("", ""),
        ])
    func withCRLF(_ text: String, _ expected: String) {
        #expect(OctetString(text).withCRLFLineEnds() == OctetString(expected))
    }
}
