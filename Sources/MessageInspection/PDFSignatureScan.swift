import Octets

/// Looks through a PDF for signs of a filled signature field (ISO 32000-1 §12.7.4.5, §12.8.1), in one pass and with
/// bounded memory and work.
///
/// It reads names, not structure. A signature must stand in the file uncompressed, because /ByteRange refers to places
/// in it, and names are not encrypted in an encrypted document. Within one object, a signature is a dictionary with
/// /ByteRange and /Contents, or a field with /FT /Sig whose /V is a dictionary or a reference. Fields are looked for in
/// object streams too, if these are not encrypted and together not larger than ``maximumDecompressed``; that finds a
/// field whose signature has been left out or broken. So the scan errs towards "signed" for a file that is made to look
/// so, or was signed in an earlier revision. Verification finds out whether the signature is valid.
struct PDFSignatureScan {
    /// True if a signature was seen so far.
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
    /// The number of octets of `endobj` that were matched.
    private var matched = 0
    private var previousName = PreviousName.other
    private var marks = Marks()
    /// The number of octets of `stream` that were matched, in an object that is an object stream.
    private var matchedStream = 0
    private var capture: ObjectStreamCapture?
    private var decompressible = maximumDecompressed

    /// The name before the present one in its object, as far as it matters.
    private enum PreviousName { case type, fieldType, other }

    /// The keys that were seen in the present object.
    private struct Marks {
        var byteRange = false
        var contents = false
        var signatureField = false
        var value = false
        var objectStream = false
        /// A usage right that some forms carry (§12.8.2.3) has the form of a signature and is not a person's signature.
        var usageRight = false
    }

    private static let endOfObject = Array("endobj".utf8)
    private static let beginOfStream = Array("stream".utf8)
    /// Of all object streams of one document together, octets. Some thousand pages have less.
    static let maximumDecompressed = 16 << 20
    /// Longer than every name looked for, `#` escapes included.
    private static let maximumNameLength = 48

    mutating func scan(_ octets: UnsafeRawBufferPointer) {
        var index = 0
        while index < octets.count && !isSigned {
            if state == .between && matched == 0 && !marks.objectStream && capture == nil {
                // Most octets of a PDF are those of compressed streams: only octets that begin something are examined.
                guard let next = octets.firstOffset(ofEither: UInt8(ascii: "/"), UInt8(ascii: "e"), from: index) else {
                    return
                }
                index = next
                if octets[next] == UInt8(ascii: "e"), next + 1 < octets.count, octets[next + 1] != UInt8(ascii: "n") {
                    index += 1
                    continue
                }
            }
            scan(octets[index])
            index += 1
        }
    }

    /// Says that there is no more.
    mutating func finish() {
        if state == .name { endName() }
        judgeObject()
    }

    private mutating func scan(_ octet: UInt8) {
        // Gathered octets are scanned here too: what only seems to be an object stream hides nothing.
        if capture != nil { gather(octet) }
        if marks.objectStream, matchesStream(octet) {
            marks.objectStream = false
            capture = ObjectStreamCapture()
        }
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
                if name.count == 1, name[0] == UInt8(ascii: "V") {
                    state = .value
                    readValue(octet)
                } else {
                    state = .between
                }
            } else if name.count <= Self.maximumNameLength {
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
        defer { previousName = isName("Type") ? .type : isName("FT") ? .fieldType : .other }
        // Most names are none of these, and the octets of compressed streams make many.
        guard (2...9).contains(name.count) else { return }
        if isName("ByteRange") { marks.byteRange = true }
        if isName("Contents") { marks.contents = true }
        if isName("UR") || isName("UR3") { marks.usageRight = true }
        if isName("ObjStm"), previousName == .type { marks.objectStream = true }
        if isName("Sig"), previousName == .fieldType { marks.signatureField = true }
    }

    private func isName(_ wanted: StaticString) -> Bool {
        guard name.count == wanted.utf8CodeUnitCount else { return false }
        return name.withUnsafeBytes { memory in
            memory.holds(UnsafeRawBufferPointer(start: wanted.utf8Start, count: wanted.utf8CodeUnitCount), at: 0)
        }
    }

    /// Returns true if the octet is the last of the word `stream` at the beginning of an object stream's data.
    private mutating func matchesStream(_ octet: UInt8) -> Bool {
        guard octet == Self.beginOfStream[matchedStream] else {
            matchedStream = octet == Self.beginOfStream[0] ? 1 : 0
            return false
        }
        matchedStream = (matchedStream + 1) % Self.beginOfStream.count
        return matchedStream == 0
    }

    private mutating func gather(_ octet: UInt8) {
        guard let data = capture?.append(octet) else { return }
        capture = nil
        // A line end follows the word `stream` (§7.3.8.1): CRLF or LF.
        let line = data.first == 0x0D ? 2 : 1
        guard data.count > line, decompressible > 0 else { return }
        switch ObjectStreamCapture.holdsSignature(data.slice(line..<data.count), limit: &decompressible) {
        case true: isSigned = true
        // Its objects were scanned one by one: the marks of all together mean nothing.
        case false: marks = Marks()
        case nil: break
        }
    }

    private mutating func matchEndOfObject(_ octet: UInt8) {
        if matched == 0, octet != UInt8(ascii: "e") { return }
        guard octet == Self.endOfObject[matched] else {
            matched = octet == Self.endOfObject[0] ? 1 : 0
            return
        }
        matched += 1
        if matched == Self.endOfObject.count {
            matched = 0
            if state == .name { endName() }
            state = .between
            judgeObject()
        }
    }

    /// Judges the object that ends here.
    private mutating func judgeObject() {
        let isSignature = marks.byteRange && marks.contents && !marks.usageRight
        if isSignature || marks.signatureField && marks.value { isSigned = true }
        marks = Marks()
        previousName = .other
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

    /// Returns true for an octet that ends a name, except the `/` of the next one (§7.2.2, tables 1 and 2).
    private static func isDelimiter(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "["),
            UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "%"):
            true
        default: isBlank(octet)
        }
    }
}
