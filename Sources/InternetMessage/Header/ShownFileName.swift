import LookAlikes

/// A file name as people and mail readers take it, for every comparison of names.
///
/// Readers treat a name in different ways: they leave out a path in front (RFC 2183 §2.3) or write its separators
/// otherwise, decode or do not decode encodings of RFC 2047 and RFC 2231, drop blanks and dots at the ends, and do not
/// show invisible characters. People do not distinguish letters that look the same. Two names are taken for the same if
/// any reading of the one is a reading of the other.
public struct ShownFileName: Sendable, Hashable {
    /// The names that machines may see: each reading, without case, in NFKC.
    public let readings: Set<String>
    /// The names that people may see: the same, and the skeleton of each (UTS 39).
    private let looks: Set<String>

    private init(readings: Set<String>, looks: Set<String>) {
        self.readings = readings
        self.looks = looks
    }

    /// - Parameter name: As decoded from its parameter.
    public init(_ name: some StringProtocol) {
        var readings: Set<String> = []
        var looks: Set<String> = []
        for form in Self.forms(of: String(String.UnicodeScalarView(name.unicodeScalars.prefix(Self.maximumCharacters))))
        {
            let reading = Self.tidied(LookAlikes.folded(form))
            guard !reading.isEmpty else { continue }
            readings.insert(reading)
            looks.insert(reading)
            for skeleton in [LookAlikes.skeleton(form), LookAlikes.skeleton(reading)] {
                let look = Self.tidied(LookAlikes.folded(skeleton))
                if !look.isEmpty { looks.insert(look) }
            }
        }
        self.init(readings: readings, looks: looks)
    }

    /// Returns true if a machine or a person could take one for the other.
    public func isTaken(for other: ShownFileName) -> Bool { !looks.isDisjoint(with: other.looks) }

    /// The same for names of which each may be shown.
    public static func areTaken(_ ones: [ShownFileName], for others: [ShownFileName]) -> Bool {
        ones.contains { one in others.contains { one.isTaken(for: $0) } }
    }

    /// The part after the last dot of each reading, by which a machine chooses a program.
    public var endings: Set<String> {
        Set(readings.compactMap { name in name.lastIndex(of: ".").map { String(name[name.index(after: $0)...]) } })
    }

    /// Returns true if a machine or a person takes it for a file of that kind.
    /// - Parameter ending: Lower case, without the dot.
    public func hasEnding(_ ending: String) -> Bool { looks.contains { $0.hasSuffix("." + ending) } }

    /// The name without its last ending; nil when no reading of it has one.
    public var withoutEnding: ShownFileName? {
        func stems(_ names: Set<String>) -> Set<String> {
            Set(
                names.compactMap { name in
                    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return nil }
                    return String(name[..<dot])
                })
        }
        let stems = ShownFileName(readings: stems(readings), looks: stems(looks))
        return stems.looks.isEmpty ? nil : stems
    }

    /// Returns true if `word`, of letters alone, stands in it, whatever is between its letters.
    public func holds(letters word: String) -> Bool {
        let wanted = Self.letters(of: LookAlikes.skeleton(word))
        return looks.contains { Self.letters(of: LookAlikes.skeleton($0)).contains(wanted) }
    }

    // MARK: - Readings

    /// Only the beginning of a longer name is compared: readers show no more.
    private static let maximumCharacters = 1_024

    private static func letters(of text: String) -> String {
        String(text.lowercased().unicodeScalars.filter { $0.properties.isAlphabetic }.map(Character.init))
    }

    /// Returns the forms of `name` that readers make, before case and width are considered.
    private static func forms(of name: String) -> Set<String> {
        var decoded: Set<String> = [name]
        if name.contains("=?") { decoded.insert(EncodedWords.decode(name, using: BuiltInCharsets())) }
        if let plain = percentDecoded(name) { decoded.insert(plain) }
        var forms: Set<String> = []
        for text in decoded {
            for seen in [text, asSeen(text)] {
                forms.insert(seen)
                let pieces = seen.unicodeScalars.split(whereSeparator: isSeparator)
                for piece in [pieces.first, pieces.last] {
                    if let piece { forms.insert(String(piece)) }
                }
                let path = seen.unicodeScalars.split { isSeparator($0) && $0 != ":" && $0 != "\0" }
                if let last = path.last { forms.insert(String(last)) }
            }
        }
        return forms
    }

    /// Separators of paths, what looks like one, the colon of a drive or a stream, and the end of a string in C.
    private static func isSeparator(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "/", "\\", ":", "\0", "\u{2044}", "\u{2215}", "\u{29F8}", "\u{FF0F}", "\u{FF3C}", "\u{2216}", "\u{29F5}",
            "\u{29F9}", "\u{FE68}", "\u{FF1A}":
            true
        default: false
        }
    }

    /// As it is drawn where a character in it turns the direction of what follows (UAX 9 §2.2).
    private static func asSeen(_ name: String) -> String {
        guard let turn = name.unicodeScalars.firstIndex(where: { $0 == "\u{202E}" || $0 == "\u{2067}" }) else {
            return name
        }
        let rest = name.unicodeScalars[name.unicodeScalars.index(after: turn)...]
        let end = rest.firstIndex { $0 == "\u{202C}" || $0 == "\u{2069}" } ?? rest.endIndex
        var seen = String.UnicodeScalarView(name.unicodeScalars[..<turn])
        seen.append(contentsOf: rest[..<end].reversed())
        if end < rest.endIndex { seen.append(contentsOf: rest[rest.index(after: end)...]) }
        return String(seen)
    }

    /// nil where nothing is percent-encoded.
    private static func percentDecoded(_ name: String) -> String? {
        let octets = Array(name.utf8)
        var plain: [UInt8] = []
        var index = 0
        while index < octets.count {
            if octets[index] == 0x25, index + 2 < octets.count, let high = octets[index + 1].hexadecimalValue,
                let low = octets[index + 2].hexadecimalValue
            {
                plain.append(high << 4 | low)
                index += 3
            } else {
                plain.append(octets[index])
                index += 1
            }
        }
        return plain.count == octets.count ? nil : String(decoding: plain, as: UTF8.self)
    }

    /// Characters that some readers leave out at the ends of a name, or that people overlook there.
    private static func isTrimmed(_ scalar: Unicode.Scalar) -> Bool {
        ["_", ".", ",", ";", "'", "`", "\u{2018}", "\u{2019}", "\u{201A}", "\u{201C}", "\u{201D}", "\u{201E}"].contains(
            scalar)
    }

    /// Runs of blanks, underscores and characters that no file name may contain become one underscore, as readers write
    /// them. Invisible characters are left out, and so are blanks, dots and quotes at the ends and blanks before a dot.
    private static func tidied(_ name: String) -> String {
        var tidy: [Unicode.Scalar] = []
        for scalar in name.unicodeScalars {
            switch scalar {
            case "\u{2800}", "\u{FFFC}": continue
            case "\u{3002}", "\u{2024}":
                tidy.append(".")
                continue
            default: break
            }
            switch scalar.properties.generalCategory {
            case .format, .privateUse, .unassigned, .surrogate: continue
            case .control where scalar.value > 0x0D || scalar.value < 0x09: continue
            default: break
            }
            let isFiller =
                scalar.properties.isWhitespace || isSeparator(scalar)
                || ["_", "<", ">", "\"", "|", "?", "*"].contains(scalar)
            if scalar == ".", tidy.last == "_" { tidy.removeLast() }
            if !isFiller {
                tidy.append(scalar)
            } else if let last = tidy.last, last != "_" {
                tidy.append("_")
            }
        }
        while let last = tidy.last, isTrimmed(last) { tidy.removeLast() }
        let start = tidy.firstIndex { !isTrimmed($0) } ?? tidy.endIndex
        return String(String.UnicodeScalarView(tidy[start...]))
    }
}

extension Entity {
    /// Every file name under which some reader may show the part, as names are compared.
    public func shownFileNames(using charsets: some CharsetDecoding) -> [ShownFileName] {
        let names = everyFileName(using: charsets)
        // Readers who do not know a charset show its octets.
        let plain = everyFileName(using: OctetsAsCharacters()).filter { !names.contains($0) }
        return (names + plain).map { ShownFileName($0) }.filter { !$0.readings.isEmpty }
    }

    /// The texts that some readers show in place of a file name: the description (RFC 2045 §8), the location (RFC 2557
    /// §4.2), and the name in a field that some readers know.
    public func shownDescriptions(using charsets: some CharsetDecoding) -> [ShownFileName] {
        ["Content-Description", "Content-Location", "Content-Name", "X-Sun-Data-Name"].flatMap { header.all($0) }.map {
            ShownFileName(EncodedWords.decode($0.unfoldedBody, using: charsets))
        }.filter { !$0.readings.isEmpty }
    }
}

/// Reads text without regard to its charset: UTF-8 if the octets are that, else each octet is a character. Control
/// characters, among them the zeros of UTF-16, are left out.
private struct OctetsAsCharacters: CharsetDecoding {
    func decode(_ octets: [UInt8], charset: String) -> String? {
        let shown = octets.filter { $0 >= 0x20 && $0 != 0x7F }
        return String(validating: shown, as: UTF8.self)
            ?? String(String.UnicodeScalarView(shown.map { Unicode.Scalar($0) }))
    }
}
