public import Octets

/// A body with its transfer encoding taken off while it is read, so that a large attachment needs no memory.
///
/// Faults of the encoding are tolerated (RFC 2045 §6.7, §6.8): see ``Octets/Base64Decoder``. With an unknown encoding
/// the octets stay unchanged.
public struct DecodedBody: OctetSource {
    private let encoded: OctetString
    private let encoding: ContentTransferEncoding
    /// The number of octets of the decoded body; found by a first pass.
    public let count: Int

    public init(_ encoded: OctetString, encoding: ContentTransferEncoding) {
        self.encoded = encoded
        self.encoding = encoding
        guard encoding.isDecoded else {
            count = encoded.count
            return
        }
        var reader = Reader(rest: encoded, decoder: Decoder(encoding))
        var counted = 0
        while let piece = reader.nextPiece() { counted += piece.count }
        count = counted
    }

    public func makeReader() -> any OctetReader {
        encoding.isDecoded ? Reader(rest: encoded, decoder: Decoder(encoding)) : encoded.makeReader()
    }

    /// All of it in memory; shares storage when there is no encoding to take off.
    public func collected() -> OctetString { encoding.isDecoded ? prefix(count) : encoded }

    /// The first `count` octets, or all when there are fewer; decodes no more than it needs.
    func prefix(_ count: Int) -> OctetString { Self.prefix(count, of: encoded, encoding) }

    static func prefix(_ count: Int, of encoded: OctetString, _ encoding: ContentTransferEncoding) -> OctetString {
        let count = max(count, 0)
        guard encoding.isDecoded else { return encoded.slice(0..<min(count, encoded.count)) }
        var reader = Reader(rest: encoded, decoder: Decoder(encoding))
        var octets: [UInt8] = []
        // A small wish takes small pieces.
        let size = min(max(count, 256) / 3 * 4, Reader.pieceSize)
        while octets.count < count, let piece = reader.nextPiece(of: size) { octets.append(contentsOf: piece) }
        return OctetString(octets.prefix(count))
    }

    private enum Decoder {
        case base64(Base64Decoder)
        case quotedPrintable(QuotedPrintableDecoder)

        init(_ encoding: ContentTransferEncoding) {
            self =
                encoding == .base64 ? .base64(Base64Decoder()) : .quotedPrintable(QuotedPrintableDecoder())
        }

        mutating func decode(_ text: OctetString, isLast: Bool) -> [UInt8] {
            var octets: [UInt8] = []
            switch self {
            case .base64(var decoder):
                text.withUnsafeBytes { decoder.decode($0, into: &octets) }
                if isLast { decoder.finish(into: &octets) }
                self = .base64(decoder)
            case .quotedPrintable(var decoder):
                octets.reserveCapacity(text.count)
                text.withUnsafeBytes { decoder.decode($0, into: &octets) }
                if isLast { decoder.finish(into: &octets) }
                self = .quotedPrintable(decoder)
            }
            return octets
        }
    }

    private struct Reader: OctetReader {
        static let pieceSize = 65_536

        var rest: OctetString
        var decoder: Decoder
        var pending = PendingOctets()

        /// The next octets, perhaps none; nil at the end.
        mutating func nextPiece(of size: Int = pieceSize) -> [UInt8]? {
            guard !rest.isEmpty else { return nil }
            let piece = rest.slice(0..<min(size, rest.count))
            rest = rest.slice(piece.count..<rest.count)
            return decoder.decode(piece, isLast: rest.isEmpty)
        }

        mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
            while pending.isEmpty, let piece = nextPiece() { pending.refill(piece) }
            return pending.move(into: buffer)
        }
    }
}

extension ContentTransferEncoding {
    /// True if there is an encoding to remove.
    fileprivate var isDecoded: Bool { self == .base64 || self == .quotedPrintable }
}

extension Entity {
    /// The body without its transfer encoding, as a source that decodes while it is read.
    public var decodedSource: DecodedBody { DecodedBody(body, encoding: transferEncoding) }

    /// The body without its transfer encoding, in memory.
    public var decodedBody: OctetString { DecodedBody.prefix(bodyRange.count, of: body, transferEncoding) }

    /// The fault in the base64 of the body that readers handle in different ways (RFC 2045 §6.8); nil if there is none.
    ///
    /// Looks through the whole body.
    public var transferEncodingFault: Base64Error? {
        guard transferEncoding == .base64 else { return nil }
        var decoder = Base64Decoder()
        var rest = body
        while !rest.isEmpty, decoder.fault == nil {
            let piece = rest.slice(0..<min(rest.count, 65_536))
            rest = rest.slice(piece.count..<rest.count)
            var octets: [UInt8] = []
            piece.withUnsafeBytes { decoder.decode($0, into: &octets) }
            if rest.isEmpty { decoder.finish(into: &octets) }
        }
        return decoder.fault
    }

    /// The first `count` octets of ``decodedBody``, or all when there are fewer; decodes no more than that.
    public func decodedPrefix(_ count: Int) -> OctetString { DecodedBody.prefix(count, of: body, transferEncoding) }
}
