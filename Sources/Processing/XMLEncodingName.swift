import InternetMessage
import Octets

/// The character encoding of an XML document as its first octets tell it (XML 1.0 §4.3.3, appendix F).
enum XMLEncodingName {
    /// Lower case; `utf-8` where nothing else is said.
    static func of(_ document: OctetString) -> String {
        let start = document.slice(0..<min(document.count, 256)).array
        if [[0xFE, 0xFF], [0xFF, 0xFE], [0x3C, 0x00], [0x00, 0x3C]].contains(where: { start.starts(with: $0) }) {
            return "utf-16"
        }
        let text = String(decoding: start, as: UTF8.self)
        guard let end = text.firstRange(of: "?>")?.lowerBound, text[..<end].contains("<?xml"),
            let word = text[..<end].firstRange(of: "encoding")
        else { return "utf-8" }
        let value = text[word.upperBound..<end].drop { $0 == "=" || $0.isWhitespace }
        guard let quote = value.first, quote == "\"" || quote == "'" else { return "utf-8" }
        let name = value.dropFirst().prefix { $0 != quote }
        let isName = !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }
        return isName ? String(name).asciiLowercased : "utf-8"
    }
}
