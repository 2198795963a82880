internal import Octets

/// Splits PDF syntax into tokens (ISO 32000-1 §7.2), without memory of its own.
struct PDFLexer {
    enum Token: Equatable {
        case integer(Int)
        /// The others by their place; brackets and slash included.
        case real(Range<Int>)
        case name(Range<Int>)
        case literalString(Range<Int>)
        case hexadecimalString(Range<Int>)
        case arrayOpen, arrayClose, dictionaryOpen, dictionaryClose
        case keyword(Range<Int>)
        case end
    }

    let octets: UnsafeRawBufferPointer
    var position: Int
    /// The beginning of the present token.
    private(set) var start = 0

    init(_ octets: UnsafeRawBufferPointer, at position: Int = 0) {
        self.octets = octets
        self.position = position
    }

    /// The next token; blanks and comments before it are skipped.
    mutating func next() throws(PDFSyntaxError) -> Token {
        skipBlanks()
        start = position
        guard position < octets.count else { return .end }
        let first = octets[position]
        position += 1
        switch first {
        case UInt8(ascii: "/"):
            skipRegular()
            return .name(start..<position)
        case UInt8(ascii: "("): return try literalString()
        case UInt8(ascii: "["): return .arrayOpen
        case UInt8(ascii: "]"): return .arrayClose
        case UInt8(ascii: "<"):
            if position < octets.count, octets[position] == UInt8(ascii: "<") {
                position += 1
                return .dictionaryOpen
            }
            guard let close = octets.firstOffset(of: UInt8(ascii: ">"), from: position) else {
                // All of it was searched, and must be counted as work.
                position = octets.count
                throw .damaged("a hexadecimal string at \(start) has no end")
            }
            position = close + 1
            return .hexadecimalString(start..<position)
        case UInt8(ascii: ">"):
            guard position < octets.count, octets[position] == UInt8(ascii: ">") else {
                throw .damaged("a lone > at \(start)")
            }
            position += 1
            return .dictionaryClose
        case UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: ")"): throw .damaged("an odd delimiter at \(start)")
        default:
            skipRegular()
            return numberOrKeyword()
        }
    }

    /// Returns true if the word `text` stands at `position`, and then moves behind it.
    mutating func consume(_ text: StaticString) -> Bool {
        let word = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        guard octets.holds(word, at: position) else { return false }
        position += word.count
        return true
    }

    func isKeyword(_ token: Token, _ text: StaticString) -> Bool {
        guard case .keyword(let range) = token, range.count == text.utf8CodeUnitCount else { return false }
        return octets.holds(
            UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount), at: range.lowerBound)
    }

    /// A name token without slash and escapes (§7.3.5).
    func name(_ range: Range<Int>) -> String {
        let octets = octets.part((range.lowerBound + 1)..<range.upperBound)
        // Nearly all are plain: ASCII is the same in UTF-8.
        guard octets.contains(where: { $0 >= 0x80 || $0 == UInt8(ascii: "#") }) else {
            return String(decoding: octets, as: UTF8.self)
        }
        return Self.unescaped(octets)
    }

    /// Returns true if a name token stands for `text`, an ASCII name. This costs less than making the name.
    func isName(_ range: Range<Int>, _ text: StaticString) -> Bool {
        let word = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        if range.count == word.count + 1 { return octets.holds(word, at: range.lowerBound + 1) }
        guard range.count > word.count + 1, range.count <= 3 * word.count + 1 else { return false }
        return Self.unescaped(octets.part((range.lowerBound + 1)..<range.upperBound)).utf8.elementsEqual(word)
    }

    private static func unescaped(_ octets: UnsafeRawBufferPointer) -> String {
        var name = String.UnicodeScalarView()
        var index = 0
        while index < octets.count {
            var octet = octets[index]
            index += 1
            if octet == UInt8(ascii: "#"), index + 1 < octets.count,
                let high = hexadecimalDigit(octets[index]), let low = hexadecimalDigit(octets[index + 1])
            {
                octet = high << 4 | low
                index += 2
            }
            name.append(Unicode.Scalar(octet))
        }
        return String(name)
    }

    mutating func skipBlanks() {
        while position < octets.count {
            let octet = octets[position]
            if octet == UInt8(ascii: "%") {
                position = octets.firstLineEndOctet(from: position) ?? octets.count
            } else if !Self.isBlank(octet) {
                return
            } else {
                position += 1
            }
        }
    }

    private mutating func skipRegular() {
        while position < octets.count, Self.isRegular(octets[position]) { position += 1 }
    }

    private mutating func literalString() throws(PDFSyntaxError) -> Token {
        var depth = 1
        while position < octets.count {
            switch octets[position] {
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"): depth -= 1
            case UInt8(ascii: "\\"): position += 1
            default: break
            }
            position += 1
            if depth == 0 { return .literalString(start..<position) }
        }
        throw .damaged("a string at \(start) has no end")
    }

    private func numberOrKeyword() -> Token {
        var index = start
        if octets[index] == UInt8(ascii: "+") || octets[index] == UInt8(ascii: "-") { index += 1 }
        var value = 0
        var digits = 0
        var points = 0
        while index < position {
            switch octets[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                digits += 1
                if points == 0 {
                    let (product, high) = value.multipliedReportingOverflow(by: 10)
                    let (sum, carry) = product.addingReportingOverflow(Int(octets[index] & 15))
                    // A number too large to count with is still a number.
                    if high || carry { points = 1 } else { value = sum }
                }
            case UInt8(ascii: "."): points += 1
            default: return .keyword(start..<position)
            }
            index += 1
        }
        guard digits > 0, points <= 1 else { return .keyword(start..<position) }
        if points == 1 { return .real(start..<position) }
        return .integer(octets[start] == UInt8(ascii: "-") ? -value : value)
    }

    static func hexadecimalDigit(_ octet: UInt8) -> UInt8? {
        switch octet {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): octet & 15
        case UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: "a")...UInt8(ascii: "f"): (octet & 15) + 9
        default: nil
        }
    }

    /// §7.2.2, table 1.
    static func isBlank(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x00, 0x09, 0x0A, 0x0C, 0x0D, 0x20: true
        default: false
        }
    }

    private static func isRegular(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "["),
            UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "/"), UInt8(ascii: "%"):
            false
        default: !isBlank(octet)
        }
    }
}
