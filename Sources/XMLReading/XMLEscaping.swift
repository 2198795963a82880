/// Writes text so that it stands in XML as itself.
public enum XMLEscaping {
    /// For character data. Characters that XML 1.0 cannot carry are left out; CR is written as a reference, because a
    /// reader would turn it into LF.
    public static func text(_ text: String) -> String { escaped(text, inAttribute: false) }

    /// For an attribute value between quotation marks of either kind. Tab and line ends are written as references,
    /// because a reader would turn them into spaces.
    public static func attribute(_ text: String) -> String { escaped(text, inAttribute: true) }

    private static func escaped(_ text: String, inAttribute: Bool) -> String {
        if text.utf8.allSatisfy(isPlain) { return text }
        var written = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": written.append(contentsOf: "&amp;".unicodeScalars)
            case "<": written.append(contentsOf: "&lt;".unicodeScalars)
            case ">": written.append(contentsOf: "&gt;".unicodeScalars)
            case "\"" where inAttribute: written.append(contentsOf: "&quot;".unicodeScalars)
            case "'" where inAttribute: written.append(contentsOf: "&#39;".unicodeScalars)
            case "\r": written.append(contentsOf: "&#13;".unicodeScalars)
            case "\n" where inAttribute: written.append(contentsOf: "&#10;".unicodeScalars)
            case "\t" where inAttribute: written.append(contentsOf: "&#9;".unicodeScalars)
            case _ where isAllowed(scalar): written.append(scalar)
            default: break
            }
        }
        return String(written)
    }

    /// Returns true for an octet of US-ASCII that stands for itself everywhere.
    private static func isPlain(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "&"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""), UInt8(ascii: "'"): false
        default: octet >= 0x20 && octet < 0x80
        }
    }

    /// Char of XML 1.0 §2.2; surrogates cannot occur in a Swift string.
    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value >= 0x20 && scalar.value != 0xFFFE && scalar.value != 0xFFFF || scalar == "\t" || scalar == "\n"
    }
}
