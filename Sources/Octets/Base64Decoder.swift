/// Decodes base64 in pieces, and skips octets that do not belong to it (RFC 2045 §6.8).
///
/// White space is not a fault. Of all other faults the first is kept in ``fault``: a caller that requires clean base64
/// asks for it at the end, a reader of mail does not. Foreign octets are left out, missing padding is supplied, and
/// decoding goes on with a new group after padding, because mailers join encoded pieces.
public struct Base64Decoder: Sendable {
    /// The first fault so far.
    public private(set) var fault: Base64Error?
    private var bits: UInt32 = 0
    /// Digits in the open group, 0 to 3.
    private var digits = 0
    /// Padding characters seen since the last digit.
    private var padding = 0
    /// The number of padding characters that the last group still requires.
    private var paddingDue = 0
    private var offset = 0

    public init() {}

    /// Decodes the next piece of text, however it was cut, and appends the octets to `output`.
    public mutating func decode(_ text: UnsafeRawBufferPointer, into output: inout [UInt8]) {
        // Three octets for four digits, and up to three more for a group that an earlier piece began.
        let decoded = [UInt8](unsafeUninitializedCapacity: text.count / 4 * 3 + 6) { decoded, filled in
            guard let out = decoded.baseAddress, let from = text.baseAddress else { return }
            let octets = from.assumingMemoryBound(to: UInt8.self)
            let count = text.count
            var index = 0
            while index < count {
                if digits == 0, padding == 0 {
                    Self.decodeGroups(octets, from: &index, count: count, to: out, &filled)
                    if index == count { break }
                }
                step(octets[index], Self.values[Int(octets[index])], index, out, &filled)
                index &+= 1
            }
        }
        offset += text.count
        output.append(contentsOf: decoded)
    }

    /// Ends the text: gives what an unpadded last group still holds.
    public mutating func finish(into output: inout [UInt8]) {
        if digits > 0 {
            note(.truncated, at: offset)
            output.append(contentsOf: openGroup())
        } else if padding < paddingDue {
            note(.truncated, at: offset)
        }
        padding = 0
        paddingDue = 0
    }

    /// Decodes whole groups of digits, which nearly all of a text are, up to the first that has anything else in it.
    private static func decodeGroups(
        _ octets: UnsafePointer<UInt8>, from index: inout Int, count: Int, to out: UnsafeMutablePointer<UInt8>,
        _ filled: inout Int
    ) {
        groupValues.withUnsafeBufferPointer { values in
            guard let value = values.baseAddress else { return }
            var place = index
            var end = filled
            while place &+ 4 <= count {
                let group =
                    value[Int(octets[place])] | value[256 &+ Int(octets[place &+ 1])]
                    | value[512 &+ Int(octets[place &+ 2])] | value[768 &+ Int(octets[place &+ 3])]
                // Above the 24 bits of a group there is the mark of what is no digit.
                guard group < 1 &<< 24 else { break }
                out[end] = UInt8(truncatingIfNeeded: group &>> 16)
                out[end &+ 1] = UInt8(truncatingIfNeeded: group &>> 8)
                out[end &+ 2] = UInt8(truncatingIfNeeded: group)
                end &+= 3
                place &+= 4
            }
            index = place
            filled = end
        }
    }

    private mutating func step(
        _ octet: UInt8, _ value: UInt8, _ index: Int, _ out: UnsafeMutablePointer<UInt8>, _ filled: inout Int
    ) {
        guard value < 64, padding == 0 else {
            let rest = decode(octet, value, at: offset &+ index)
            for octet in rest {
                out[filled] = octet
                filled &+= 1
            }
            return
        }
        bits = bits << 6 | UInt32(value)
        digits &+= 1
        guard digits == 4 else { return }
        out[filled] = UInt8(truncatingIfNeeded: bits >> 16)
        out[filled &+ 1] = UInt8(truncatingIfNeeded: bits >> 8)
        out[filled &+ 2] = UInt8(truncatingIfNeeded: bits)
        filled &+= 3
        digits = 0
    }

    /// Handles anything but an ordinary digit.
    /// - Returns: The octets that it ends.
    private mutating func decode(_ octet: UInt8, _ value: UInt8, at offset: Int) -> [UInt8] {
        switch value {
        case 0..<64:
            if padding < paddingDue { note(.truncated, at: offset) }
            note(.misplacedPadding, at: offset)
            padding = 0
            paddingDue = 0
            bits = UInt32(value)
            digits = 1
        case Self.pad:
            padding += 1
            if padding == 1 {
                if digits < 2 { note(.misplacedPadding, at: offset) }
                paddingDue = 4 - digits
                return openGroup()
            }
            if padding > paddingDue { note(.misplacedPadding, at: offset) }
        case Self.space: break
        default: note(.foreignOctet(octet), at: offset)
        }
        return []
    }

    /// The whole octets of the open group; its rest is dropped.
    private mutating func openGroup() -> [UInt8] {
        defer { digits = 0 }
        return switch digits {
        case 2: [UInt8(truncatingIfNeeded: bits >> 4)]
        case 3: [UInt8(truncatingIfNeeded: bits >> 10), UInt8(truncatingIfNeeded: bits >> 2)]
        default: []
        }
    }

    private mutating func note(_ kind: Base64Error.Kind, at offset: Int) {
        if fault == nil { fault = Base64Error(kind: kind, offset: offset) }
    }

    /// For each of the four places in a group, the bits that an octet stands for there.
    private static let groupValues: [UInt32] = (0..<4).flatMap { place in
        values.map { $0 < 64 ? UInt32($0) << UInt32(18 - 6 * place) : UInt32.max }
    }

    private static let pad: UInt8 = 64
    private static let space: UInt8 = 65
    /// 0 to 63 for a digit, else what kind of octet it is.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, digit) in Base64.digits.enumerated() { values[Int(digit)] = UInt8(value) }
        values[Int(UInt8(ascii: "="))] = pad
        for octet in [0x20, 0x09, 0x0A, 0x0D] { values[octet] = space }
        return values
    }()
}
