import Octets

/// A heading and labelled lines, written as plain text and as HTML for people. All values may be strangers' words.
struct LabelledText: Sendable {
    struct Row: Sendable {
        /// Ours.
        let label: String
        let value: String
    }

    /// Ours. Stands in the frame.
    let title: String
    /// A plain sentence or two; may hold strangers' words.
    let summary: String
    let rows: [Row]
    /// A CSS colour.
    let colour: String

    /// Lines of at most 76 characters with CRLF. A stranger's word never begins a line, so that none can look like ours.
    var plain: String {
        var lines = ["*** " + title + " " + String(repeating: "*", count: max(3, 71 - title.count))]
        lines += Self.wrapped(UntrustedText.plainTextLine(summary, limit: 1_000), indent: "  ", first: "  ")
        for row in rows {
            let label = "  " + (row.label + ":").padded(to: 15) + " "
            lines += Self.wrapped(
                UntrustedText.plainTextLine(row.value), indent: String(repeating: " ", count: 18), first: label)
        }
        lines.append(String(repeating: "*", count: 76))
        return lines.joined(separator: "\r\n") + "\r\n"
    }

    /// A fragment that stands for itself, in US-ASCII: inline style, no links, nothing loaded.
    var html: String {
        var text =
            "<div style=\"border:2px solid \(colour);padding:8px;margin:8px 0;background:#ffffff;color:#000000;"
            + "font-family:sans-serif;font-size:14px;text-align:left;direction:ltr\">\r\n"
            + "<p style=\"margin:0 0 6px 0\"><strong>\(Self.html(title, 200))</strong><br>\r\n"
            + "\(Self.html(summary, 1_000))</p>\r\n<table style=\"border:0;font-size:13px\">\r\n"
        for row in rows {
            text +=
                "<tr><td style=\"vertical-align:top;padding-right:8px\">\(Self.html(row.label, 60))</td>\r\n"
                + "<td>\(Self.html(row.value, 500))</td></tr>\r\n"
        }
        return text + "</table>\r\n</div>\r\n"
    }

    /// Escaped, everything beyond US-ASCII as a character reference, so that it fits every charset.
    private static func html(_ text: String, _ limit: Int) -> String {
        var ascii = ""
        for scalar in UntrustedText.htmlText(text, limit: limit).unicodeScalars {
            if scalar.isASCII { ascii.unicodeScalars.append(scalar) } else { ascii += "&#\(scalar.value);" }
        }
        return ascii
    }

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
