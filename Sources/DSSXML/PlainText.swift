/// Another's words made fit for logs, mail and errors.
enum PlainText {
    /// One line without control characters, white space run together, at most `limit` characters.
    static func line(_ text: String, limit: Int = 1000) -> String {
        var line = String.UnicodeScalarView()
        var count = 0
        var owesSpace = false
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0...0x20, 0x7F...0xA0, 0x2028, 0x2029:
                owesSpace = !line.isEmpty
                continue
            // Controls of direction and invisible characters: they would let a text be read as another.
            case 0x200B...0x200F, 0x202A...0x202E, 0x2060...0x206F, 0xFEFF: continue
            default: break
            }
            guard count < limit else { break }
            if owesSpace { line.append(" ") }
            owesSpace = false
            line.append(scalar)
            count += 1
        }
        return String(line)
    }

    /// The beginning of a page that came instead of an answer: tags removed, at most 200 characters.
    static func ofPage(_ octets: some Collection<UInt8>) -> String {
        var text: [UInt8] = []
        var isInTag = false
        for octet in octets {
            if octet == UInt8(ascii: "<") {
                isInTag = true
                text.append(0x20)
            } else if octet == UInt8(ascii: ">"), isInTag {
                isInTag = false
            } else if !isInTag {
                text.append(octet)
            }
        }
        return line(String(decoding: text, as: UTF8.self), limit: 200)
    }
}
