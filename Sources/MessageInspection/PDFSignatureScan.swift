/// Looks through a PDF for signs of a filled signature field (ISO 32000-1 §12.7.4.5, §12.8.1), in one pass and constant memory.
///
/// It reads names, not structure: a signature must stand in the file uncompressed, because /ByteRange speaks of places
/// in it. Within one object it takes for a signature a dictionary with /ByteRange and /Contents, or a field with
/// /FT /Sig whose /V is a dictionary or a reference. So it errs towards "signed" where a file is made to look so;
/// whether the signature is any good is found by verifying it.
struct PDFSignatureScan {
    /// Whether a signature was seen so far.
    private(set) var isSigned = false

    private enum State {
        case between
        /// In a name, with its octets so far.
        case name
        /// After `/V`: white space, then what the value begins with.
        case value
        /// In the first number after `/V`, the second, or after both: only a reference (`12 0 R`) is made so.
        case objectNumber, generation, reference
    }
    private var state = State.between
    private var name: [UInt8] = []
    /// How many octets of `endobj` were matched.
    private var matched = 0
    private var previousName: [UInt8] = []
    private var marks = Marks()

    /// What was seen in the present object.
    private struct Marks {
        var byteRange = false
        var contents = false
        var signatureField = false
        var value = false
        /// A usage right that some forms carry (§12.8.2.3) has the form of a signature and is none of a person.
        var usageRight = false
    }

    private static let endOfObject = Array("endobj".utf8)
    /// Longer than every name looked for, `#` escapes included.
    private static let longestName = 48

    mutating func scan(_ octets: UnsafeRawBufferPointer) {
        var index = 0
        while index < octets.count && !isSigned {
            if state == .between && matched == 0 {
                // Most octets of a PDF are those of compressed streams: only what begins something is looked at.
                while index < octets.count, octets[index] != UInt8(ascii: "/"), octets[index] != UInt8(ascii: "e") {
                    index += 1
                }
                guard index < octets.count else { return }
            }
            take(octets[index])
            index += 1
        }
    }

    /// Says that there is no more.
    mutating func finish() {
        if state == .name { endName() }
        settle()
    }

    private mutating func take(_ octet: UInt8) {
        matchEndOfObject(octet)
        switch state {
        case .between:
            if octet == UInt8(ascii: "/") { beginName() }
        case .name:
            if octet == UInt8(ascii: "/") {
                endName()
                beginName()
            } else if Self.isDelimiter(octet) {
                endName()
                if name == Array("V".utf8) {
                    state = .value
                    readValue(octet)
                } else {
                    state = .between
                }
            } else if name.count <= Self.longestName {
                name.append(octet)
            }
        case .value, .objectNumber, .generation, .reference: readValue(octet)
        }
    }

    private mutating func beginName() {
        state = .name
        name.removeAll(keepingCapacity: true)
    }

    private mutating func readValue(_ octet: UInt8) {
        let isDigit = (0x30...0x39).contains(octet)
        let isBlank = Self.isBlank(octet)
        switch state {
        case .value where isBlank: return
        case .value where isDigit: state = .objectNumber
        case .objectNumber where isDigit: return
        case .objectNumber where isBlank: state = .generation
        case .generation where isDigit || isBlank: return
        case .value where octet == UInt8(ascii: "<"), .generation where octet == UInt8(ascii: "R"):
            marks.value = true
            state = .between
        default: state = octet == UInt8(ascii: "/") ? .name : .between
        }
        if state == .name { beginName() }
    }

    private mutating func endName() {
        name = Self.unescaped(name)
        switch String(decoding: name, as: UTF8.self) {
        case "ByteRange": marks.byteRange = true
        case "Contents": marks.contents = true
        case "UR", "UR3": marks.usageRight = true
        case "Sig" where previousName == Array("FT".utf8): marks.signatureField = true
        default: break
        }
        previousName = name
    }

    private mutating func matchEndOfObject(_ octet: UInt8) {
        guard octet == Self.endOfObject[matched] else {
            matched = octet == Self.endOfObject[0] ? 1 : 0
            return
        }
        matched += 1
        if matched == Self.endOfObject.count {
            matched = 0
            if state == .name { endName() }
            state = .between
            settle()
        }
    }

    /// Judges the object that ends here.
    private mutating func settle() {
        let isSignature = marks.byteRange && marks.contents && !marks.usageRight
        if isSignature || marks.signatureField && marks.value { isSigned = true }
        marks = Marks()
        previousName = []
    }

    /// §7.3.5: `#` and two hexadecimal digits stand for an octet.
    private static func unescaped(_ name: [UInt8]) -> [UInt8] {
        guard name.contains(UInt8(ascii: "#")) else { return name }
        var plain: [UInt8] = []
        var index = 0
        while index < name.count {
            if name[index] == UInt8(ascii: "#"), index + 2 < name.count,
                let octet = UInt8(String(decoding: name[(index + 1)...(index + 2)], as: UTF8.self), radix: 16)
            {
                plain.append(octet)
                index += 3
            } else {
                plain.append(name[index])
                index += 1
            }
        }
        return plain
    }

    /// §7.2.2, table 1.
    private static func isBlank(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x00, 0x09, 0x0A, 0x0C, 0x0D, 0x20: true
        default: false
        }
    }

    /// What ends a name, but for the `/` of the next one (§7.2.2, tables 1 and 2).
    private static func isDelimiter(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "["),
            UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "%"):
            true
        default: isBlank(octet)
        }
    }
}
