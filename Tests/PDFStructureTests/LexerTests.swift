import Octets
import Testing

@testable import PDFStructure

@Suite("PDF tokens (ISO 32000-1 §7.2, §7.3)")
struct LexerTests {
    /// The tokens in words: what kind each is, and its octets.
    private static func tokens(_ text: String) throws -> [String] {
        let octets = Array(text.unicodeScalars.map { UInt8($0.value) })
        return try octets.withUnsafeBytes { raw in
            var lexer = PDFLexer(raw)
            var words: [String] = []
            func part(_ range: Range<Int>) -> String { String(decoding: raw[range], as: UTF8.self) }
            while true {
                switch try lexer.next() {
                case .integer(let value): words.append("int \(value)")
                case .real(let range): words.append("real " + part(range))
                case .name(let range): words.append("name " + lexer.name(range))
                case .literalString(let range): words.append("string " + part(range))
                case .hexadecimalString(let range): words.append("hex " + part(range))
                case .arrayOpen: words.append("[")
                case .arrayClose: words.append("]")
                case .dictionaryOpen: words.append("<<")
                case .dictionaryClose: words.append(">>")
                case .keyword(let range): words.append("word " + part(range))
                case .end: return words
                }
            }
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let text: String
        let tokens: [String]
        var testDescription: String { text }
    }

    static let cases = [
        Case(text: "1 -2 +3 0004", tokens: ["int 1", "int -2", "int 3", "int 4"]),
        Case(text: "1. .5 -0.25 +7.", tokens: ["real 1.", "real .5", "real -0.25", "real +7."]),
        Case(text: "9223372036854775807", tokens: ["int 9223372036854775807"]),
        // Too large to count with: a number all the same.
        Case(text: "9223372036854775808", tokens: ["real 9223372036854775808"]),
        Case(
            text: "1.2.3 - + . 1e5 --1", tokens: ["word 1.2.3", "word -", "word +", "word .", "word 1e5", "word --1"]),
        Case(text: "/A /A#42 /#2F / /a#zz", tokens: ["name A", "name AB", "name /", "name ", "name a#zz"]),
        Case(
            text: "/A/B[/C]<</D(e)>>",
            tokens: ["name A", "name B", "[", "name C", "]", "<<", "name D", "string (e)", ">>"]),
        Case(text: "(a(b)c) (\\)) (\\\\)", tokens: ["string (a(b)c)", "string (\\))", "string (\\\\)"]),
        Case(text: "<48 65> <>", tokens: ["hex <48 65>", "hex <>"]),
        Case(text: "1%comment 2\n3%\r4", tokens: ["int 1", "int 3", "int 4"]),
        Case(text: "obj endobj true nullx", tokens: ["word obj", "word endobj", "word true", "word nullx"]),
        Case(text: "\u{0}\u{9}\u{A}\u{C}\u{D} 5\u{0}6", tokens: ["int 5", "int 6"]),
        Case(text: "", tokens: []),
        Case(text: "%", tokens: []),
    ]

    @Test("are distinguished", arguments: cases)
    func tokens(_ given: Case) throws { #expect(try Self.tokens(given.text) == given.tokens) }

    @Test(
        "a text that readers take in more than one way is an error",
        arguments: ["(a", "(a(b)", "(\\)", "<41", ">", "{", "}", ")", "1 > 2"])
    func broken(_ text: String) {
        let error = #expect(throws: PDFSyntaxError.self) { try Self.tokens(text) }
        #expect(error?.kind == .damaged)
    }

    @Test("a string's octets are those of its escapes")
    func strings() throws {
        func octets(_ token: String) -> [UInt8] {
            let token = OctetString(token)
            return PDFString(token: token, range: 0..<token.count).octets
        }
        #expect(octets("(\\n\\r\\t\\b\\f\\(\\)\\\\)") == [10, 13, 9, 8, 12, 40, 41, 92])
        #expect(octets("(\\101\\12\\0533\\777)") == [65, 10, 43, 51, 255])
        #expect(octets("(a\\\nb\\\r\nc)") == Array("abc".utf8))
        #expect(octets("(a\r\nb\rc)") == Array("a\nb\nc".utf8))
        #expect(octets("(\\q)") == Array("q".utf8))
        #expect(octets("<48 656 C>") == [0x48, 0x65, 0x6C])
        #expect(octets("<4>") == [0x40])
        #expect(octets("()").isEmpty && octets("<>").isEmpty)
    }
}
