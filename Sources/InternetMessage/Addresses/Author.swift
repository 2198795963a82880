import Octets

/// The author of a message: the one mailbox of its one From field, as no reader takes it for another.
///
/// Outgoing mail uses this rule for the choice of a key, and incoming mail for the comparison of signer and author.
public enum Author: Sendable, Hashable {
    case one(AddrSpec)
    case none(because: String)

    public static func of(_ header: Header) -> Author {
        let fields = header.all("From")
        guard let field = fields.first else { return .none(because: "the message has no From field") }
        guard fields.count == 1 else { return .none(because: "the message has \(fields.count) From fields") }
        let list = AddressList(parsing: field.unfoldedBody)
        guard let mailbox = list.mailboxes.first else { return .none(because: "its From field has no address") }
        guard list.mailboxes.count == 1 else {
            return .none(because: "its From field has \(list.mailboxes.count) addresses")
        }
        guard list.reading != .doubtful else { return .none(because: "its From field cannot be read without doubt") }
        if let other = ShownAddresses.other(than: mailbox.address, in: field) {
            return .none(because: "its From field shows \(other.quotedBriefly) beside the address \(mailbox.address)")
        }
        return .one(mailbox.address)
    }
}

/// Looks for addresses in what readers show of a field: mail programs show the display name alone, so that an address
/// in it passes for the author's.
enum ShownAddresses {
    /// - Returns: The first address in `field`, in its display names, quoted strings and comments too, that is not
    ///   `address`; the whole text if it overrides the direction in which it is shown.
    static func other(than address: AddrSpec, in field: HeaderField) -> String? {
        let body = field.unfoldedBody
        let known = CanonicalAddress(address)
        let written = body.text
        let decoded = EncodedWords.decode(body, using: BuiltInCharsets())
        for text in written == decoded ? [written] : [written, decoded] {
            if text.unicodeScalars.contains(where: overridesDirection) { return text }
            for forms in addresses(in: text) where !forms.contains(where: { CanonicalAddress($0) == known }) {
                return forms.last
            }
        }
        return nil
    }

    /// Returns the words that look like an address of a mail domain to a person: text, an at sign, and a name with a
    /// dot in it. Each is returned as written and without the punctuation around it.
    private static func addresses(in text: String) -> [[String]] {
        guard text.unicodeScalars.contains(where: isAt) else { return [] }
        var found: [[String]] = []
        // Invisible characters separate nothing for the eye.
        let seen = text.unicodeScalars.filter { $0.isASCII || $0.properties.generalCategory != .format }
        for word in String.UnicodeScalarView(seen).split(whereSeparator: isSeparator) where word.contains(where: isAt) {
            var bare = word
            while let first = bare.first, isTrimmed(first) { bare.removeFirst() }
            while let last = bare.last, isTrimmed(last) { bare.removeLast() }
            let forms = [word, bare].compactMap(address)
            if !forms.isEmpty { found.append(forms) }
        }
        return found
    }

    private static func address(_ word: Substring.UnicodeScalarView) -> String? {
        guard let at = word.lastIndex(where: isAt) else { return nil }
        let domain = word[word.index(after: at)...]
        let local = word[..<at]
        guard !local.isEmpty, domain.contains(where: isDot) else { return nil }
        return String(String.UnicodeScalarView(local)) + "@" + String(String.UnicodeScalarView(domain))
    }

    /// The overrides of the direction (UAX 9 §2.2). The characters after them are shown in another order than they are
    /// written, so that a reader may see an address that is written nowhere. No language needs them.
    private static func overridesDirection(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value == 0x202D || scalar.value == 0x202E
    }

    /// The commercial at in each of its forms.
    private static func isAt(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value == 0x40 || scalar.value == 0xFE6B || scalar.value == 0xFF20
    }

    /// The full stops that are taken for a dot in a domain (UTS 46 §2.3), and the small one.
    private static func isDot(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x2E, 0x3002, 0xFE52, 0xFF0E, 0xFF61: true
        default: false
        }
    }

    private static func isTrimmed(_ scalar: Unicode.Scalar) -> Bool {
        isDot(scalar) || ["'", "`", "*", "!", "?", "=", "_"].contains(scalar)
    }

    private static func isSeparator(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return isASCIISeparator(scalar) }
        switch scalar.properties.generalCategory {
        case .control, .spaceSeparator, .lineSeparator, .paragraphSeparator, .initialPunctuation, .finalPunctuation,
            .openPunctuation, .closePunctuation:
            return true
        default: return false
        }
    }

    /// The same for US-ASCII: the categories above without braces, and what separates addresses.
    private static func isASCIISeparator(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\0"..."\u{20}", "\u{7F}", "(", ")", "[", "]", "<", ">", ",", ";", ":", "\"", "\\": true
        default: false
        }
    }
}
