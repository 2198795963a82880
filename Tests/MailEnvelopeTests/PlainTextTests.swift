import Testing

@testable import MailEnvelope

/// The quick ways for US-ASCII, beside the general ones that they must agree with.
@Suite("Quick ways for plain text")
struct PlainTextTests {
    private static let alphabet: [Unicode.Scalar] = [
        "a", "Z", "-", " ", " ", "=", "?", "<", "\u{7F}", "\t", "\n", "\u{E4}", "\u{301}", "\u{200B}", "\u{4E2D}",
    ]

    private static var texts: [String] {
        (0..<4_000).map { number in
            String(String.UnicodeScalarView((0..<number % 12).map { _ in alphabet.randomElement() ?? "a" }))
        }
    }

    @Test("a line is the same as after a look at each character")
    func plainTextLine() {
        for text in Self.texts {
            for limit in [3, 500] {
                #expect(
                    UntrustedText.plainTextLine(text, limit: limit) == UntrustedText.examinedLine(text, limit: limit))
            }
        }
    }

    @Test("words need encoding exactly where US-ASCII does not do")
    func words() {
        for text in Self.texts {
            let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } && !text.contains("=?")
            let words = EncodedWord.words(of: text)
            if isPlain {
                #expect(words == text.split(separator: " ").map(String.init))
            } else {
                #expect(words.allSatisfy { $0.hasPrefix("=?utf-8?Q?") })
            }
        }
        #expect(EncodedWord.words(of: String(repeating: "a", count: 76)).count == 1)
        #expect(EncodedWord.words(of: String(repeating: "a", count: 77)).first?.hasPrefix("=?") == true)
    }

    @Test("letters lose their case and nothing else")
    func caseOfLetters() {
        for text in Self.texts {
            let lowered = String(decoding: text.utf8.map(\.asciiLowercased), as: UTF8.self)
            #expect(text.asciiLowercased == lowered && text[...].asciiLowercased == lowered)
            #expect(text.equalsIgnoringASCIICase(lowered) && text[...].equalsIgnoringASCIICase(lowered))
            for other in Self.texts.prefix(20) {
                let isEqual = Array(text.utf8).map(\.asciiLowercased) == other.utf8.map(\.asciiLowercased)
                #expect(text.equalsIgnoringASCIICase(other) == isEqual)
                #expect(text[...].equalsIgnoringASCIICase(other) == isEqual)
            }
        }
    }
}
