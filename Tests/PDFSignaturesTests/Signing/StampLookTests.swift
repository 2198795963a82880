import Foundation
import ImageReading
import Octets
import PDFSignatures
import TestSupport
import Testing

@Suite("Signing: the look of stamps that a profile gives")
struct StampLookTests {
    private let signatory: Signatory
    /// Two pixels, both black.
    private let black: RasterImage

    init() throws {
        signatory = try Signatory.shared.get()
        black = try RasterImage(
            png: OctetString(
                try Base64.decode(
                    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAAAAADRSSBWAAAAC0lEQVR4nGNgOAEAAMsAyWnIw2wAAAAASUVORK5CYII=")))
    }

    private func signed(_ edit: (inout PDFSignatureOptions) -> Void) throws -> OctetString {
        var options = Signatory.options("Amelie", reason: "geprüft", area: .topLeft)
        edit(&options)
        return try signatory.sign(StampRenderingTests.document(0, isInherited: false), options)
    }

    @Test("labels are in the chosen language, an empty one leaves the value alone")
    func labels() async throws {
        let document = try signed { options in
            options.look.signedBy = "数字签名者"
            options.look.reason = "Grund:"
            options.look.date = ""
        }
        let scratch = try ScratchDirectory()
        let path = try scratch.write(document, to: "document.pdf")
        let run = try await RunningProgram.run("/usr/bin/pdftotext", ["-layout", path, "-"], asRoot: true)
        #expect(run.status == 0 && run.error.isEmpty, "\(run)")
        let lines = run.output.split(separator: "\n").map { $0.drop { $0 == " " } }
        #expect(lines.first == "数字签名者 Amelie" && lines.dropFirst().first == "Grund: geprüft", "\(lines)")
        #expect(lines.dropFirst(2).first?.hasPrefix("2027-01-15") == true, "\(lines)")
    }

    private static let compactFont = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"

    @Test(
        "a stamp is set in a font with CFF outlines",
        .enabled(if: FileManager.default.fileExists(atPath: compactFont), "needs fonts-noto-cjk"))
    func compactOutlines() async throws {
        let other = try Signatory(fontPath: Self.compactFont)
        var options = Signatory.options("Amelie", reason: "geprüft", area: .topLeft)
        options.look.signedBy = "数字签名者"
        let document = try other.sign(StampRenderingTests.document(0, isInherited: false), options)
        let scratch = try ScratchDirectory()
        let path = try scratch.write(document, to: "document.pdf")
        let text = try await RunningProgram.run("/usr/bin/pdftotext", ["-layout", path, "-"], asRoot: true)
        #expect(text.output.contains("数字签名者 Amelie") && text.output.contains("geprüft"), "\(text)")
        let fonts = try await RunningProgram.run("/usr/bin/pdffonts", [path], asRoot: true)
        #expect(fonts.output.contains(#/NotoSansCJK\S*\s+CID Type 0C\s+Identity-H\s+yes yes yes/#), "\(fonts)")
        #expect(try await StampRenderingTests.Picture(of: document).ink != nil)
        #expect(document.count < 100_000)
    }

    @Test("a stamp has the chosen size, as far as the page has room")
    func size() async throws {
        let picture = try await StampRenderingTests.Picture(
            of: try signed { options in (options.look.width, options.look.height) = (180, 100) })
        let ink = try #require(picture.ink)
        #expect(abs(ink.columns.count - 180) <= 2 && abs(ink.rows.count - 100) <= 2, "\(ink)")
        let large = try await StampRenderingTests.Picture(
            of: try signed { options in (options.look.width, options.look.height) = (2_000, 2_000) })
        #expect(large.ink.map { $0.columns.count <= 298 && $0.rows.count <= 420 } == true)
    }

    @Test(
        "a picture stands beside the text or behind it, as large as it fits", arguments: StampLook.ImagePlace.allCases)
    func image(_ place: StampLook.ImagePlace) async throws {
        let document = try signed { options in
            options.look.image = black
            options.look.imagePlace = place
            (options.look.width, options.look.height) = (200, 60)
        }
        let picture = try await StampRenderingTests.Picture(of: document)
        // 5 % of 298 points from the left edge; half of the picture is black, the other light grey.
        let dark = picture.pixels.indices.filter { picture.pixels[$0] < 40 }.map { $0 % picture.width - 15 }
        let share = dark.filter { $0 < 80 }.count
        switch place {
        // Two fifths of the width without the edges, in the picture's shape: 74 by 37 points.
        case .beside: #expect(share > 1_000 && share < 1_800, "\(share) of \(dark.count)")
        // 108 by 54 points in the middle.
        case .behind: #expect(dark.filter { (46...100).contains($0) }.count > 2_000, "\(dark.count)")
        }
        let opinion = try await PDFOracle.pyHanko(["image": document])["image"]?.signatures?.first
        #expect(opinion?.good == true)
    }
}
