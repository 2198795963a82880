import Octets

/// Encoded-words in header text (RFC 2047; with a language, RFC 2231 §5).
public enum EncodedWords {
    /// The text of `octets` with its encoded-words decoded, line ends of folding removed.
    ///
    /// Blanks between two encoded-words are not text (§6.2). The octets of neighbours in one charset are joined before
    /// they are decoded, because mailers split a character between words although §5 forbids it. Words beside other
    /// text without a blank, within quotes, longer than 75 characters, or with blanks in the Q encoding are decoded
    /// too. A word whose charset is not known stays unchanged. Control characters that were hidden in words appear in
    /// the result; code that writes the text must encode it for its place.
    public static func decode(_ octets: some Collection<UInt8>, using charsets: some CharsetDecoding) -> String {
        let octets = OctetString(octets).unfolded
        return FieldCursor.reading(octets.array) { cursor in
            var output = Output(charsets: charsets)
            output.read(&cursor)
            return output.text
        }
    }

    /// The same over text, whose UTF-8 is taken.
    public static func decode(_ text: some StringProtocol, using charsets: some CharsetDecoding) -> String {
        text.utf8.contains(0x3D) ? decode(Array(text.utf8), using: charsets) : String(text)
    }

    /// Returns true if `octets` are one encoded-word and nothing else.
    package static func isWord(_ octets: [UInt8]) -> Bool {
        guard octets.starts(with: "=?".utf8) else { return false }
        return FieldCursor.reading(octets) { parseWord(&$0) != nil && $0.isAtEnd }
    }

    private struct Word {
        let charset: String
        let octets: [UInt8]
        /// The range as written.
        let raw: Range<Int>
    }

    private struct Output<Charsets: CharsetDecoding> {
        let charsets: Charsets
        var text = ""
        /// Words of one charset that wait for their neighbours, and where they stood.
        private var run: (charset: String, octets: [UInt8], raw: [UInt8])?

        init(charsets: Charsets) { self.charsets = charsets }

        mutating func read(_ cursor: inout FieldCursor) {
            var plainStart = 0
            while !cursor.isAtEnd {
                _ = cursor.consume { $0 == 0x3D }
                let start = cursor.index
                guard let word = EncodedWords.parseWord(&cursor) else {
                    if cursor.index == start { cursor.advance() }
                    continue
                }
                let between = cursor.slice(plainStart..<start)
                if run == nil || !between.allSatisfy(\.isBlankOrCR) {
                    flush()
                    text += charsets.decodeUnlabelled([UInt8](between))
                    add(word, raw: cursor.slice(word.raw))
                } else {
                    // Kept for the case that the charset turns out not to be known.
                    run?.raw.append(contentsOf: between)
                    add(word, raw: cursor.slice(word.raw))
                }
                plainStart = cursor.index
            }
            flush()
            text += charsets.decodeUnlabelled([UInt8](cursor.slice(plainStart..<cursor.end)))
        }

        private mutating func add(_ word: Word, raw: UnsafeBufferPointer<UInt8>) {
            if run?.charset == word.charset {
                run?.octets.append(contentsOf: word.octets)
                run?.raw.append(contentsOf: raw)
            } else {
                flush()
                run = (word.charset, word.octets, [UInt8](raw))
            }
        }

        private mutating func flush() {
            guard let ended = run else { return }
            run = nil
            text +=
                charsets.decode(ended.octets, charset: ended.charset) ?? String(decoding: ended.raw, as: UTF8.self)
        }
    }

    /// `=?charset?encoding?text?=` at the cursor.
    /// - Returns: nil when there is none; the cursor then stands where the search may go on.
    private static func parseWord(_ cursor: inout FieldCursor) -> Word? {
        let start = cursor.index
        guard cursor.octet(at: start + 1) == 0x3F else { return nil }
        cursor.go(to: start + 2)
        let charset = cursor.consume { $0 == 0x3F || $0 == 0x3D || $0 <= 0x20 || $0 >= 0x7F }
        guard !charset.isEmpty, charset.count <= 60, cursor.current == 0x3F else { return nil }
        let encoding = cursor.octet(at: cursor.index + 1).asciiLowercased
        guard encoding == 0x62 || encoding == 0x71, cursor.octet(at: cursor.index + 2) == 0x3F else { return nil }
        cursor.go(to: cursor.index + 3)
        let encoded = cursor.consume { $0 == 0x3F }
        guard cursor.octet(at: cursor.index + 1) == 0x3D else { return nil }
        cursor.go(to: cursor.index + 2)
        let name = cursor.slice(charset).prefix { $0 != 0x2A }
        let text = UnsafeRawBufferPointer(cursor.slice(encoded))
        return Word(
            charset: String(decoding: name, as: UTF8.self).asciiLowercased,
            octets: encoding == 0x62 ? base64(text) : quoted(text), raw: start..<cursor.index)
    }

    private static func base64(_ text: UnsafeRawBufferPointer) -> [UInt8] {
        var decoder = Base64Decoder()
        var octets: [UInt8] = []
        decoder.decode(text, into: &octets)
        decoder.finish(into: &octets)
        return octets
    }

    /// The Q encoding (§4.2).
    private static func quoted(_ text: UnsafeRawBufferPointer) -> [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            let octet = text[index]
            if octet == 0x3D, index + 2 < text.count, let high = text[index + 1].hexadecimalValue,
                let low = text[index + 2].hexadecimalValue
            {
                octets.append(high << 4 | low)
                index += 3
            } else {
                octets.append(octet == 0x5F ? 0x20 : octet)
                index += 1
            }
        }
        return octets
    }
}
