/// Writes header fields, folded (RFC 5322 §2.2.3).
package enum FieldLines {
    /// A field with a final CRLF.
    ///
    /// Lines are folded before a word that would end beyond column 78. A single word is never broken: no word passed in
    /// here is longer than its own rule allows.
    /// - Parameter words: Printable, without line ends, not empty; a blank stands between two of them.
    package static func field(_ name: String, _ words: [String]) -> String {
        let body = body(words, column: name.utf8.count + 2)
        return name + (body.isEmpty ? ":" : ": ") + body + "\r\n"
    }

    /// The body of a field whose name and blank end before `column`, without the final CRLF.
    package static func body(_ words: [String], column: Int) -> String {
        var text = ""
        var column = column
        for word in words where !word.isEmpty {
            let width = word.utf8.count + (text.isEmpty ? 0 : 1)
            if column + width > 78, !text.isEmpty {
                text += "\r\n"
                column = 0
            }
            text += (text.isEmpty ? "" : " ") + word
            column += width
        }
        return text
    }

    /// A field with text of our own or of strangers, made safe for a header.
    package static func field(_ name: String, text: some StringProtocol, limit: Int = 500) -> String {
        field(name, EncodedWord.words(of: UntrustedText.plainTextLine(text, limit: limit)))
    }
}
