/// A source in base64 (RFC 2045 §6.8), encoded while it is read.
public struct Base64Encoded: OctetSource {
    /// The characters between two lines.
    public enum LineEnd: Hashable, Sendable {
        case crlf, lf

        var octets: [UInt8] { self == .crlf ? [0x0D, 0x0A] : [0x0A] }
    }

    private let source: any OctetSource
    private let groupsInLine: Int?
    private let lineEnd: LineEnd
    /// The number of octets of the encoded text, line ends included.
    public let count: Int

    /// - Parameters:
    ///   - source: The octets to encode.
    ///   - lineLength: The number of digits in a line, rounded down to whole groups of four, at least one. With nil
    ///     there is one line, as XML has it.
    ///   - lineEnd: Stands between lines; there is none after the last.
    public init(_ source: any OctetSource, lineLength: Int? = 76, lineEnd: LineEnd = .crlf) {
        self.source = source
        self.lineEnd = lineEnd
        groupsInLine = lineLength.map { max($0 / 4, 1) }
        let groups = (source.count + 2) / 3
        let breaks = groupsInLine.map { groups == 0 ? 0 : (groups - 1) / $0 } ?? 0
        count = groups * 4 + breaks * lineEnd.octets.count
    }

    public func makeReader() -> any OctetReader {
        Reader(
            source: source.makeReader(), left: source.count, lineOctets: groupsInLine.map { $0 * 3 },
            lineEnd: lineEnd.octets)
    }

    struct Reader: OctetReader {
        var source: any OctetReader
        /// Octets of the source that are not yet encoded.
        var left: Int
        /// Octets of the source that make one line.
        let lineOctets: Int?
        let lineEnd: [UInt8]
        var isFirst = true
        var hasEnded = false
        var pending = PendingOctets()

        mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
            while pending.isEmpty && !hasEnded { refill() }
            return pending.move(into: buffer)
        }

        /// Encodes the next whole lines of the source.
        private mutating func refill() {
            let line = lineOctets ?? 3
            let wanted = min(max(49_152 / line, 1), max((left + line - 1) / line, 1)) * line
            let block = [UInt8](unsafeUninitializedCapacity: wanted) { octets, filled in
                let memory = UnsafeMutableRawBufferPointer(octets)
                while filled < wanted {
                    let read = source.read(into: UnsafeMutableRawBufferPointer(rebasing: memory[filled..<wanted]))
                    if read == 0 { break }
                    filled += read
                }
            }
            left -= block.count
            hasEnded = left <= 0 || block.count < wanted
            let lines = lineOctets == nil ? 1 : block.count / line + 1
            let room = (block.count + 2) / 3 * 4 + lines * (4 + lineEnd.count)
            let text = [UInt8](unsafeUninitializedCapacity: room) { text, filled in
                guard let out = text.baseAddress else { return }
                block.withUnsafeBytes { octets in
                    guard let lineOctets else {
                        filled = Base64.write(octets, to: out)
                        return
                    }
                    var start = 0
                    while start < octets.count {
                        if !isFirst {
                            for octet in lineEnd {
                                out[filled] = octet
                                filled += 1
                            }
                        }
                        isFirst = false
                        let end = min(start + lineOctets, octets.count)
                        filled += Base64.write(octets.part(start..<end), to: out + filled)
                        start = end
                    }
                }
            }
            pending.refill(text)
        }
    }
}
