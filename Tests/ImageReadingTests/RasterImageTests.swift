import Octets
import PDFStructure
import TestSupport
import Testing

@testable import ImageReading

@Suite("PNG files (ISO/IEC 15948)")
struct RasterImageTests {
    /// Made by another program: red at half strength beside blue; black beside grey; two colours of a palette.
    private static let translucent =
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAYAAAD0In+KAAAAEUlEQVR4nGP4z8DQwMDw/z8ADX4DfuoeFyEAAAAASUVORK5CYII="
    private static let grey =
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAAAAADRSSBWAAAAC0lEQVR4nGNgOAEAAMsAyWnIw2wAAAAASUVORK5CYII="
    private static let palette =
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAMAAADD/I+4AAAABlBMVEUKFB4oMjzVG7TpAAAAC0lEQVR4nGNgYAQAAAQAAr96P0oAAAAA"
        + "SUVORK5CYII="

    private static func octets(_ text: String) throws -> OctetString { OctetString(try Base64.decode(text)) }

    @Test("pixels of every kind become red, green and blue on white")
    func pixels() throws {
        func pixels(_ text: String) throws -> [UInt8] {
            let image = try RasterImage(png: try Self.octets(text))
            #expect(image.width == 2 && image.height == 1)
            return try Inflation.zlib(image.pixels, limit: 100)
        }
        let translucent = try pixels(Self.translucent)
        #expect(translucent[0] == 255 && (100...200).contains(translucent[1]) && translucent[3...] == [0, 0, 255])
        #expect(try pixels(Self.grey) == [0, 0, 0, 200, 200, 200])
        #expect(try pixels(Self.palette) == [10, 20, 30, 40, 50, 60])
    }

    @Test("data that are not PNG are refused with the reason")
    func none() {
        let error = #expect(throws: ImageError.self) { try RasterImage(png: OctetString("GIF89a")) }
        #expect(error?.reason.hasPrefix("it is no PNG file: ") == true)
    }

    @Test("a file that is cut off is refused")
    func cut() {
        #expect(throws: ImageError.self) { try RasterImage(png: Self.octets(Self.translucent).slice(0..<50)) }
    }

    @Test("a file that claims a huge size is refused before it is read")
    func huge() throws {
        var octets = try Self.octets(Self.translucent).array
        octets.replaceSubrange(16..<24, with: [0x00, 0x00, 0xFF, 0xFF, 0x00, 0x00, 0xFF, 0xFF])
        #expect(throws: ImageError.self) { try RasterImage(png: OctetString(octets)) }
    }
}
