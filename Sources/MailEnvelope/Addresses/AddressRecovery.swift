/// Reads one element of an address list that the grammar does not allow, as the mail readers in use do.
///
/// What counts as quoted is tried in turn: quoted strings and comments as the grammar has them; then without quoted
/// strings, because a quote is missing or one too many; then without comments as well.
struct AddressRecovery {
    enum Content {
        /// - Parameter isPlain: True if every reader finds the same address.
        case mailbox(Mailbox, isPlain: Bool)
        /// The name of a group; its members follow.
        case group
        /// Words that are known to name no recipient.
        case nobody
        case unreadable
    }

    /// The number of octets read, some of them more than once.
    private(set) var work = 0
    private let cursor: FieldCursor

    /// - Parameter cursor: At the first octet of the element.
    init(cursor: FieldCursor) { self.cursor = cursor }

    /// - Returns: The content of the element, and its end: before the separator, or behind the colon of a group.
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

extension UInt8 {
    /// True if the octet may stand in an unquoted display name without a reader taking another address for the
    /// author's, because it separates nothing.
    fileprivate var isPlainInDisplayName: Bool {
        isAtext || isBlankOrCR || self == 0x2E || self == 0x40 || self == 0x5B || self == 0x5D
            || self == ElementText.stringMask || self == ElementText.commentMask
    }
}

extension AddrSpec {
    /// Returns true if it is the same person's, whatever the case and the form of the domain.
    fileprivate func isSame(as other: AddrSpec) -> Bool { CanonicalAddress(self) == CanonicalAddress(other) }
}
