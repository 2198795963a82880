/// Reads one element of an address list that the grammar does not allow, as the mail readers in use do.
///
/// What counts as quoted is tried in turn: quoted strings and comments as the grammar has them; then without quoted
/// strings, because a quote is missing or one too many; then without comments as well.
struct AddressRecovery {
    enum Content {
        /// - Parameter isPlain: Every reader comes to the same address.
        case mailbox(Mailbox, isPlain: Bool)
        /// The name of a group; its members follow.
        case group
        /// Words that are known to name nobody.
        case nobody
        case unreadable
    }

    /// The octets looked at, some of them more than once.
    private(set) var work = 0
    private let cursor: FieldCursor

    /// - Parameter cursor: At the first octet of the element.
    init(cursor: FieldCursor) { self.cursor = cursor }

    /// - Returns: What the element holds, and where it ends: before the separator, or behind the colon of a group.
    mutating func read() -> (content: Content, end: Int) {
        let start = cursor.index
        var end: Int?
        for mode in [ElementText.Mode.standard, .withoutStrings, .withoutComments] {
            guard let text = ElementText(cursor, mode) else {
                work += cursor.end - start
                continue
            }
            work += text.end - start
            if let content = Self.content(of: text) {
                if case .group = content, let colon = text.groupColon { return (content, start + colon + 1) }
                return (content, text.end)
            }
            end = end ?? text.end
        }
        return (.unreadable, end ?? cursor.end)
    }

    private static func content(of text: ElementText) -> Content? {
        if text.mode == .standard && text.groupColon != nil && !text.namesNobody { return .group }
        if text.namesNobody { return .nobody }
        return text.masked.contains(0x3C) ? inBrackets(text) : bare(text)
    }

    // MARK: - Angle brackets

    /// The address in angle brackets behind any display text. Of several that differ none is taken: each may be meant.
    private static func inBrackets(_ text: ElementText) -> Content? {
        let masked = text.masked
        var found: (address: AddrSpec, isStrict: Bool, display: Range<Int>, behind: Int, isDoubled: Bool)?
        var index = 0
        while let open = masked[index...].firstIndex(of: 0x3C) {
            var inner = open
            while inner < masked.count, masked[inner] == 0x3C || masked[inner].isBlankOrCR { inner += 1 }
            let close = masked[inner...].firstIndex { $0 == 0x3E || $0 == 0x3C } ?? masked.count
            var behind = close
            while behind < masked.count, masked[behind] == 0x3E { behind += 1 }
            let isDoubled = behind != close + 1 || masked[open..<inner].count { $0 == 0x3C } != 1
            if let (address, isStrict) = AddressText.address(in: text.octets[inner..<close]) {
                if let found, found.address != address { return nil }
                found = found ?? (address, isStrict, 0..<open, behind, isDoubled)
            } else if text.octets[inner..<close].contains(0x40) {
                return nil
            }
            index = max(behind, open + 1)
        }
        guard let found, !masked[found.behind...].contains(0x40) else { return nil }
        let isPlain =
            text.mode == .standard && found.isStrict && !found.isDoubled
            && masked[found.display].allSatisfy(\.isPlainInDisplayName)
            // A mask is one of the control characters, and separates words here.
            && masked[found.display].split { $0 <= 0x20 }.filter { $0.contains(0x40) }.allSatisfy {
                AddressText.address(in: $0)?.address.isSame(as: found.address) == true
            }
            && masked[found.behind...].allSatisfy { $0.isBlankOrCR || $0 == ElementText.commentMask }
        let name = AddressText.displayName(text.octets[found.display])
        return .mailbox(Mailbox(displayName: name, address: found.address), isPlain: isPlain)
    }

    // MARK: - Without brackets

    /// An address that is the whole element, comments apart: words beside it leave open where it begins.
    private static func bare(_ text: ElementText) -> Content? {
        var octets: [UInt8] = []
        for index in text.octets.indices where text.masked[index] != ElementText.commentMask {
            octets.append(text.octets[index])
        }
        if text.mode == .withoutComments { octets = AddressText.withoutOpenComment(octets) }
        if let (address, isStrict) = AddressText.address(in: octets[...]) {
            let isPlain =
                text.mode == .standard && isStrict
                && text.masked.allSatisfy { $0 >= 0x20 || $0.isBlankOrCR || $0 == ElementText.commentMask }
            return .mailbox(Mailbox(displayName: nil, address: address), isPlain: isPlain)
        }
        // A whole mailbox in quotes.
        guard octets.count <= 2_000, octets.contains(0x40),
            let inner = AddressText.unwrapped(AddressText.trimmed(octets[...]))
        else { return nil }
        let list = AddressList(parsing: String(decoding: inner, as: UTF8.self))
        guard list.isWellFormed, list.mailboxes.count == 1 else { return nil }
        return .mailbox(list.mailboxes[0], isPlain: false)
    }
}

/// The octets of one element up to its separator, and the same with what is quoted masked.
struct ElementText {
    enum Mode { case standard, withoutStrings, withoutComments }

    static let stringMask: UInt8 = 0x01
    static let commentMask: UInt8 = 0x02
    /// Within quotes that the grammar does not know.
    static let oddMask: UInt8 = 0x04

    let mode: Mode
    let octets: [UInt8]
    let masked: [UInt8]
    /// Where it ends, in octets from the beginning of the field body.
    let end: Int

    /// - Returns: nil when a string or a comment that counts in `mode` never ends.
    init?(_ given: FieldCursor, _ mode: Mode) {
        var cursor = given
        let start = cursor.index
        var masked: [UInt8] = []
        while !cursor.isAtEnd {
            let before = cursor.index
            var mask: UInt8?
            switch cursor.current {
            case 0x2C, 0x3B:
                self.init(mode, cursor, start..<before, masked)
                return
            case 0x22 where mode == .standard:
                _ = cursor.takeQuotedString()
                mask = Self.stringMask
            case 0x28 where mode != .withoutComments:
                cursor.skipCFWS()
                mask = Self.commentMask
            case _ where masked.isEmpty && mode == .standard:
                if let length = Self.lengthOfOddQuotes(cursor) {
                    cursor.go(to: before + length)
                    mask = Self.oddMask
                } else {
                    cursor.advance()
                }
            case 0x5B where mode == .standard: cursor.go(to: before + Self.lengthOfBrackets(cursor))
            default: cursor.advance()
            }
            if cursor.isMalformed { return nil }
            if let mask {
                masked += [UInt8](repeating: mask, count: cursor.index - before)
            } else {
                masked += cursor.slice(before..<cursor.index).map { $0 < 0x09 ? 0x03 : $0 }
            }
        }
        self.init(mode, cursor, start..<cursor.index, masked)
    }

    private init(_ mode: Mode, _ cursor: FieldCursor, _ range: Range<Int>, _ masked: [UInt8]) {
        self.mode = mode
        octets = [UInt8](cursor.slice(range))
        self.masked = masked
        end = range.upperBound
    }

    /// Where the colon behind the name of a group stands: before it no address, no angle bracket, and no open bracket.
    var groupColon: Int? {
        guard let index = masked.firstIndex(where: { $0 == 0x3A || $0 == 0x3C || $0 == 0x40 }), masked[index] == 0x3A,
            masked[..<index].count(where: { $0 == 0x5B }) <= masked[..<index].count(where: { $0 == 0x5D })
        else { return nil }
        return index
    }

    /// `undisclosed recipients`, with which mail programs fill an empty To field, in the forms in which they break
    /// it; and the bracket that is left of one.
    var namesNobody: Bool {
        let words = String(decoding: octets, as: UTF8.self).asciiLowercased
        if words.contains("undisclosed") && words.contains("recipient") && !words.contains("@") { return true }
        return AddressText.trimmed(octets[...]).elementsEqual(CollectionOfOne(0x3E))
    }

    /// The length of a display name in apostrophes or typographic quotes at the cursor, such as `'Smith, Bob'
    /// <bob@x>`: up to a closing one before which no address stands, and behind which the bracket follows.
    private static func lengthOfOddQuotes(_ cursor: FieldCursor) -> Int? {
        let window = cursor.slice(cursor.index..<min(cursor.end, cursor.index + 300))
        for (opening, closings) in oddQuotes where window.starts(with: opening) {
            guard let bracket = window.firstIndex(where: { $0 == 0x3C || $0 == 0x40 || $0 == 0x22 || $0 == 0x3B }),
                window[bracket] == 0x3C
            else { return nil }
            var end = bracket
            while end > 0, window[end - 1].isBlankOrCR { end -= 1 }
            let name = window[opening.count..<max(end, opening.count)]
            guard closings.contains(where: { name.suffix($0.count).elementsEqual($0) }) else { return nil }
            return end
        }
        return nil
    }

    private static let oddQuotes: [(opening: [UInt8], closings: [[UInt8]])] = [
        (Array("'".utf8), [Array("'".utf8)]),
        (Array("\u{201C}".utf8), [Array("\u{201D}".utf8)]),
        (Array("\u{201E}".utf8), [Array("\u{201C}".utf8), Array("\u{201D}".utf8)]),
        (Array("\u{2018}".utf8), [Array("\u{2019}".utf8)]),
    ]

    /// The length of `[Sales, North]` at the cursor, in which a comma separates nothing; 1 where it does not end soon.
    private static func lengthOfBrackets(_ cursor: FieldCursor) -> Int {
        let window = cursor.slice(cursor.index..<min(cursor.end, cursor.index + 200))
        let end = window.dropFirst().firstIndex { [0x5B, 0x5D, 0x3C, 0x3E, 0x40, 0x22, 0x28].contains($0) }
        guard let end, window[end] == 0x5D else { return 1 }
        return end + 1
    }
}

/// Readings of short pieces of an element.
enum AddressText {
    /// The address that is the whole of `text`, in whatever it is wrapped.
    /// - Returns: With it, whether every reader takes it so: it is by the grammar, or only its dots are not.
    static func address(in text: ArraySlice<UInt8>) -> (address: AddrSpec, isStrict: Bool)? {
        var text = trimmed(text)
        guard text.count <= mostOctets, text.contains(0x40) else { return nil }
        if let address = exact(text) { return (address, true) }
        // Each turn takes something away; nobody wraps an address more often.
        for _ in 0..<8 {
            if let inner = unwrapped(text) {
                text = trimmed(inner)
            } else if let scheme = schemes.first(where: { scheme in
                text.count > scheme.count && zip(text, scheme).allSatisfy { $0.asciiLowercased == $1 }
            }) {
                text = trimmed(text.dropFirst(scheme.count).prefix { $0 != 0x3F })
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
    private static let mostOctets = 1_000

    private static let schemes = [Array("mailto:".utf8), Array("smtp:".utf8)]

    /// An addr-spec by the grammar, or one whose dots alone are misplaced in its local-part: carriers gave such
    /// addresses out.
    private static func exact(_ text: ArraySlice<UInt8>) -> AddrSpec? {
        guard let string = String(validating: text, as: UTF8.self) else { return nil }
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

    /// What stands within a pair of quotes, apostrophes or brackets that is around all of `text`.
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

extension UInt8 {
    /// What may stand in an unquoted display name without a reader taking another address for the author's: it
    /// separates nothing.
    fileprivate var isPlainInDisplayName: Bool {
        isAtext || isBlankOrCR || self == 0x2E || self == 0x40 || self == 0x5B || self == 0x5D
            || self == ElementText.stringMask || self == ElementText.commentMask
    }
}

extension AddrSpec {
    /// Whether it is the same person's, whatever the case and the form of the domain.
    fileprivate func isSame(as other: AddrSpec) -> Bool { CanonicalAddress(self) == CanonicalAddress(other) }
}
