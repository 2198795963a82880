public import Octets

/// Text in quoted-printable, encoded while it is read (RFC 2045 §6.7).
///
/// CRLF stays a line break. CR and LF alone are encoded, and so are octets that transport could change: blanks at the
/// end of a line, `From ` at its beginning, and a dot at its beginning. No line has more than 76 octets.
public struct QuotedPrintableEncoded: OctetSource {
    private let octets: OctetString
    /// The number of octets of the encoded text; found by a first pass.
    public let count: Int

    /// - Parameter octets: The text, CRLF line ends.
    public init(_ octets: OctetString) {
        self.octets = octets
        var reader = Reader(rest: octets)
        var counted = 0
        while let piece = reader.nextPiece() { counted += piece.count }
        count = counted
    }

    public func makeReader() -> any OctetReader { Reader(rest: octets) }

    struct Reader: OctetReader {
        private static let pieceSize = 16_384
        private static let lineLength = 76
        private static let digits = [UInt8]("0123456789ABCDEF".utf8)

        var rest: OctetString
        /// Octets in the present line.
        private var column = 0
        private var pending = PendingOctets()

        init(rest: OctetString) { self.rest = rest }

        mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
            while pending.isEmpty, let piece = nextPiece() { pending.refill(piece) }
            return pending.move(into: buffer)
        }

        /// The encoded form of the next octets; nil at the end.
        mutating func nextPiece() -> [UInt8]? {
            guard !rest.isEmpty else { return nil }
            var output: [UInt8] = []
            output.reserveCapacity(Self.pieceSize * 3)
            let taken = rest.withUnsafeBytes { encode($0, into: &output) }
            rest = rest.slice(taken..<rest.count)
            return output
        }

        private mutating func encode(_ text: UnsafeRawBufferPointer, into output: inout [UInt8]) -> Int {
            guard let base = text.baseAddress else { return 0 }
            let octets = base.assumingMemoryBound(to: UInt8.self)
            var index = 0
            while index < min(text.count, Self.pieceSize) {
                let octet = octets[index]
                if octet == 0x0D, Self.isLineEnd(text, at: index) {
                    output.append(0x0D)
                    output.append(0x0A)
                    column = 0
                    index &+= 2
                    continue
                }
                let isLast = index &+ 1 == text.count || Self.isLineEnd(text, at: index &+ 1)
                let isPlain = Self.isPlain(octet, isLast: isLast) && !(column == 0 && Self.isTrap(text, at: index))
                let width = isPlain ? 1 : 3
                // The soft break's own `=` needs room, except behind the last octet of a line.
                if column &+ width > (isLast ? Self.lineLength : Self.lineLength - 1) {
                    output.append(contentsOf: [0x3D, 0x0D, 0x0A])
                    column = 0
                    continue
                }
                if isPlain {
                    output.append(octet)
                } else {
                    output.append(0x3D)
                    output.append(Self.digits[Int(octet >> 4)])
                    output.append(Self.digits[Int(octet & 15)])
                }
                column &+= width
                index &+= 1
            }
            return index
        }

        private static func isLineEnd(_ text: UnsafeRawBufferPointer, at index: Int) -> Bool {
            index + 1 < text.count && text[index] == 0x0D && text[index + 1] == 0x0A
        }

        /// Returns true if the octet may stand for itself; blanks may not end a line.
        private static func isPlain(_ octet: UInt8, isLast: Bool) -> Bool {
            switch octet {
            case 0x20, 0x09: !isLast
            case 0x3D: false
            default: octet > 0x20 && octet < 0x7F
            }
        }

        /// Returns true if a line that begins here would be changed on its way: a dot (SMTP), or `From ` (mbox files).
        private static func isTrap(_ text: UnsafeRawBufferPointer, at index: Int) -> Bool {
            if text[index] == 0x2E { return true }
            guard text[index] == 0x46, index + 5 <= text.count else { return false }
            return text[index + 1] == 0x72 && text[index + 2] == 0x6F && text[index + 3] == 0x6D
                && text[index + 4] == 0x20
        }
    }
}
