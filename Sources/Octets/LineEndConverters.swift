/// Gives every LF without CR the CR it lacks, in pieces; nothing else is changed.
public struct CRLFConverter: Sendable {
    private var endedWithCR = false

    public init() {}

    /// Appends the next piece to `output`, converted.
    public mutating func convert(_ chunk: UnsafeRawBufferPointer, into output: inout [UInt8]) {
        guard !chunk.isEmpty else { return }
        var copied = 0
        var search = 0
        while let lineFeed = chunk.firstOffset(of: 0x0A, from: search) {
            search = lineFeed + 1
            if lineFeed > 0 ? chunk[lineFeed - 1] == 0x0D : endedWithCR { continue }
            output.append(contentsOf: chunk.octets(copied..<lineFeed))
            output.append(0x0D)
            copied = lineFeed
        }
        output.append(contentsOf: chunk.octets(copied..<chunk.count))
        endedWithCR = chunk[chunk.count - 1] == 0x0D
    }
}

/// Makes every CRLF a LF, in pieces; a CR without LF stays.
public struct LFConverter: Sendable {
    private var holdsCR = false

    public init() {}

    /// Appends the next piece to `output`, converted. A CR at the end waits for the next piece, or for
    /// ``finish(into:)``.
    public mutating func convert(_ chunk: UnsafeRawBufferPointer, into output: inout [UInt8]) {
        guard !chunk.isEmpty else { return }
        if holdsCR && chunk[0] != 0x0A { output.append(0x0D) }
        holdsCR = false
        var copied = 0
        var search = 0
        while let lineFeed = chunk.firstOffset(of: 0x0A, from: search) {
            search = lineFeed + 1
            guard lineFeed > 0, chunk[lineFeed - 1] == 0x0D else { continue }
            output.append(contentsOf: chunk.octets(copied..<lineFeed - 1))
            copied = lineFeed
        }
        holdsCR = chunk[chunk.count - 1] == 0x0D
        output.append(contentsOf: chunk.octets(copied..<chunk.count - (holdsCR ? 1 : 0)))
    }

    /// Ends the octets: gives a CR that still waits.
    public mutating func finish(into output: inout [UInt8]) {
        if holdsCR { output.append(0x0D) }
        holdsCR = false
    }
}
