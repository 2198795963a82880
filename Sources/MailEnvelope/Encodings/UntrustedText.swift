import Octets

/// Makes untrusted text (of a message, a certificate, a server) safe for its target place: one function for each place.
///
/// The resulting text cannot leave its place: it starts no header field, no line, no markup and no terminal command.
public enum UntrustedText {
    /// For one line of plain text that people read.
    ///
    /// Line ends and control characters become one blank. Format characters (bidirectional, zero-width), private and
    /// unassigned ones are left out. Runs of blanks become one, blanks at the ends are removed. Combining marks require
    /// a character to combine with, and their number is limited: many of them would cover the lines above.
    /// - Parameter limit: Characters (scalars) of the result at most; a longer text ends with `...`.
    public static func plainTextLine(_ text: some StringProtocol, limit: Int = 500) -> String {
        isPlainLine(text, limit: limit) ? String(text) : examinedLine(text, limit: limit)
    }

    /// The same with a look at each character, which gives the same for the text that the quick look lets pass.
    static func examinedLine(_ text: some StringProtocol, limit: Int) -> String {
        var safe = String.UnicodeScalarView()
        var count = 0
        var owesBlank = false
        /// Marks that the last character may still take.
        var marks = 0
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .nonspacingMark, .enclosingMark:
                guard marks > 0, !owesBlank else { continue }
                marks -= 1
            case .control, .lineSeparator, .paragraphSeparator, .spaceSeparator:
                owesBlank = count > 0
                continue
            case .format, .privateUse, .unassigned, .surrogate: continue
            default: marks = maximumMarks
            }
            if isInvisible(scalar) { continue }
            if count + (owesBlank ? 1 : 0) >= limit {
                safe.append(contentsOf: "...".unicodeScalars)
                break
            }
            if owesBlank {
                safe.append(" ")
                count += 1
                owesBlank = false
            }
            safe.append(scalar)
            count += 1
        }
        return String(safe)
    }

    /// Returns true if the text is US-ASCII that ``plainTextLine(_:limit:)`` would leave as it is: most is.
    private static func isPlainLine(_ text: some StringProtocol, limit: Int) -> Bool {
        guard text.utf8.count <= limit else { return false }
        var last = UInt8(ascii: " ")
        for octet in text.utf8 {
            guard octet >= 0x20, octet < 0x7F, octet != 0x20 || last != 0x20 else { return false }
            last = octet
        }
        return last != 0x20 || text.isEmpty
    }

    /// A name in quotes, for a line of plain text: it cannot end its quotes, so that what follows is not its.
    public static func quotedName(_ name: some StringProtocol, limit: Int = 80) -> String {
        let line = plainTextLine(name, limit: limit)
        let quotes: Set<Unicode.Scalar> = [
            "\"", "\u{201C}", "\u{201D}", "\u{201E}", "\u{201F}", "\u{2033}", "\u{FF02}",
        ]
        return "\"" + String(String.UnicodeScalarView(line.unicodeScalars.map { quotes.contains($0) ? "'" : $0 }))
            + "\""
    }

    /// For the content of an HTML element or a quoted attribute value.
    public static func htmlText(_ text: some StringProtocol, limit: Int = 500) -> String {
        var safe = ""
        for character in plainTextLine(text, limit: limit).unicodeScalars {
            switch character {
            case "&": safe += "&amp;"
            case "<": safe += "&lt;"
            case ">": safe += "&gt;"
            case "\"": safe += "&quot;"
            case "'": safe += "&#39;"
            case "`": safe += "&#96;"
            default: safe.unicodeScalars.append(character)
            }
        }
        return safe
    }

    /// For the body of an unstructured header field (RFC 5322 §2.2.1): printable US-ASCII, folded if it is long, with
    /// encoded-words (RFC 2047) if the text needs them or looks like one.
    public static func headerText(_ text: some StringProtocol, limit: Int = 500) -> String {
        FieldLines.body(EncodedWord.words(of: plainTextLine(text, limit: limit)), column: 26)
    }

    /// For the content of a quoted-string in a header field (RFC 5322 §3.2.4), without the quotes.
    ///
    /// Characters outside US-ASCII are written as in RFC 4514 §2.4, a backslash and two hexadecimal digits for each
    /// octet. At most 600 octets, however long `limit` characters are.
    package static func quotedText(_ text: some StringProtocol, limit: Int = 300) -> String {
        var safe = ""
        for scalar in plainTextLine(text, limit: limit).unicodeScalars where safe.utf8.count < 580 {
            switch scalar {
            case "\"", "\\": safe += "\\" + String(scalar)
            case _ where scalar.isASCII: safe.unicodeScalars.append(scalar)
            default: for octet in String(scalar).utf8 { safe += "\\\\" + [octet].hexadecimal.uppercased() }
            }
        }
        return safe
    }

    /// Scripts that pile marks at all pile no more.
    private static let maximumMarks = 4

    /// Characters that show nothing and yet are letters or marks to Unicode.
    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isDefaultIgnorableCodePoint || scalar == "\u{2800}" || scalar == "\u{FFFC}"
    }
}
