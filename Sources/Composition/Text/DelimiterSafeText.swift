import InternetMessage
import Octets

/// Text in quoted-printable of which no line begins with two hyphens.
///
/// Text that was encoded, or whose lines are broken anew, can contain a line that becomes a delimiter in its new place,
/// because the boundary around it is the sender's choice. RFC 2045 §6.7 allows any octet to be encoded.
struct DelimiterSafeText: OctetSource {
    private let encoded: QuotedPrintableEncoded
    let count: Int

    /// - Parameter octets: The text, CRLF line ends.
    init(_ octets: OctetString) {
        encoded = QuotedPrintableEncoded(octets)
        var reader = Reader(source: encoded.makeReader())
        var counted = 0
        while let piece = reader.nextPiece() { counted += piece.count }
        count = counted
    }

    func makeReader() -> any OctetReader { Reader(source: encoded.makeReader()) }

    struct Reader: OctetReader {
        private static let pieceSize = 16_384
        private static let lineLength = 76

        var source: any OctetReader
        /// The beginning of a line whose end has not been read; at most a line and its CR.
        private var line: [UInt8] = []
        private var hasEnded = false
        private var pending = PendingOctets()

        init(source: any OctetReader) { self.source = source }

        mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
            while pending.isEmpty, let piece = nextPiece() { pending.refill(piece) }
            return pending.move(into: buffer)
        }

        /// The next octets, perhaps none; nil at the end.
        mutating func nextPiece() -> [UInt8]? {
            if hasEnded { return nil }
            let read = [UInt8](unsafeUninitializedCapacity: Self.pieceSize) { octets, filled in
                filled = source.read(into: UnsafeMutableRawBufferPointer(octets))
            }
            hasEnded = read.isEmpty
            line += read
            var output: [UInt8] = []
            output.reserveCapacity(line.count + 64)
            var start = 0
            while let lineFeed = line[start...].firstIndex(of: 0x0A) {
                Self.write(line[start...lineFeed], to: &output)
                start = lineFeed + 1
            }
            if hasEnded {
                Self.write(line[start...], to: &output)
                start = line.count
            }
            line.removeSubrange(..<start)
            return output
        }

        /// Writes a line with its line end, in several where the code for the hyphen leaves no room.
        private static func write(_ line: ArraySlice<UInt8>, to output: inout [UInt8]) {
            var rest = line
            while rest.starts(with: "--".utf8) {
                output += "=2D".utf8
                rest = rest.dropFirst()
                let content = rest.count - (rest.last == 0x0A ? 2 : 0)
                if 3 + content <= lineLength { break }
                // A soft break, not within a code.
                var cut = rest.startIndex + lineLength - 4
                if let code = rest[rest.startIndex..<cut].lastIndex(of: 0x3D), cut - code < 3 { cut = code }
                output += rest[..<cut]
                output += "=\r\n".utf8
                rest = rest[cut...]
            }
            output += rest
        }
    }
}
