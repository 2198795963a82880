import CivilTime
import Octets
import PDFStructure

/// Writes PDF syntax (ISO 32000-1 §7.3).
enum PDFSyntax {
    /// A name from its text, one scalar an octet (§7.3.5).
    static func name(_ name: String) -> [UInt8] {
        [UInt8(ascii: "/")]
            + name.unicodeScalars.flatMap { scalar -> [UInt8] in
                let octet = UInt8(truncatingIfNeeded: scalar.value)
                let isPlain = octet > 0x20 && octet < 0x7F && !"#()<>[]{}/%".utf8.contains(octet)
                return isPlain ? [octet] : Array("#".utf8) + hexadecimal([octet])
            }
    }

    /// A string of any octets, as hexadecimal digits (§7.3.4.3).
    static func hexadecimalString(_ octets: some Sequence<UInt8>) -> [UInt8] {
        [UInt8(ascii: "<")] + hexadecimal(octets) + [UInt8(ascii: ">")]
    }

    private static func hexadecimal(_ octets: some Sequence<UInt8>) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return octets.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }

    /// A text string (§7.9.2.2): ASCII readable, Latin-1 in PDFDocEncoding, everything else in UTF-16. Control
    /// characters become blanks, so that a value is one line.
    static func text(_ text: String) -> [UInt8] {
        let scalars = text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }
        if scalars.allSatisfy({ $0.value < 0x7F }) {
            let escaped = scalars.flatMap { scalar -> [UInt8] in
                let octet = UInt8(scalar.value)
                return "()\\".utf8.contains(octet) ? [UInt8(ascii: "\\"), octet] : [octet]
            }
            return [UInt8(ascii: "(")] + escaped + [UInt8(ascii: ")")]
        }
        // In this range PDFDocEncoding is Latin-1, except for U+00AD, which it leaves undefined (annex D.2).
        if scalars.allSatisfy({ $0.value < 0x7F || (0xA1...0xFF).contains($0.value) && $0.value != 0xAD }) {
            return hexadecimalString(scalars.map { UInt8($0.value) })
        }
        let units = scalars.flatMap { Array(UTF16.encode($0) ?? UTF16.EncodedScalar()) }
        return hexadecimalString([0xFE, 0xFF] + units.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] })
    }

    /// With at most four decimals and no exponent (§7.3.3).
    static func number(_ value: Double) -> String {
        let scaled = Int((value * 10_000).rounded())
        let (whole, rest) = abs(scaled).quotientAndRemainder(dividingBy: 10_000)
        var text = scaled < 0 ? "-\(whole)" : "\(whole)"
        if rest > 0 {
            var decimals = String(String(rest + 10_000).dropFirst())
            while decimals.hasSuffix("0") { decimals.removeLast() }
            text += "." + decimals
        }
        return text
    }

    /// `[` and `]` around numbers.
    static func numbers(_ values: [Double]) -> String { "[" + values.map(number).joined(separator: " ") + "]" }

    /// A date in UTC (§7.9.4).
    static func date(_ time: CalendarTime) -> [UInt8] { Array("(D:\(time.digits)Z)".utf8) }

    /// A value as it was read. Strings keep the form they had.
    static func value(_ value: PDFValue) -> [UInt8] {
        switch value {
        case .null: Array("null".utf8)
        case .boolean(let value): Array((value ? "true" : "false").utf8)
        case .integer(let value): Array("\(value)".utf8)
        case .real(let text): Array(text.utf8)
        case .string(let string): string.token.array
        case .name(let text): name(text)
        case .array(let items): array(items.map(self.value))
        case .dictionary(let dictionary): self.dictionary(dictionary)
        case .reference(let reference): Array(reference.description.utf8)
        }
    }

    static func array(_ items: [[UInt8]]) -> [UInt8] {
        [UInt8(ascii: "[")] + items.joined(separator: [0x20]) + [UInt8(ascii: "]")]
    }

    /// A dictionary as it was read, with other values for some keys.
    static func dictionary(_ dictionary: PDFDictionary, setting changes: [String: [UInt8]] = [:]) -> [UInt8] {
        var entries = dictionary.entries.mapValues(value)
        entries.merge(changes) { $1 }
        return self.dictionary(entries)
    }

    /// Keys in alphabetical order, the type first.
    static func dictionary(_ entries: [String: [UInt8]]) -> [UInt8] {
        let keys = entries.keys.sorted { ($0 == "Type" ? "" : $0) < ($1 == "Type" ? "" : $1) }
        var octets = Array("<<".utf8)
        for key in keys { octets += [0x20] + name(key) + [0x20] + (entries[key] ?? []) }
        return octets + Array(" >>".utf8)
    }

    /// A stream without filter; `entries` without /Length.
    static func stream(_ entries: [String: [UInt8]], _ data: some Collection<UInt8>) -> [UInt8] {
        let length = ["Length": Array("\(data.count)".utf8)]
        return dictionary(entries.merging(length) { $1 }) + Array("\nstream\n".utf8) + data + Array("\nendstream".utf8)
    }
}

/// A moment as the calendar has it in UTC.
struct CalendarTime: Hashable {
    /// `YYYYMMDDHHmmSS`.
    let digits: String
    /// `2026-11-24 18:20:39 UTC`.
    let readable: String

    /// - Parameter time: Unix seconds, from the year 1 to the year 9999; a time outside is moved to the nearest of
    ///   these.
    init(unix time: Int) {
        let time = min(max(time, -62_135_596_800), 253_402_300_799)
        let (days, seconds) = time.floorDivided(by: 86_400)
        let day = CivilDate(dayNumber: days)
        func padded(_ value: Int, _ width: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        let date = [padded(day.year, 4), padded(day.month, 2), padded(day.day, 2)]
        let clock = [seconds / 3_600, seconds / 60 % 60, seconds % 60].map { padded($0, 2) }
        digits = (date + clock).joined()
        readable = date.joined(separator: "-") + " " + clock.joined(separator: ":") + " UTC"
    }
}
