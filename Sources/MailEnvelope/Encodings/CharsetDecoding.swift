/// Turns octets of a named charset into text.
public protocol CharsetDecoding: Sendable {
    /// - Parameter charset: A charset's name or alias, in any case.
    /// - Returns: The text, with U+FFFD for what the charset has not; nil when the charset is not known.
    func decode(_ octets: [UInt8], charset: String) -> String?
}

/// The charsets that need no library: UTF-8, US-ASCII, ISO-8859-1 and windows-1252.
public struct BuiltInCharsets: CharsetDecoding {
    public init() {}

    public func decode(_ octets: [UInt8], charset: String) -> String? {
        switch charset.asciiLowercased {
        // US-ASCII with octets above 127 is no US-ASCII; that they are UTF-8 is the likeliest.
        case "utf-8", "utf8", "us-ascii", "ascii", "ansi_x3.4-1968", "iso646-us", "646":
            String(decoding: octets, as: UTF8.self)
        case "iso-8859-1", "iso_8859-1", "iso8859-1", "iso88591", "latin1", "latin-1", "l1", "cp819":
            Self.text(octets) { Unicode.Scalar($0) }
        case "windows-1252", "cp1252", "cp-1252", "x-cp1252":
            Self.text(octets) { (0x80...0x9F).contains($0) ? Self.windows1252[Int($0) - 0x80] : Unicode.Scalar($0) }
        default: nil
        }
    }

    private static func text(_ octets: [UInt8], _ scalar: (UInt8) -> Unicode.Scalar) -> String {
        var text = String.UnicodeScalarView()
        for octet in octets { text.append(scalar(octet)) }
        return String(text)
    }

    /// The characters of windows-1252 at 0x80 to 0x9F; five places are not assigned.
    private static let windows1252: [Unicode.Scalar] = [
        "\u{20AC}", "\u{FFFD}", "\u{201A}", "\u{0192}", "\u{201E}", "\u{2026}", "\u{2020}", "\u{2021}",
        "\u{02C6}", "\u{2030}", "\u{0160}", "\u{2039}", "\u{0152}", "\u{FFFD}", "\u{017D}", "\u{FFFD}",
        "\u{FFFD}", "\u{2018}", "\u{2019}", "\u{201C}", "\u{201D}", "\u{2022}", "\u{2013}", "\u{2014}",
        "\u{02DC}", "\u{2122}", "\u{0161}", "\u{203A}", "\u{0153}", "\u{FFFD}", "\u{017E}", "\u{0178}",
    ]
}

extension CharsetDecoding {
    /// Text without a named charset: UTF-8 where it is valid, else what western mailers mean by octets without a name.
    package func decodeUnlabelled(_ octets: [UInt8]) -> String {
        String(validating: octets, as: UTF8.self) ?? decode(octets, charset: "windows-1252")
            ?? String(decoding: octets, as: UTF8.self)
    }
}
