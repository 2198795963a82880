/// Readings of short pieces of an element.
enum AddressText {
    /// Returns the address that is the whole of `text`, apart from its wrapping.
    /// - Returns: With it, whether every reader takes it so: it is by the grammar, or only its dots are not.
    static func address(in text: ArraySlice<UInt8>) -> (address: AddrSpec, isStrict: Bool)? {
        var text = trimmed(text)
        guard text.count <= maximumOctets, text.contains(0x40) else { return nil }
        if let address = exact(text) { return (address, true) }
        // Each turn removes one layer; real addresses have fewer.
        for _ in 0..<8 {
            if let inner = unwrapped(text) {
                text = trimmed(inner)
            } else if let scheme = schemes.first(where: { scheme in
                text.count > scheme.count && zip(text, scheme).allSatisfy { $0.asciiLowercased == $1 }
            }) {
                text = trimmed(text.dropFirst(scheme.count).prefix { $0 != 0x3F })
            } else if let seen = withoutInvisibleEnds(text) {
                text = trimmed(seen)
            } else {
                // The dot of the DNS root, which no domain of mail has (RFC 5321 §2.3.5), or a bracket too many.
                let end = text.lastIndex { $0 != 0x2E && $0 != 0x3E && $0 != 0x2C && $0 > 0x20 }
                guard let end, end + 1 < text.endIndex else { return nil }
                text = text[...end]
            }
            if let address = exact(text) { return (address, false) }
        }
        return nil
    }

    /// No address comes near this (RFC 5321 §4.5.3.1).
    private static let maximumOctets = 1_000

    private static let schemes = [Array("mailto:".utf8), Array("smtp:".utf8)]

    /// An addr-spec by the grammar, or one whose dots alone are misplaced in its local-part: carriers gave such
    /// addresses out.
    private static func exact(_ text: ArraySlice<UInt8>) -> AddrSpec? {
        guard let string = String(validating: text, as: UTF8.self),
            !EncodedWords.isWord(Array(text.prefix { $0 != 0x40 }))
        else { return nil }
        if let address = AddrSpec(parsing: string) { return address }
        guard let at = text.firstIndex(of: 0x40), text[..<at].allSatisfy({ $0.isAtext || $0 == 0x2E }),
            text[..<at].contains(where: { $0 != 0x2E })
        else { return nil }
        let domain = String(decoding: text[(at + 1)...], as: UTF8.self)
        guard !domain.utf8.contains(0x40) else { return nil }
        return AddrSpec(localPart: String(decoding: text[..<at], as: UTF8.self), domain: domain)
    }

    /// Without blanks and control characters at both ends.
    static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var text = text
        while let first = text.first, first <= 0x20 || first == 0x7F { text.removeFirst() }
        while let last = text.last, last <= 0x20 || last == 0x7F { text.removeLast() }
        return text
    }

    /// Returns the text without the invisible characters at both ends that a copy from another text brings along: marks
    /// of direction, no-break spaces, zero-width ones. Nil if there are none.
    private static func withoutInvisibleEnds(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let string = String(validating: text, as: UTF8.self) else { return nil }
        var scalars = string.unicodeScalars[...]
        while let first = scalars.first, isInvisible(first) { scalars.removeFirst() }
        while let last = scalars.last, isInvisible(last) { scalars.removeLast() }
        guard scalars.startIndex > string.startIndex || scalars.endIndex < string.endIndex else { return nil }
        return Array(String(String.UnicodeScalarView(scalars)).utf8)[...]
    }

    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .format || scalar.properties.generalCategory == .spaceSeparator
    }

    /// Returns the text within a pair of quotes, apostrophes or brackets around all of `text`; nil if there is none.
    static func unwrapped(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        for (opening, closing) in wrappers where text.count > opening.count + closing.count {
            if text.starts(with: opening) && text.suffix(closing.count).elementsEqual(closing) {
                return text.dropFirst(opening.count).dropLast(closing.count)
            }
        }
        return nil
    }

    private static let wrappers: [(opening: [UInt8], closing: [UInt8])] = [
        ("'", "'"), ("\"", "\""), ("`", "'"), ("`", "`"), ("[", "]"), ("(", ")"), ("<", ">"), ("\u{2018}", "\u{2019}"),
        ("\u{201C}", "\u{201D}"), ("\u{201E}", "\u{201C}"), ("\u{201E}", "\u{201D}"),
    ].map { (Array($0.utf8), Array($1.utf8)) }

    /// Without a comment that begins and never ends, before the address or behind it.
    static func withoutOpenComment(_ octets: [UInt8]) -> [UInt8] {
        guard let open = octets.lastIndex(of: 0x28), !octets[open...].contains(0x29) else { return octets }
        let before = trimmed(octets[..<open])
        return Array(before.isEmpty ? octets[(open + 1)...] : octets[..<open])
    }

    /// The display text before an angle bracket, without the quotes around all of it; nil when there is none.
    static func displayName(_ text: ArraySlice<UInt8>) -> String? {
        var text = trimmed(text)
        if text.count > 1, text.first == 0x22, text.last == 0x22 { text = text.dropFirst().dropLast() }
        return text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
    }
}
