import CPNG
public import Octets

/// A picture of pixels, ready to be put into a PDF.
public struct RasterImage: Sendable, Hashable {
    /// In pixels.
    public let width: Int
    public let height: Int
    /// Rows of pixels from the top, each of red, green and blue with eight bits (sRGB), compressed in zlib's format.
    /// Transparent pixels of the file are white.
    public let pixels: OctetString

    /// More than a mark on paper needs.
    private static let maximumSide = 4_096
    private static let maximumPixels = 4 << 20

    /// Reads a PNG file (ISO/IEC 15948), of any kind of pixels.
    /// - Throws: ``ImageError`` if it is not a PNG, damaged, or larger than 4096 pixels in one direction or 4 million
    ///   in all.
    public init(png: OctetString) throws(ImageError) {
        var message = [CChar](repeating: 0, count: 96)
        func reason() -> String {
            String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
        var size: (UInt32, UInt32) = (0, 0)
        let isPNG = png.withUnsafeBytes { octets in
            cpng_size(octets.baseAddress, octets.count, &size.0, &size.1, &message, message.count) != 0
        }
        guard isPNG else { throw ImageError("it is no PNG file: \(reason())") }
        (width, height) = (Int(size.0), Int(size.1))
        guard (1...Self.maximumSide).contains(width), (1...Self.maximumSide).contains(height),
            width * height <= Self.maximumPixels
        else {
            throw ImageError(
                "it has \(width) by \(height) pixels; at most \(Self.maximumSide) in a direction and \(Self.maximumPixels) in all"
                    + " are taken: make it smaller")
        }
        var plain = [UInt8](repeating: 0, count: 3 * width * height)
        let isWhole = png.withUnsafeBytes { octets in
            cpng_pixels(octets.baseAddress, octets.count, &plain, &message, message.count) != 0
        }
        guard isWhole else { throw ImageError("the PNG file is damaged: \(reason())") }
        var count = compressBound(uLong(plain.count))
        var packed = [UInt8](repeating: 0, count: Int(count))
        guard compress2(&packed, &count, plain, uLong(plain.count), 9) == Z_OK else {
            throw ImageError("there is no memory for it")
        }
        pixels = OctetString(packed.prefix(Int(count)))
    }
}

/// The reason why a picture cannot be used.
public struct ImageError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The fault, as a sentence that continues the file's name.
    public let reason: String
    public var description: String { reason }

    init(_ reason: String) { self.reason = reason }
}
