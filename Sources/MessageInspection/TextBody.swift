import InternetMessage
import Octets
import XMLReading

/// The decoded text of a message's text parts, as far as filters look into it.
enum TextBody {
    /// Octets of one part, transfer encoding undone.
    static let maximumPartLength = 1 << 20
    /// Octets of all parts together.
    static let limit = 4 << 20

    /// The texts of `parts`, a line each apart.
    static func text(of parts: [Entity], _ charsets: Charsets) -> String {
        var text = ""
        for part in parts {
            guard text.utf8.count < limit else { break }
            if !text.isEmpty { text += "\n" }
            text += Self.text(of: part, charsets)
        }
        guard text.utf8.count > limit else { return text }
        return String(decoding: text.utf8.prefix(limit), as: UTF8.self)
    }

    static func octets(of part: Entity) -> [UInt8] { part.decodedPrefix(maximumPartLength).array }

    private static func text(of part: Entity, _ charsets: Charsets) -> String {
        let octets = octets(of: part)
        let isHTML = part.contentType.mediaType == "text/html"
        let charset = part.contentType.parameter("charset")?.text ?? (isHTML ? declaredCharset(octets) : nil)
        let text = charset.flatMap { charsets.decode(octets, charset: $0) } ?? charsets.decodeUnnamed(octets)
        // Always as UTF-8: the converter is chosen here, not by the name that a sender gives to a C library.
        return isHTML ? HTMLText.plainText(of: OctetString(text), charset: "utf-8", limit: limit) : text
    }

    /// The charset that a `meta` element within the first 1024 octets names, as the HTML standard looks for it.
    static func declaredCharset(_ html: [UInt8]) -> String? {
        let start = html.prefix(1_024).map(\.asciiLowercased)
        let mark = Array("charset=".utf8)
        guard let found = start.indices.first(where: { start[$0...].starts(with: mark) }) else { return nil }
        let value = start[(found + mark.count)...].drop { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "'") }
        let name = value.prefix { $0 > 0x20 && $0 < 0x7F && !"\"';>/".utf8.contains($0) }
        return name.isEmpty ? nil : String(decoding: name, as: UTF8.self)
    }
}
