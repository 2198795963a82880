import Foundation
import Octets
import PDFSignatures
import TestSupport
import Testing

@Suite("Signing: stamps as a reader sees them")
struct StampRenderingTests {
    private let signatory: Signatory

    init() throws { signatory = try Signatory.shared.get() }

    /// Of the page as seen, in points.
    static let size = (width: 298, height: 420)

    /// A page that is seen as 298 by 420 points: turned, and cut out of a larger sheet, by itself or by the node above.
    static func document(_ rotation: Int, isInherited: Bool) -> OctetString {
        let (width, height) = rotation % 180 == 0 ? (size.width, size.height) : (size.height, size.width)
        let boxes = "/MediaBox [-30 -40 \(width + 60) \(height + 70)] /CropBox [10 20 \(width + 10) \(height + 20)]"
        let seen = "\(boxes) /Rotate \(rotation)"
        return GivenPDF.onePage(pages: isInherited ? seen : "", page: isInherited ? "" : seen)
    }

    /// A rendering in greys, one pixel a point.
    struct Picture {
        let width: Int
        let height: Int
        let pixels: [UInt8]

        init(of document: OctetString) async throws {
            let scratch = try ScratchDirectory()
            let path = try scratch.write(document, to: "document.pdf")
            let run = try await RunningProgram.run(
                "/usr/bin/pdftoppm", ["-r", "72", "-gray", "-cropbox", "-singlefile", path, scratch.file("picture")],
                asRoot: true)
            guard run.status == 0, run.error.isEmpty else { throw HarnessError("pdftoppm: \(run)") }
            let octets = try TestMaterial.octets(scratch.file("picture.pgm"))
            let head = octets.split(separator: 0x0A, maxSplits: 3, omittingEmptySubsequences: false)
            let numbers = head[1].split(separator: 0x20).compactMap { Int(String(decoding: $0, as: UTF8.self)) }
            (width, height, pixels) = (numbers[0], numbers[1], Array(head[3]))
        }

        /// The part that is not white: the smallest rectangle, counted from the upper left corner.
        var ink: (columns: ClosedRange<Int>, rows: ClosedRange<Int>)? {
            let dark = pixels.indices.filter { pixels[$0] < 250 }
            let columns = dark.map { $0 % width }
            let rows = dark.map { $0 / width }
            guard let left = columns.min(), let right = columns.max(), let top = rows.min(), let bottom = rows.max()
            else { return nil }
            return (left...right, top...bottom)
        }

        /// The mean difference of grey within where there is ink.
        func difference(_ other: Picture) -> Double {
            guard width == other.width, height == other.height else { return 255 }
            let places = pixels.indices.filter { pixels[$0] < 250 || other.pixels[$0] < 250 }
            return places.reduce(0.0) { $0 + abs(Double(pixels[$1]) - Double(other.pixels[$1])) }
                / Double(max(1, places.count))
        }

        var turnedOver: Picture { Picture(width: width, height: height, pixels: pixels.reversed()) }

        private init(width: Int, height: Int, pixels: [UInt8]) {
            (self.width, self.height, self.pixels) = (width, height, pixels)
        }
    }

    private func picture(
        _ area: PDFSignatureOptions.Area, _ rotation: Int, isInherited: Bool = false
    ) async throws -> Picture {
        let signed = try signatory.sign(
            Self.document(rotation, isInherited: isInherited),
            Signatory.options("Ämilie Örsted", reason: "Approval of the contract", area: area))
        return try await Picture(of: signed)
    }

    @Test(
        "stand upright in the chosen corner, however the page is turned",
        arguments: PDFSignatureOptions.Area.allCases)
    func areas(_ area: PDFSignatureOptions.Area) async throws {
        let upright = try await picture(area, 0)
        #expect(upright.width == Self.size.width && upright.height == Self.size.height)
        let ink = try #require(upright.ink)
        // 45 % of the width and at most 64 points high, 5 % of the width from the edges; a pixel more or less.
        let (width, height, margin) = (134.1, 64.0, 14.9)
        #expect(abs(Double(ink.columns.count) - width) <= 2, "\(ink)")
        #expect(abs(Double(ink.rows.count) - height) <= 2, "\(ink)")
        let left: Double =
            switch area {
            case .topLeft, .bottomLeft: margin
            case .centre: (298 - width) / 2
            case .topRight, .bottomRight: 298 - margin - width
            }
        let top: Double =
            switch area {
            case .topLeft, .topRight: margin
            case .centre: (420 - height) / 2
            case .bottomLeft, .bottomRight: 420 - margin - height
            }
        #expect(abs(Double(ink.columns.lowerBound) - left) <= 1.5, "\(ink)")
        #expect(abs(Double(ink.rows.lowerBound) - top) <= 1.5, "\(ink)")
        for rotation in [90, 180, 270] {
            for isInherited in [false, true] {
                let turned = try await picture(area, rotation, isInherited: isInherited)
                let difference = upright.difference(turned)
                // Letters are smoothed a little differently in each direction; a stamp on its head differs far more.
                #expect(difference < 25, "\(area), \(rotation) degrees: \(difference)")
            }
        }
        if area == .centre { #expect(upright.difference(upright.turnedOver) > 40) }
    }

    @Test("are turned by a negative angle, too")
    func negative() async throws {
        let upright = try await picture(.topRight, 0)
        let turned = try await picture(.topRight, -90)
        #expect(upright.difference(turned) < 25)
    }

    @Test("hold text that can be copied, in any script that the font has")
    func text() async throws {
        var options = Signatory.options(
            "Łukasz Ωmega Иванов שלום", reason: "Größe (50 %) \\ prüfen", area: .centre)
        options.location = "東京 \u{10FFFD} Αθήνα"
        let signed = try signatory.sign(Self.document(0, isInherited: false), options)
        let text = try await Self.text(of: signed)
        for word in [
            "Łukasz", "Ωmega", "Иванов", "Reason:", "Größe", "(50", "\\", "prüfen", "Αθήνα", "2027-01-15", "UTC",
        ] {
            #expect(text.contains(word), "\(word) in \(text)")
        }
        // Another font stands in where the usual one has no glyph; where none has, that is shown.
        #expect(text.contains("東京 \u{FFFD} Αθήνα"), "\(text)")
        #expect(text.contains("Digitally signed by"), "\(text)")
        let opinion = try await PDFOracle.pyHanko(["text": signed])["text"]?.signatures?.first
        #expect(opinion?.name == options.signerName && opinion?.reason == options.reason)
        #expect(opinion?.location == options.location)
    }

    @Test("keep texts of any length within their frame")
    func longTexts() async throws {
        var options = Signatory.options(
            String(repeating: "Donaudampfschifffahrtsgesellschaft", count: 20),
            reason: String(repeating: "a long reason ", count: 100), area: .topLeft)
        options.location = String(repeating: "x", count: 5_000)
        let signed = try signatory.sign(Self.document(90, isInherited: true), options)
        let ink = try #require(try await Picture(of: signed).ink)
        #expect(ink.columns.count <= 137 && ink.rows.count <= 66, "\(ink)")
        let text = try await Self.text(of: signed)
        #expect(text.contains("\u{2026}") && text.contains("Date: 2027-01-15"), "\(text)")
    }

    @Test("stand beside one another if there is room")
    func several() async throws {
        var document = Self.document(90, isInherited: false)
        var inks: [Int] = []
        for _ in 0..<3 {
            document = try signatory.sign(document, Signatory.options(area: .bottomRight))
            inks.append(try #require(try await Picture(of: document).ink).rows.count)
        }
        #expect(zip(inks, inks.dropFirst()).allSatisfy { $1 - $0 >= 64 }, "\(inks)")
    }

    @Test("do not show if they are invisible")
    func hidden() async throws {
        for options in [Signatory.options(), Signatory.options(area: .centre, isVisible: false)] {
            let signed = try signatory.sign(Self.document(0, isInherited: false), options)
            #expect(try await Picture(of: signed).ink == nil)
        }
    }

    private static func text(of document: OctetString) async throws -> String {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(document, to: "document.pdf")
        let run = try await RunningProgram.run("/usr/bin/pdftotext", ["-layout", path, "-"], asRoot: true)
        guard run.status == 0, run.error.isEmpty else { throw HarnessError("pdftotext: \(run)") }
        return run.output
    }
}
