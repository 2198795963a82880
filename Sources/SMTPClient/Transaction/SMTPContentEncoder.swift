import Octets

/// Makes stored content fit for DATA, in pieces: every line ends with CRLF, a line that begins with a dot gets a second
/// one (RFC 5321 §4.5.2), and the final dot stands on a line of its own.
///
/// What comes out holds no CR and no LF but in pairs, and `CRLF . CRLF` at its end alone, whatever comes in.
struct SMTPContentEncoder {
    private var isAtLineStart = true
    private var holdsCR = false

    mutating func encode(_ chunk: UnsafeRawBufferPointer, into output: inout [UInt8]) {
        guard !chunk.isEmpty else { return }
        var index = 0
        if holdsCR {
            endLine(&output)
            if chunk[0] == 0x0A { index = 1 }
            holdsCR = false
        }
        while index < chunk.count {
            if isAtLineStart, chunk[index] == 0x2E { output.append(0x2E) }
            let end = chunk.firstLineEndOctet(from: index)
            let line = index..<(end ?? chunk.count)
            if !line.isEmpty {
                output.append(contentsOf: chunk.octets(line))
                isAtLineStart = false
            }
            guard let end else { return }
            index = end + 1
            if chunk[end] == 0x0D {
                guard index < chunk.count else {
                    holdsCR = true
                    return
                }
                if chunk[index] == 0x0A { index += 1 }
            }
            endLine(&output)
        }
    }

    /// Ends the last line, where it has no end, and the message.
    mutating func finish(into output: inout [UInt8]) {
        if holdsCR || !isAtLineStart { endLine(&output) }
        holdsCR = false
        output.append(contentsOf: [0x2E, 0x0D, 0x0A])
    }

    private mutating func endLine(_ output: inout [UInt8]) {
        output.append(0x0D)
        output.append(0x0A)
        isAtLineStart = true
    }
}
