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
    /// The end, in octets from the beginning of the field body.
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
                _ = cursor.parseQuotedString()
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

    /// The place of the colon behind the name of a group: before it there is no address, no angle bracket, and no open
    /// bracket.
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
