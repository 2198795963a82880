import InternetMessage
public import Octets

/// The character encoding of an XML document (XML 1.0 §4.3.3, appendix F), as far as it is supported here.
public enum XMLEncoding: Sendable, Hashable {
    case utf8
    case ascii
    case utf16(isBigEndian: Bool)
    /// One octet for each character, the first 128 those of ASCII; its name.
    case singleOctet(String)

    /// The encodings in which markup looks the same to everybody, in lower case.
    ///
    /// In UTF-7, text that some take for harmless is markup; in those of East Asia an octet of ASCII may be half a
    /// character. They are not read.
    private static let singleOctetNames: Set<String> = {
        let parts = (1...16).filter { $0 != 12 }
        let pages = 1_250...1_258
        return Set(parts.map { "iso-8859-\($0)" } + pages.map { "windows-\($0)" } + pages.map { "cp\($0)" })
    }()

    /// The encoding that a declaration names.
    init?(declared name: String, isUTF16 bigEndian: Bool?) {
        switch (name, bigEndian) {
        case ("utf-8", nil), ("utf8", nil): self = .utf8
        case ("us-ascii", nil), ("ascii", nil): self = .ascii
        case ("utf-16", .some(let isBig)), ("utf16", .some(let isBig)): self = .utf16(isBigEndian: isBig)
        case ("utf-16be", true): self = .utf16(isBigEndian: true)
        case ("utf-16le", false): self = .utf16(isBigEndian: false)
        default:
            guard bigEndian == nil, Self.singleOctetNames.contains(name) else { return nil }
            self = .singleOctet(name)
        }
    }

    /// The name by which a media type's charset parameter has it.
    public var name: String {
        switch self {
        case .utf8: "utf-8"
        case .ascii: "us-ascii"
        case .utf16: "utf-16"
        case .singleOctet(let name): name
        }
    }

    static func isKnown(_ name: String) -> Bool {
        ["utf-8", "utf8", "us-ascii", "ascii", "utf-16", "utf16", "utf-16be", "utf-16le"].contains(name)
            || singleOctetNames.contains(name)
    }
}

/// A reason for which readers do not agree on the characters of an XML document, or for which it has none.
public struct XMLTextFault: Error, Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        /// Against XML 1.0.
        case malformed
        /// Allowed by XML, but not read here.
        case unsupported
    }
    public let kind: Kind
    /// Counted from 1.
    public let line: Int
    public let reason: String

    init(_ kind: Kind, line: Int = 1, _ reason: String) {
        self.kind = kind
        self.line = line
        self.reason = reason
    }
}

/// The XML declaration and the encoding of a document, read from its first octets alone.
public struct XMLOpening: Sendable, Hashable {
    public let encoding: XMLEncoding
    /// The octets of the byte order mark, 0 to 3.
    let markLength: Int
    let hasDeclaration: Bool

    /// - Throws: ``XMLTextFault`` if byte order mark, declaration and octets contradict each other, because one reader
    ///   would then take the document in one encoding and another in another. Also if the version or encoding is not
    ///   supported.
    public init(of document: OctetString) throws(XMLTextFault) {
        let start = document.slice(0..<min(document.count, 1_024)).array
        let isUTF8Marked = start.starts(with: UTF8Mark.octets)
        var isMarked = isUTF8Marked
        var bigEndian: Bool?
        switch start.prefix(4) {
        case [0xFF, 0xFE, 0, 0], [0, 0, 0xFE, 0xFF], [0x3C, 0, 0, 0], [0, 0, 0, 0x3C]:
            throw XMLTextFault(.unsupported, "the document is in UTF-32, which is not read here; use UTF-8")
        case let octets where octets.starts(with: [0xFE, 0xFF]): (bigEndian, isMarked) = (true, true)
        case let octets where octets.starts(with: [0xFF, 0xFE]): (bigEndian, isMarked) = (false, true)
        case let octets where octets.starts(with: [0, 0x3C]): bigEndian = true
        case let octets where octets.starts(with: [0x3C, 0]): bigEndian = false
        default: break
        }
        markLength = isUTF8Marked ? 3 : isMarked ? 2 : 0
        let text = Self.ascii(start.dropFirst(markLength), bigEndian: bigEndian)
        guard let declaration = try Declaration(text) else {
            guard bigEndian == nil || isMarked else {
                throw XMLTextFault(.malformed, "the document is in UTF-16 and says so nowhere (XML 1.0 §4.3.3)")
            }
            encoding = bigEndian.map { .utf16(isBigEndian: $0) } ?? .utf8
            hasDeclaration = false
            return
        }
        hasDeclaration = true
        guard let name = declaration.encoding else {
            guard bigEndian == nil || isMarked else {
                throw XMLTextFault(.malformed, "the document is in UTF-16 and does not say so (XML 1.0 §4.3.3)")
            }
            encoding = bigEndian.map { .utf16(isBigEndian: $0) } ?? .utf8
            return
        }
        guard XMLEncoding.isKnown(name) else {
            throw XMLTextFault(.unsupported, "the encoding \(name) is not read here; use UTF-8")
        }
        guard let found = XMLEncoding(declared: name, isUTF16: bigEndian), !isUTF8Marked || found == .utf8 else {
            throw XMLTextFault(
                .malformed,
                "the declaration says \(name), but the document's first octets are those of another encoding; some "
                    + "readers follow the one, some the other")
        }
        encoding = found
    }

    /// Returns the ASCII characters; others as 0xFF.
    private static func ascii(_ octets: ArraySlice<UInt8>, bigEndian: Bool?) -> [UInt8] {
        guard let bigEndian else { return Array(octets) }
        let units = Array(octets)
        return stride(from: 0, to: units.count - 1, by: 2).map { index in
            let (high, low) = bigEndian ? (units[index], units[index + 1]) : (units[index + 1], units[index])
            return high == 0 ? low : 0xFF
        }
    }

    /// An XML declaration (XML 1.0 §2.8).
    private struct Declaration {
        /// Lower case.
        let encoding: String?

        init?(_ text: [UInt8]) throws(XMLTextFault) {
            let blanks: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D]
            guard text.starts(with: "<?xml".utf8), text.count > 5, blanks.contains(text[5]) else { return nil }
            guard let end = text.indices.first(where: { text[$0...].starts(with: "?>".utf8) }) else {
                throw XMLTextFault(.malformed, "the XML declaration does not end within the first 1024 octets")
            }
            var rest = text[5..<end]
            var found: [(name: String, value: String)] = []
            while true {
                let trimmed = rest.drop(while: blanks.contains)
                guard !trimmed.isEmpty else { break }
                // Names and values are separated by white space, as XML 1.0 §2.8 has it.
                guard trimmed.count < rest.count, let pair = Self.pair(trimmed, blanks) else {
                    throw XMLTextFault(.malformed, "the XML declaration is not as XML 1.0 §2.8 has it")
                }
                found.append((pair.name, pair.value))
                rest = pair.rest
            }
            guard let version = found.first, version.name == "version",
                ["encoding", "standalone"].starts(with: found.dropFirst().map(\.name))
                    || found.dropFirst().map(\.name) == ["standalone"]
            else { throw XMLTextFault(.malformed, "the XML declaration is not as XML 1.0 §2.8 has it") }
            guard version.value == "1.0" else {
                throw XMLTextFault(
                    .unsupported,
                    "the document is in XML \(Self.shown(version.value)), in which other characters end a line; use 1.0"
                )
            }
            encoding = found.first { $0.name == "encoding" }?.value.asciiLowercased
        }

        private static func pair(
            _ text: ArraySlice<UInt8>, _ blanks: Set<UInt8>
        ) -> (name: String, value: String, rest: ArraySlice<UInt8>)? {
            let name = text.prefix { (0x61...0x7A).contains($0) }
            var rest = text[name.endIndex...].drop(while: blanks.contains)
            guard !name.isEmpty, rest.popFirst() == UInt8(ascii: "=") else { return nil }
            rest = rest.drop(while: blanks.contains)
            guard let quote = rest.popFirst(), quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'"),
                let end = rest.firstIndex(of: quote), rest[..<end].allSatisfy({ (0x21...0x7E).contains($0) })
            else { return nil }
            return (
                String(decoding: name, as: UTF8.self), String(decoding: rest[..<end], as: UTF8.self),
                rest[rest.index(after: end)...]
            )
        }

        private static func shown(_ version: String) -> String { String(version.prefix(20)) }
    }
}
