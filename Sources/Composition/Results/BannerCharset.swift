import InternetMessage
import Octets

/// The octets in which our text goes into a text of others: in the existing charset, if that has the characters that
/// are needed.
struct BannerCharset {
    /// The charset of the whole part, once the text is in it; nil if it stays as declared.
    let charset: String?
    /// Our text.
    let banner: OctetString
    /// The part's own text, in ``charset``; nil if it stays unchanged.
    let rewritten: OctetString?

    /// - Parameters:
    ///   - text: Ours.
    ///   - ascii: The same, with substitutes for characters outside US-ASCII.
    ///   - leaf: The part that it goes into. US-ASCII stands for itself in its charset.
    init(_ text: String, ascii: String, into leaf: Entity) {
        let declared = leaf.contentType.parameter("charset")?.text.asciiLowercased ?? "us-ascii"
        if text.utf8.allSatisfy({ $0 < 0x80 }) || ["utf-8", "utf8"].contains(declared) {
            self.init(OctetString(text))
        } else if ["us-ascii", "ascii"].contains(declared), leaf.decodedSource.isASCII {
            // Text in US-ASCII is UTF-8 as well.
            self.init(OctetString(text), charset: "utf-8")
        } else if let octets = Self.western(text, declared) {
            self.init(OctetString(octets))
        } else if let rewritten = Self.unicode(leaf, declared) {
            self.init(OctetString(text), charset: "utf-8", rewritten: rewritten)
        } else {
            self.init(OctetString(ascii))
        }
    }

    private init(_ banner: OctetString, charset: String? = nil, rewritten: OctetString? = nil) {
        self.banner = banner
        self.charset = charset
        self.rewritten = rewritten
    }

    private static let latin1: Set<String> = ["iso-8859-1", "latin1", "windows-1252", "cp1252"]

    /// The text in a charset of western Europe, octet for character; nil where that has not all of it.
    private static func western(_ text: String, _ charset: String) -> [UInt8]? {
        let isLatin9 = charset == "iso-8859-15"
        guard latin1.contains(charset) || isLatin9 else { return nil }
        var octets: [UInt8] = []
        octets.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            // Latin-9 has other characters at eight places of Latin-1.
            guard scalar.isASCII || (0xA0...0xFF).contains(scalar.value),
                !isLatin9 || ![0xA4, 0xA6, 0xA8, 0xB4, 0xB8, 0xBC, 0xBD, 0xBE].contains(scalar.value)
            else { return nil }
            octets.append(UInt8(scalar.value))
        }
        return octets
    }

    /// The part's text in UTF-8, where nothing of it is lost or guessed.
    private static func unicode(_ leaf: Entity, _ charset: String) -> OctetString? {
        guard latin1.contains(charset), leaf.bodyRange.count <= EntityFitting.maximumHeld,
            // Mailers that say ISO-8859-1 mean windows-1252, and readers take it so.
            let text = BuiltInCharsets().decode(leaf.decodedBody.array, charset: "windows-1252"),
            !text.unicodeScalars.contains("\u{FFFD}")
        else { return nil }
        return OctetString(text)
    }
}

extension DecodedBody {
    fileprivate var isASCII: Bool {
        var isASCII = true
        forEachChunk { chunk in if isASCII { isASCII = chunk.allSatisfy { $0 < 0x80 } } }
        return isASCII
    }
}
