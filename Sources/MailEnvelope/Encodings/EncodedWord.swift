import Octets

/// Makes encoded-words (RFC 2047 §2).
public enum EncodedWord {
    /// Returns `text` for a header field: unchanged if it is plain US-ASCII, otherwise in encoded-words, folded as one
    /// line.
    ///
    /// Control characters are encoded too; a reader that decodes them gets them: strangers' text goes through
    /// ``UntrustedText`` first.
    public static func encode(_ text: some StringProtocol) -> String { words(of: text).joined(separator: " ") }

    /// The same as words, between which a field may be folded.
    package static func words(of text: some StringProtocol) -> [String] {
        plainWords(of: text) ?? encoded(String(text))
    }

    /// The words of US-ASCII that needs no encoding; nil if it does.
    private static func plainWords(of text: some StringProtocol) -> [String]? {
        let octets = [UInt8](text.utf8)
        var words: [String] = []
        var start = 0
        for index in 0...octets.count {
            guard index < octets.count, octets[index] != 0x20 else {
                if index - start > 76 { return nil }
                if index > start { words.append(String(decoding: octets[start..<index], as: UTF8.self)) }
                start = index + 1
                continue
            }
            guard octets[index] > 0x20, octets[index] < 0x7F else { return nil }
            // The beginning of an encoded-word.
            if octets[index] == 0x3F, index > 0, octets[index - 1] == 0x3D { return nil }
        }
        return words
    }

    /// Encoded-words in UTF-8, each of whole characters and at most 75 octets long (§2, §5).
    package static func encoded(_ text: String) -> [String] {
        var words: [String] = []
        var present = ""
        for scalar in text.unicodeScalars {
            let next = quoted(String(scalar).utf8)
            if present.utf8.count + next.utf8.count > maximumQuoted {
                words.append(present)
                present = ""
            }
            present += next
        }
        if !present.isEmpty || words.isEmpty { words.append(present) }
        return words.map { "=?utf-8?Q?" + $0 + "?=" }
    }

    /// Returns encoded-words for octets that already are in `charset`, a token. A character may be split if nothing is
    /// known of the charset.
    package static func encoded(_ octets: some Collection<UInt8>, charset: String) -> [String] {
        var words: [String] = []
        var present = ""
        for octet in octets {
            let next = quoted([octet])
            if present.utf8.count + next.utf8.count > maximumQuoted {
                words.append(present)
                present = ""
            }
            present += next
        }
        if !present.isEmpty || words.isEmpty { words.append(present) }
        return words.map { "=?" + charset + "?Q?" + $0 + "?=" }
    }

    /// 75 less the frame of the longest charset name used here.
    private static let maximumQuoted = 75 - "=?windows-1252?Q??=".utf8.count

    /// Returns the Q encoding in its strictest form, which is allowed in a phrase too (§5 (3)).
    private static func quoted(_ octets: some Sequence<UInt8>) -> String {
        var text = ""
        for octet in octets {
            switch octet {
            case 0x20: text += "_"
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x21, 0x2A, 0x2B, 0x2D, 0x2F:
                text.unicodeScalars.append(Unicode.Scalar(octet))
            default: text += "=" + [octet].hexadecimal.uppercased()
            }
        }
        return text
    }
}
