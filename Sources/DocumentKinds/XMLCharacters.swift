public import Octets

/// The characters of an XML document, checked octet by octet before a library reads them.
///
/// A library may stop early: libxml2 takes a NUL behind the root element for the end of the document, and what stands
/// behind it is neither signed nor seen. It may also read octets otherwise than others do. So each document that is
/// signed or verified has only characters of XML 1.0 §2.2, in an encoding about which no two readers differ.
public enum XMLCharacters {
    /// Looks at every octet of `document`.
    /// - Returns: The document's beginning.
    /// - Throws: ``XMLTextFault`` for the first octets that are no character of XML.
    @discardableResult
    public static func check(_ document: OctetString) throws(XMLTextFault) -> XMLOpening {
        let opening = try XMLOpening(of: document)
        let fault = document.withUnsafeBytes { buffer -> XMLTextFault? in
            let octets = UnsafeRawBufferPointer(rebasing: buffer[opening.markLength...])
            var scan = CharacterScan(octets: octets)
            return switch opening.encoding {
            case .utf8: scan.utf8()
            case .ascii: scan.singleOctets(limit: 0x80)
            case .singleOctet: scan.singleOctets(limit: 0x100)
            case .utf16(let isBigEndian): scan.utf16(isBigEndian: isBigEndian)
            }
        }
        if let fault { throw fault }
        return opening
    }
}

/// One pass over the octets behind the byte order mark.
private struct CharacterScan {
    let octets: UnsafeRawBufferPointer
    private var index = 0

    init(octets: UnsafeRawBufferPointer) { self.octets = octets }

    /// A fault at `index`, with its line.
    private func fault(_ reason: String) -> XMLTextFault {
        var line = 1
        for octet in octets[..<min(index, octets.count)] where octet == 0x0A { line += 1 }
        return XMLTextFault(.malformed, line: line, reason)
    }

    private func forbidden(_ scalar: UInt32) -> XMLTextFault {
        let digits = String(scalar, radix: 16, uppercase: true)
        return fault(
            "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
                + " is no character of XML (XML 1.0 §2.2)")
    }

    /// XML 1.0 §2.2, without what no encoding can express.
    private static func isCharacter(_ scalar: UInt32) -> Bool {
        scalar >= 0x20 ? scalar != 0xFFFE && scalar != 0xFFFF : scalar == 0x09 || scalar == 0x0A || scalar == 0x0D
    }

    mutating func singleOctets(limit: Int) -> XMLTextFault? {
        while index < octets.count {
            let octet = octets[index]
            guard Int(octet) < limit else { return fault("an octet is not in the declared encoding") }
            guard Self.isCharacter(UInt32(octet)) else { return forbidden(UInt32(octet)) }
            index += 1
        }
        return nil
    }

    mutating func utf8() -> XMLTextFault? {
        while index < octets.count {
            let first = octets[index]
            if first < 0x80 {
                guard first >= 0x20 || Self.isCharacter(UInt32(first)) else { return forbidden(UInt32(first)) }
                index += 1
                continue
            }
            // RFC 3629 §4: no longer form than needed, no surrogate, nothing above U+10FFFF.
            let length: Int
            let least: UInt32
            switch first {
            case 0xC2...0xDF: (length, least) = (2, 0x80)
            case 0xE0...0xEF: (length, least) = (3, 0x800)
            case 0xF0...0xF4: (length, least) = (4, 0x1_0000)
            default: return fault("an octet is not in UTF-8, in which the document is said to be")
            }
            guard index + length <= octets.count else { return fault("the last character is cut off") }
            var scalar = UInt32(first) & (0xFF >> UInt32(length + 1))
            for next in octets[index + 1..<index + length] {
                guard next & 0xC0 == 0x80 else {
                    return fault("an octet is not in UTF-8, in which the document is said to be")
                }
                scalar = scalar << 6 | UInt32(next & 0x3F)
            }
            guard scalar >= least, scalar <= 0x10_FFFF, !(0xD800...0xDFFF).contains(scalar) else {
                return fault("an octet is not in UTF-8, in which the document is said to be")
            }
            guard Self.isCharacter(scalar) else { return forbidden(scalar) }
            index += length
        }
        return nil
    }

    mutating func utf16(isBigEndian: Bool) -> XMLTextFault? {
        guard octets.count.isMultiple(of: 2) else {
            index = octets.count
            return fault("the last character is cut off: UTF-16 has two octets for each")
        }
        var isAfterHigh = false
        while index < octets.count {
            let (first, second) = (UInt32(octets[index]), UInt32(octets[index + 1]))
            let unit = isBigEndian ? first << 8 | second : second << 8 | first
            let isLow = (0xDC00...0xDFFF).contains(unit)
            guard isLow == isAfterHigh else { return fault("half of a surrogate pair stands alone") }
            isAfterHigh = (0xD800...0xDBFF).contains(unit)
            guard isLow || isAfterHigh || Self.isCharacter(unit) else { return forbidden(unit) }
            index += 2
        }
        return isAfterHigh ? fault("half of a surrogate pair stands alone") : nil
    }
}
