import Glibc
import Octets

/// Writes an output's block and content in few large pieces, with the line ends asked for.
struct OutputWriter {
    private static let maximumPieceSize = 262_144

    /// The block as it will stand in the file.
    let block: OctetString
    private let content: any OctetSource
    private let turnsCRLF: Bool

    init(_ output: StagedOutput) {
        turnsCRLF = output.lineEnds == .lf
        content = output.content
        block = turnsCRLF ? Self.withLineFeeds(output.block) : output.block
    }

    func write(to file: OpenFile) throws(SpoolError) {
        // One octet more than there is: a CR held back takes its place before the next piece.
        let size = max(4_096, min(block.count + content.count + 1, Self.maximumPieceSize))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        defer { buffer.deallocate() }
        var filled = 0
        func flush() throws(SpoolError) {
            try file.write(UnsafeRawBufferPointer(rebasing: buffer[..<filled]))
            filled = 0
        }
        var reader = block.makeReader()
        while true {
            if filled == size { try flush() }
            let count = reader.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
            if count == 0 { break }
            filled += count
        }
        var lineFeeds = CarriageReturnRemoval()
        var contentReader = content.makeReader()
        while true {
            if filled + 2 > size { try flush() }
            if turnsCRLF {
                let start = filled + 1
                let count = contentReader.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[start...]))
                if count == 0 { break }
                filled += lineFeeds.compact(buffer, from: start, count: count, to: filled)
            } else {
                let count = contentReader.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
                if count == 0 { break }
                filled += count
            }
        }
        if lineFeeds.isHolding {
            buffer[filled] = UInt8(ascii: "\r")
            filled += 1
        }
        if filled > 0 { try flush() }
    }

    private static func withLineFeeds(_ octets: OctetString) -> OctetString {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: octets.count + 2, alignment: 1)
        defer { buffer.deallocate() }
        octets.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: buffer[1...]).copyMemory(from: $0) }
        var removal = CarriageReturnRemoval()
        var filled = removal.compact(buffer, from: 1, count: octets.count, to: 0)
        if removal.isHolding {
            buffer[filled] = UInt8(ascii: "\r")
            filled += 1
        }
        return OctetString(copying: UnsafeRawBufferPointer(rebasing: buffer[..<filled]))
    }
}

/// Turns each CRLF into LF, piece by piece; a CR alone stays.
private struct CarriageReturnRemoval {
    /// The last piece ended with a CR that may be half of a CRLF.
    private(set) var isHolding = false

    /// Moves the octets at `source` down to `target`, which lies below it, without the CRs that go.
    /// - Returns: The number of octets at `target` now.
    mutating func compact(_ buffer: UnsafeMutableRawBufferPointer, from source: Int, count: Int, to target: Int) -> Int
    {
        guard count > 0, let base = buffer.baseAddress else { return 0 }
        let end = source + count
        var from = source
        var to = target
        if isHolding {
            isHolding = false
            if buffer[from] != UInt8(ascii: "\n") {
                buffer[to] = UInt8(ascii: "\r")
                to += 1
            }
        }
        while from < end {
            let found = memchr(base + from, CInt(UInt8(ascii: "\r")), end - from)
            let stop = found.map { UnsafeRawPointer($0) - UnsafeRawPointer(base) } ?? end
            if to != from { memmove(base + to, base + from, stop - from) }
            to += stop - from
            from = stop
            guard from < end else { break }
            from += 1
            if from == end {
                isHolding = true
            } else if buffer[from] != UInt8(ascii: "\n") {
                buffer[to] = UInt8(ascii: "\r")
                to += 1
            }
        }
        return to - target
    }
}
