/// Takes the message out of the octets behind DATA: removes the dots that were put before lines with a dot, and finds
/// the end (RFC 5321 §4.5.2).
///
/// A line ends with CRLF, and a message with CRLF, dot, CRLF. CR and LF alone are octets like any others, also around a
/// dot: a program that took `LF . LF` for the end would let the author of a message write the commands behind it (SMTP
/// smuggling).
package struct DataDecoder: Sendable {
    private enum State { case lineStart, dot, dotCR, line, lineCR }
    private var state = State.lineStart

    package init() {}

    /// Decodes octets up to the end of the message or of `input`.
    /// - Parameters:
    ///   - input: The next octets, in pieces of any size.
    ///   - output: Receives the message's octets.
    /// - Returns: The number of octets of `input` that were used, and true if the message has ended.
    package mutating func decode(
        _ input: UnsafeBufferPointer<UInt8>, into output: inout [UInt8]
    ) -> (used: Int, isEnded: Bool) {
        var index = 0
        while index < input.count {
            let octet = input[index]
            switch state {
            case .lineStart:
                if octet == 0x2E {
                    state = .dot
                    index += 1
                } else {
                    state = .line
                }
            case .dot:
                // The dot itself is left out: something else follows it, or the end.
                if octet == 0x0D {
                    state = .dotCR
                    index += 1
                } else {
                    state = .line
                }
            case .dotCR:
                if octet == 0x0A { return (index + 1, true) }
                output.append(0x0D)
                state = .lineCR
            case .line:
                var end = index
                while end < input.count, input[end] != 0x0D { end += 1 }
                if end > index { output.append(contentsOf: UnsafeBufferPointer(rebasing: input[index..<end])) }
                index = end
                if index < input.count {
                    output.append(0x0D)
                    state = .lineCR
                    index += 1
                }
            case .lineCR:
                if octet == 0x0A {
                    output.append(0x0A)
                    state = .lineStart
                    index += 1
                } else if octet == 0x0D {
                    output.append(0x0D)
                    index += 1
                } else {
                    state = .line
                }
            }
        }
        return (index, false)
    }
}
