/// Decodes quoted-printable in pieces, and skips octets that do not belong to it (RFC 2045 §6.7).
///
/// An equals sign that begins no code stays unchanged. Blanks at the end of a line were added on the way and are
/// removed, unless there are more than a thousand. Line ends are kept.
struct QuotedPrintableDecoder {
    private enum State {
        case text
        /// After `=`.
        case escape
        /// After `=` and a hexadecimal digit.
        case digit(UInt8)
        /// After `=` and blanks: a soft line break, if the line ends now.
        case softBreak
        /// After `=` and CR.
        case softBreakCR
    }

    private var state = State.text
    /// Blanks, and a CR after them, that belong to the text only if the line continues; after `=` the octets behind it.
    private var held: [UInt8] = []
    private static let maximumHeld = 1_000

    /// Decodes the next piece, however it was cut, and appends the octets to `output`.
    mutating func decode(_ text: UnsafeRawBufferPointer, into output: inout [UInt8]) {
        guard let base = text.baseAddress else { return }
        let octets = base.assumingMemoryBound(to: UInt8.self)
        var index = 0
        while index < text.count {
            if case .text = state, held.isEmpty {
                index = decodeRun(octets, from: index, to: text.count, into: &output)
            }
            guard index < text.count else { return }
            decode(octets[index], into: &output)
            index &+= 1
        }
    }

    /// Decodes what is plain to see without waiting for more: ordinary octets, whole codes, blanks within a line.
    /// - Returns: The place where it stopped.
    private func decodeRun(
        _ octets: UnsafePointer<UInt8>, from start: Int, to end: Int, into output: inout [UInt8]
    ) -> Int {
        var copied = start
        var index = start
        while index < end {
            let octet = octets[index]
            if octet == 0x3D {
                guard index &+ 2 < end, let high = octets[index &+ 1].hexadecimalValue,
                    let low = octets[index &+ 2].hexadecimalValue
                else { break }
                output.append(contentsOf: UnsafeBufferPointer(start: octets + copied, count: index &- copied))
                output.append(high << 4 | low)
                index &+= 3
                copied = index
            } else if octet == 0x20 || octet == 0x09 {
                guard index &+ 1 < end, octets[index &+ 1] > 0x20 else { break }
                index &+= 1
            } else if octet == 0x0D {
                guard index &+ 1 < end, octets[index &+ 1] == 0x0A else { break }
                index &+= 2
            } else {
                index &+= 1
            }
        }
        output.append(contentsOf: UnsafeBufferPointer(start: octets + copied, count: index &- copied))
        return index
    }

    /// Ends the text. Blanks at the end go; an equals sign there is a soft line break.
    mutating func finish(into output: inout [UInt8]) {
        if case .digit = state { release(into: &output) }
        if held.last == 0x0D { output.append(0x0D) }
        held = []
        state = .text
    }

    private mutating func decode(_ octet: UInt8, into output: inout [UInt8]) {
        switch state {
        case .text: decodeText(octet, into: &output)
        case .escape:
            if let high = octet.hexadecimalValue {
                held.append(octet)
                state = .digit(high)
            } else {
                decodeSoftBreak(octet, into: &output)
            }
        case .digit(let high):
            if let low = octet.hexadecimalValue {
                held = []
                state = .text
                output.append(high << 4 | low)
            } else {
                release(into: &output)
                decodeText(octet, into: &output)
            }
        case .softBreak: decodeSoftBreak(octet, into: &output)
        case .softBreakCR:
            if octet == 0x0A {
                held = []
                state = .text
            } else {
                release(into: &output)
                decodeText(octet, into: &output)
            }
        }
    }

    private mutating func decodeText(_ octet: UInt8, into output: inout [UInt8]) {
        switch octet {
        case 0x20, 0x09:
            if held.last == 0x0D || held.count >= Self.maximumHeld { release(into: &output) }
            held.append(octet)
        case 0x0D:
            if held.last == 0x0D { release(into: &output) }
            held.append(octet)
        case 0x0A:
            if held.last == 0x0D { output.append(0x0D) }
            held = []
            output.append(0x0A)
        case 0x3D:
            release(into: &output)
            held.append(octet)
            state = .escape
        default:
            release(into: &output)
            output.append(octet)
        }
    }

    private mutating func decodeSoftBreak(_ octet: UInt8, into output: inout [UInt8]) {
        switch octet {
        case 0x20 where held.count < Self.maximumHeld, 0x09 where held.count < Self.maximumHeld:
            held.append(octet)
            state = .softBreak
        case 0x0D:
            held.append(octet)
            state = .softBreakCR
        case 0x0A:
            held = []
            state = .text
        default:
            release(into: &output)
            decodeText(octet, into: &output)
        }
    }

    /// Appends the octets that were held, because they are text.
    private mutating func release(into output: inout [UInt8]) {
        if held.isEmpty { return }
        output.append(contentsOf: held)
        held.removeAll(keepingCapacity: true)
        state = .text
    }
}
