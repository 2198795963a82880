package import Octets

/// Names an indirect object (ISO 32000-1 §7.3.10).
package struct IndirectReference: Hashable, Sendable, CustomStringConvertible {
    package let number: Int
    package let generation: Int

    package init(number: Int, generation: Int) {
        self.number = number
        self.generation = generation
    }

    package var description: String { "\(number) \(generation) R" }
}

/// An object as it is written, references not followed (ISO 32000-1 §7.3).
///
/// Two values are equal when they mean the same: a number or a string may be written in more than one way.
package enum PDFValue: Hashable, Sendable {
    case null
    case boolean(Bool)
    case integer(Int)
    /// The number as written; only ``number`` computes with it.
    case real(String)
    case string(PDFString)
    /// Without its slash, `#` escapes undone, one Unicode scalar (U+0000 to U+00FF) for each octet.
    case name(String)
    case array([PDFValue])
    case dictionary(PDFDictionary)
    case reference(IndirectReference)

    package static func == (left: PDFValue, right: PDFValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.boolean(let left), .boolean(let right)): left == right
        case (.integer(let left), .integer(let right)): left == right
        case (.real(let left), .real(let right)): left == right || decimal(left) == decimal(right)
        case (.integer(let integer), .real(let real)), (.real(let real), .integer(let integer)):
            String(integer) == decimal(real)
        case (.string(let left), .string(let right)): left == right
        case (.name(let left), .name(let right)): left == right
        case (.array(let left), .array(let right)): left == right
        case (.dictionary(let left), .dictionary(let right)): left == right
        case (.reference(let left), .reference(let right)): left == right
        default: false
        }
    }

    package func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .boolean(let value): hasher.combine(value)
        case .integer(let value): hasher.combine(String(value))
        case .real(let text): hasher.combine(Self.decimal(text))
        case .string(let value): hasher.combine(value)
        case .name(let value): hasher.combine(value)
        case .array(let value): hasher.combine(value)
        case .dictionary(let value): hasher.combine(value)
        case .reference(let value): hasher.combine(value)
        }
    }

    /// A number without a plus sign and without the zeros that add nothing: `612` for `+0612.00`.
    private static func decimal(_ text: String) -> String {
        let isNegative = text.hasPrefix("-")
        let digits = isNegative || text.hasPrefix("+") ? text.dropFirst() : text[...]
        let parts = digits.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let whole = (parts.first ?? "").drop { $0 == "0" }
        var fraction = parts.count > 1 ? parts[1] : ""
        while fraction.last == "0" { fraction.removeLast() }
        let value = (whole.isEmpty ? "0" : String(whole)) + (fraction.isEmpty ? "" : "." + fraction)
        return isNegative && value != "0" ? "-" + value : value
    }

    package var integer: Int? { if case .integer(let value) = self { value } else { nil } }
    package var name: String? { if case .name(let value) = self { value } else { nil } }
    package var string: PDFString? { if case .string(let value) = self { value } else { nil } }
    package var array: [PDFValue]? { if case .array(let value) = self { value } else { nil } }
    package var dictionary: PDFDictionary? { if case .dictionary(let value) = self { value } else { nil } }
    package var reference: IndirectReference? { if case .reference(let value) = self { value } else { nil } }

    /// The value of an integer or real.
    package var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .real(let text): Double(text.hasSuffix(".") ? text + "0" : text)
        default: nil
        }
    }
}

/// Keys and values; a key with the value null is the same as none (§7.3.7).
package struct PDFDictionary: Hashable, Sendable {
    package private(set) var entries: [String: PDFValue] = [:]
    /// True if a key was written twice, so that readers may take different values.
    package internal(set) var hasDuplicates = false

    package init() {}

    mutating func set(_ key: String, _ value: PDFValue) {
        if case .null = value {
            if entries[key] != nil { hasDuplicates = true }
        } else if entries.updateValue(value, forKey: key) != nil {
            hasDuplicates = true
        }
    }

    /// The value, null when there is none.
    package subscript(key: String) -> PDFValue { entries[key] ?? .null }
}

/// A string where it stands, decoded only when asked for, so that a large one costs no copy.
package struct PDFString: Hashable, Sendable {
    /// The token with its brackets.
    package let token: OctetString
    /// The place of the token, in the file or in its object stream.
    package let range: Range<Int>

    package init(token: OctetString, range: Range<Int>) {
        self.token = token
        self.range = range
    }

    package var isHexadecimal: Bool { token.first == UInt8(ascii: "<") }

    /// The octets that the token stands for (§7.3.4).
    package var octets: [UInt8] {
        token.withUnsafeBytes { token in
            guard token.count >= 2 else { return [] }
            let body = UnsafeRawBufferPointer(rebasing: token[1..<(token.count - 1)])
            return isHexadecimal ? Self.hexadecimal(body) : Self.literal(body)
        }
    }

    package static func == (left: PDFString, right: PDFString) -> Bool {
        left.token == right.token || left.octets == right.octets
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(octets) }

    private static func hexadecimal(_ body: UnsafeRawBufferPointer) -> [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(body.count / 2)
        var high: UInt8?
        for octet in body {
            guard let digit = PDFLexer.hexadecimalDigit(octet) else { continue }
            if let first = high {
                octets.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        // A missing last digit is a zero (§7.3.4.3).
        if let high { octets.append(high << 4) }
        return octets
    }

    private static func literal(_ body: UnsafeRawBufferPointer) -> [UInt8] {
        var octets: [UInt8] = []
        var index = 0
        while index < body.count {
            let octet = body[index]
            index += 1
            guard octet == UInt8(ascii: "\\"), index < body.count else {
                // A line end of any kind stands for LF.
                if octet == 0x0D {
                    if index < body.count, body[index] == 0x0A { index += 1 }
                    octets.append(0x0A)
                } else {
                    octets.append(octet)
                }
                continue
            }
            let escaped = body[index]
            index += 1
            switch escaped {
            case UInt8(ascii: "n"): octets.append(0x0A)
            case UInt8(ascii: "r"): octets.append(0x0D)
            case UInt8(ascii: "t"): octets.append(0x09)
            case UInt8(ascii: "b"): octets.append(0x08)
            case UInt8(ascii: "f"): octets.append(0x0C)
            case 0x0A: break
            case 0x0D: if index < body.count, body[index] == 0x0A { index += 1 }
            case UInt8(ascii: "0")...UInt8(ascii: "7"):
                var value = Int(escaped & 7)
                var digits = 1
                while digits < 3, index < body.count, (0x30...0x37).contains(body[index]) {
                    value = value << 3 | Int(body[index] & 7)
                    index += 1
                    digits += 1
                }
                octets.append(UInt8(truncatingIfNeeded: value))
            default: octets.append(escaped)
            }
        }
        return octets
    }
}
