import CivilTime

/// The textual values of a signature dictionary.
enum PDFText {
    /// A text string (ISO 32000-1 §7.9.2.2; ISO 32000-2 adds UTF-8). Control characters become blanks: such a value is
    /// one line, whatever was put into it.
    static func text(_ octets: [UInt8]) -> String {
        let text: String
        if octets.starts(with: [0xFE, 0xFF]) {
            let units = stride(from: 2, to: octets.count - 1, by: 2).map {
                UInt16(octets[$0]) << 8 | UInt16(octets[$0 + 1])
            }
            text = String(decoding: units, as: UTF16.self)
        } else if octets.starts(with: [0xEF, 0xBB, 0xBF]) {
            text = String(decoding: octets.dropFirst(3), as: UTF8.self)
        } else {
            text = String(String.UnicodeScalarView(octets.map(scalar)))
        }
        return String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    }

    /// PDFDocEncoding (annex D): Latin-1 except for these.
    private static func scalar(_ octet: UInt8) -> Unicode.Scalar {
        switch octet {
        case 0x18...0x1F: accents[Int(octet) - 0x18]
        case 0x80...0x9E: specials[Int(octet) - 0x80]
        case 0xA0: "\u{20AC}"
        case 0x7F, 0x9F, 0xAD: "\u{FFFD}"
        default: Unicode.Scalar(octet)
        }
    }

    private static let accents: [Unicode.Scalar] = [
        "\u{02D8}", "\u{02C7}", "\u{02C6}", "\u{02D9}", "\u{02DD}", "\u{02DB}", "\u{02DA}", "\u{02DC}",
    ]
    private static let specials: [Unicode.Scalar] = [
        "\u{2022}", "\u{2020}", "\u{2021}", "\u{2026}", "\u{2014}", "\u{2013}", "\u{0192}", "\u{2044}", "\u{2039}",
        "\u{203A}", "\u{2212}", "\u{2030}", "\u{201E}", "\u{201C}", "\u{201D}", "\u{2018}", "\u{2019}", "\u{201A}",
        "\u{2122}", "\u{FB01}", "\u{FB02}", "\u{0141}", "\u{0152}", "\u{0160}", "\u{0178}", "\u{017D}", "\u{0131}",
        "\u{0142}", "\u{0153}", "\u{0161}", "\u{017E}",
    ]

    /// A date (§7.9.4), `D:YYYYMMDDHHmmSSOHH'mm'`, in Unix seconds; what is left out is the least value, and UTC.
    /// - Returns: nil for text that is not a date.
    static func date(_ octets: [UInt8]) -> Int? {
        var digits = octets[...]
        if digits.starts(with: "D:".utf8) { digits = digits.dropFirst(2) }
        func number(_ count: Int) -> Int? {
            let part = digits.prefix(count)
            guard part.count == count, part.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            digits = digits.dropFirst(count)
            return part.reduce(0) { $0 * 10 + Int($1 & 15) }
        }
        guard let year = number(4) else { return nil }
        let month = number(2) ?? 1
        let day = number(2) ?? 1
        let hour = number(2) ?? 0
        let minute = number(2) ?? 0
        let second = number(2) ?? 0
        guard (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61 else { return nil }
        var offset = 0
        if let sign = digits.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
            digits = digits.dropFirst()
            guard let hours = number(2), hours < 24 else { return nil }
            if digits.first == UInt8(ascii: "'") { digits = digits.dropFirst() }
            let minutes = number(2) ?? 0
            offset = (hours * 3_600 + minutes * 60) * (sign == UInt8(ascii: "-") ? -1 : 1)
        }
        return CivilDate.dayNumber(year: year, month: month, day: day) * 86_400 + hour * 3_600 + minute * 60 + second
            - offset
    }
}
