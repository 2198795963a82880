import InternetMessage
import LookAlikes
import Octets

/// Looks for the words of our result's title in a text, as a person would see them.
///
/// Markup, blanks, capitals or invisible characters between the letters make no difference, nor do letters of other
/// scripts that look like them, nor the direction in which they are drawn.
enum LookAlikeResult {
    private static let title = "signaturecheck"

    /// - Parameter charset: As the text's Content-Type names it.
    static func isFound(in octets: [UInt8], charset: String?, using charsets: some CharsetDecoding) -> Bool {
        var texts = [String(decoding: octets, as: UTF8.self)]
        if let charset, let text = charsets.decode(octets, charset: charset), text != texts[0] { texts.append(text) }
        // A page may name UTF-7 within, or leave it to the browser to guess. Its letters stand between a plus and a
        // hyphen.
        if octets.contains(UInt8(ascii: "+")), let text = charsets.decode(octets, charset: "utf-7"), text != texts[0] {
            texts.append(text)
        }
        return texts.contains { text in
            if holdsTitle(text) { return true }
            guard text.utf8.contains(UInt8(ascii: "<")) || text.utf8.contains(UInt8(ascii: "&")) else { return false }
            return [MarkupRemoval.naive, .likeBrowsers].contains {
                holdsTitle(String(decoding: $0.text(of: Array(text.utf8)), as: UTF8.self))
            }
        }
    }

    private static func holdsTitle(_ text: String) -> Bool {
        let marks = [Array(title.utf8), Array(title.utf8.reversed())]
        func holds(_ letters: [UInt8]) -> Bool { marks.contains { letters.firstOffset(of: $0) != nil } }
        if holds(letters(of: text)) { return true }
        // A one, a capital I and a bar look like an l, which stands for i and l alike from here on.
        let skeleton = text.utf8.allSatisfy { $0 < 0x80 } ? text : LookAlikes.skeleton(LookAlikes.folded(text))
        let loose = looseLetters(of: skeleton)
        return marks.contains { loose.firstOffset(of: looseLetters(of: String(decoding: $0, as: UTF8.self))) != nil }
    }

    private static func letters(of text: String) -> [UInt8] {
        text.utf8.compactMap { octet in
            let lower = octet.asciiLowercased
            return (0x61...0x7A).contains(lower) ? lower : nil
        }
    }

    private static func looseLetters(of text: String) -> [UInt8] {
        text.utf8.compactMap { octet in
            switch octet {
            case UInt8(ascii: "1"), UInt8(ascii: "|"), UInt8(ascii: "!"), UInt8(ascii: "i"), UInt8(ascii: "I"):
                UInt8(ascii: "l")
            case UInt8(ascii: "3"): UInt8(ascii: "e")
            case UInt8(ascii: "4"): UInt8(ascii: "a")
            default:
                (0x61...0x7A).contains(octet.asciiLowercased) ? octet.asciiLowercased : nil
            }
        }
    }
}

/// Takes tags out of HTML and resolves character references, for the eye of a search and no other purpose.
struct MarkupRemoval {
    /// True if comments, quoted attribute values and the contents of `style` and `script` are distinguished from tags.
    let knowsComments: Bool

    /// A tag ends at the first `>`.
    static let naive = MarkupRemoval(knowsComments: false)
    static let likeBrowsers = MarkupRemoval(knowsComments: true)

    func text(of octets: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(octets.count)
        var index = 0
        // If no further one follows, none is looked for.
        let lastClose = octets.lastIndex(of: UInt8(ascii: ">")) ?? -1
        while index < octets.count {
            switch octets[index] {
            case UInt8(ascii: "<") where index < lastClose: index = end(ofTagAt: index, in: octets)
            case UInt8(ascii: "&"):
                let rest = octets[(index + 1)...].prefix(10)
                guard let end = rest.firstIndex(of: UInt8(ascii: ";")) else {
                    index += 1
                    continue
                }
                text += Self.reference(rest[..<end])
                index = end + 1
            default:
                text.append(octets[index])
                index += 1
            }
        }
        return text
    }

    /// Behind the tag, comment or element whose `<` stands at `start`.
    private func end(ofTagAt start: Int, in octets: [UInt8]) -> Int {
        func closing(from index: Int) -> Int {
            octets[index...].firstIndex(of: UInt8(ascii: ">")).map { $0 + 1 } ?? octets.count
        }
        guard knowsComments else { return closing(from: start) }
        if octets[start...].starts(with: "<!--".utf8) {
            // HTML §13.2.5.44: an empty comment may be closed at once.
            var index = start + 2
            while index + 2 < octets.count {
                if octets[index] == 0x2D, octets[index + 1] == 0x2D {
                    if octets[index + 2] == UInt8(ascii: ">") { return index + 3 }
                    if index > start + 3, octets[index...].starts(with: "--!>".utf8) { return index + 4 }
                }
                index += 1
            }
            return octets.count
        }
        var quote: UInt8?
        var index = start + 1
        while index < octets.count {
            let octet = octets[index]
            index += 1
            if let open = quote {
                if octet == open { quote = nil }
            } else if octet == 0x22 || octet == 0x27 {
                quote = octet
            } else if octet == UInt8(ascii: ">") {
                break
            }
        }
        // A quote that is never closed does not count.
        return quote == nil ? index : closing(from: start)
    }

    /// The character that `#83` or `#x53` stands for, in UTF-8; none for a name.
    private static func reference(_ name: ArraySlice<UInt8>) -> [UInt8] {
        guard name.first == UInt8(ascii: "#") else { return [] }
        let digits = String(decoding: name.dropFirst(), as: UTF8.self).asciiLowercased
        let value = digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
        return value.flatMap(Unicode.Scalar.init).map { Array(String($0).utf8) } ?? []
    }
}
