import MailEnvelope
import Octets

/// A heading and labelled lines, written as plain text and as HTML for people. All values may be strangers' words.
struct LabelledText: Sendable {
    struct Row: Sendable {
        /// Ours.
        let label: String
        let value: String
        /// The depth under the row before it, 0 or 1.
        var level = 0
    }

    /// Ours. Stands in the frame.
    let title: String
    /// A plain sentence or two; may hold strangers' words.
    let summary: String
    let rows: [Row]
    /// A CSS colour.
    let colour: String

    /// Lines of at most 76 characters with CRLF. Untrusted text never begins a line, so that no line of it can look
    /// like ours.
    var plain: String {
        var lines = ["*** " + title + " " + String(repeating: "*", count: max(3, 71 - title.count))]
        lines += Self.wrapped(UntrustedText.plainTextLine(summary, limit: 1_000), indent: "  ", first: "  ")
        for row in rows {
            let label = "  " + (String(repeating: "  ", count: row.level) + row.label + ":").padded(to: 15) + " "
            lines += Self.wrapped(
                UntrustedText.plainTextLine(row.value), indent: String(repeating: " ", count: 18), first: label)
        }
        lines.append(String(repeating: "*", count: 76))
        return lines.joined(separator: "\r\n") + "\r\n"
    }

    // MARK: - HTML

    /// A fragment that stands for itself, in US-ASCII: inline style, no links, nothing loaded.
    ///
    /// If a reader shows the parts of a mail on one page, the style sheets of another part reach ours. Properties that
    /// they could use to hide or recolour it are therefore set on every element, with the importance that only an
    /// inline style has. The plain forms of border and colours come first, for readers that skip declarations with
    /// `!important`.
    var html: String {
        var text =
            "\r\n<div style=\"border:2px solid \(colour);padding:8px;margin:8px 0;background:#ffffff;color:#000000;"
            + Self.shown + "border:2px solid \(colour)!important;padding:8px!important;margin:8px 0!important;"
            + "background:#ffffff!important;font:14px/1.4 sans-serif!important\">\r\n"
            + Self.line(Self.strong(title), after: 0) + Self.line(Self.html(summary, 1_000), after: 6)
        for row in rows {
            text += Self.line(
                Self.strong(row.label + ":") + " " + Self.html(row.value, 500), level: row.level, after: 0)
        }
        return text + "</div>\r\n"
    }

    /// The declarations that keep a block visible, whatever a style sheet says.
    private static let shown =
        visible + "display:block!important;width:auto!important;height:auto!important;min-width:0!important;"
        + "max-width:none!important;max-height:none!important;overflow:visible!important;text-align:left!important;"
        + "text-indent:0!important;clear:both!important;"

    /// The same for a piece of a line.
    private static let visible =
        // First everything that none of the properties below covers: masks, blending, zoom, transparent fill,
        // content-visibility.
        "all:initial!important;visibility:visible!important;opacity:1!important;position:static!important;float:none!important;"
        + "transform:none!important;filter:none!important;clip-path:none!important;color:#000000!important;"
        + "direction:ltr!important;unicode-bidi:isolate!important;letter-spacing:normal!important;"
        + "white-space:normal!important;"

    private static func line(_ html: String, level: Int = 0, after: Int) -> String {
        "<div style=\"\(shown)margin:0 0 \(after)px \(level * 16)px!important;padding:0!important;border:0!important;"
            + "background:none!important;font:13px/1.4 sans-serif!important\">\(html)</div>\r\n"
    }

    private static func strong(_ text: String) -> String {
        "<b style=\"\(visible)display:inline!important;font:bold 13px/1.4 sans-serif!important\">\(html(text, 200))</b>"
    }

    /// Escaped, everything beyond US-ASCII as a character reference, so that it fits every charset.
    private static func html(_ text: String, _ limit: Int) -> String {
        var ascii = ""
        for scalar in UntrustedText.htmlText(text, limit: limit).unicodeScalars {
            if scalar.isASCII { ascii.unicodeScalars.append(scalar) } else { ascii += "&#\(scalar.value);" }
        }
        return ascii
    }

    // MARK: - Plain text

    private static func wrapped(_ text: String, indent: String, first: String) -> [String] {
        var lines: [String] = []
        var line = first
        var hasWord = false
        for word in text.split(separator: " ") {
            var rest = word[...]
            while !rest.isEmpty {
                let room = 76 - line.count - (hasWord ? 1 : 0)
                if rest.count <= room {
                    line += (hasWord ? " " : "") + rest
                    hasWord = true
                    break
                }
                if hasWord {
                    lines.append(line)
                    line = indent
                    hasWord = false
                } else if line == indent, rest.count <= 76 - 4, rest.count > room {
                    // A name that is to be found again is not broken; without blanks it looks like no row of ours.
                    lines.append("    " + rest)
                    line = indent
                    break
                } else {
                    lines.append(line + rest.prefix(max(room, 20)))
                    rest = rest.dropFirst(max(room, 20))
                    line = indent
                }
            }
        }
        if hasWord { lines.append(line) }
        return lines.map { line in
            var line = line[...]
            while line.last == " " { line = line.dropLast() }
            return String(line)
        }
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
