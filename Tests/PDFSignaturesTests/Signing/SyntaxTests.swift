import FontEmbedding
import Octets
import PDFStructure
import TestSupport
import Testing

@testable import PDFSignatures

@Suite("Writing PDF syntax (ISO 32000-1 §7.3)")
struct SyntaxTests {
    @Test(
        "text is ASCII, PDFDocEncoding or UTF-16, and can be read back",
        arguments: [
            ("plain", "(plain)"), ("", "()"), ("a(b)c\\", "(a\\(b\\)c\\\\)"), ("two\nlines\u{0}", "(two lines )"),
            ("Größe", "<4772F6DF65>"), ("a\u{A0}b", "<FEFF006100A00062>"), ("€", "<FEFF20AC>"),
            ("Ωß", "<FEFF03A900DF>"),
            ("𝄞", "<FEFFD834DD1E>"), ("\u{AD}", "<FEFF00AD>"), ("\u{7F}", "( )"),
        ])
    func text(_ text: String, _ written: String) throws {
        let octets = PDFSyntax.text(text)
        #expect(String(decoding: octets, as: UTF8.self) == written)
        let read = PDFString(token: OctetString(octets), range: 0..<octets.count)
        let expected = String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
        #expect(PDFText.text(read.octets) == expected)
    }

    @Test(
        "names escape characters that would end them",
        arguments: [("A", "/A"), ("a b#/", "/a#20b#23#2F"), ("\u{E9}(", "/#E9#28")])
    func names(_ name: String, _ written: String) {
        #expect(String(decoding: PDFSyntax.name(name), as: UTF8.self) == written)
    }

    @Test(
        "numbers have no exponent and no needless digits",
        arguments: [
            (0, "0"), (1, "1"), (-1.5, "-1.5"), (0.00004, "0"), (0.0001, "0.0001"), (-0.25, "-0.25"), (1e7, "10000000"),
            (119.99999, "120"), (0.1 + 0.2, "0.3"),
        ])
    func numbers(_ number: Double, _ written: String) { #expect(PDFSyntax.number(number) == written) }

    @Test(
        "dates follow the calendar",
        arguments: [
            (0, "19700101000000"), (951_782_400, "20000229000000"), (1_709_209_845, "20240229123045"),
            (-1, "19691231235959"), (4_102_444_799, "20991231235959"), (Int.max, "99991231235959"),
            (Int.min, "00010101000000"), (1_800_000_000, "20270115080000"),
        ])
    func dates(_ time: Int, _ digits: String) {
        let moment = CalendarTime(unix: time)
        #expect(moment.digits == digits)
        #expect(moment.readable.filter(\.isNumber) == digits && moment.readable.hasSuffix(" UTC"))
        let shown = min(max(time, -62_135_596_800), 253_402_300_799)
        #expect(PDFText.date(Array("D:\(digits)Z".utf8)) == shown)
    }
}

@Suite("Pages as a reader sees them")
struct PageViewTests {
    private static let box = Box(left: 10, bottom: 20, right: 110, top: 220)

    @Test(
        "the lower left corner of the view is another corner of the page for each turn",
        arguments: [
            (0, [10.0, 20.0, 15, 22]), (90, [108, 20, 110, 25]), (180, [105, 218, 110, 220]),
            (270, [10, 215, 12, 220]),
        ])
    func corner(_ rotation: Int, _ sides: [Double]) {
        let view = PageView(box: Self.box, rotation: rotation, unit: 1)
        #expect(view.onPage(Box(left: 0, bottom: 0, right: 5, top: 2)).sides == sides)
        #expect(view.width == (rotation % 180 == 0 ? 100 : 200))
        #expect(view.seenSize(view.onPage(Box(left: 7, bottom: 9, right: 12, top: 11))) == (5, 2))
    }

    @Test("a unit larger than a point makes the page larger, and not the stamp")
    func unit() throws {
        let view = PageView(box: Self.box, rotation: 90, unit: 10)
        #expect(view.width == 2_000 && view.height == 1_000)
        let seen = try StampPlacement(view: view, taken: []).box(for: .topLeft)
        #expect(seen == Box(left: 28, bottom: 908, right: 228, top: 972))
        let rectangle = view.onPage(seen)
        #expect(abs(rectangle.width - 6.4) < 1e-9 && abs(rectangle.height - 20) < 1e-9)
    }

    @Test(
        "boxes, turn and unit come from the page or are inherited",
        arguments: [
            ("/MediaBox [0 0 100 200]", "", [0.0, 0, 100, 200], 0),
            ("", "/MediaBox [200 100 0 0] /Rotate 450", [0, 0, 200, 100], 90),
            ("/CropBox [-5 -5 50 50]", "/MediaBox [0 0 100 200] /CropBox [1 1 2 2] /Rotate 180", [0, 0, 50, 50], 180),
            ("/MediaBox [0 0 10 10] /CropBox [20 20 30 30] /Rotate -90", "/Rotate 90", [0, 0, 10, 10], 270),
            ("/MediaBox 5 0 R /Rotate 45", "", [1, 2, 3.5, 4], 0), ("", "", [0, 0, 612, 792], 0),
            ("/MediaBox [0 0 1]", "/MediaBox [0 0 7 7]", [0, 0, 612, 792], 0),
        ])
    func inherited(_ page: String, _ pages: String, _ sides: [Double], _ rotation: Int) throws {
        let source = try SigningSource(GivenPDF.onePage(pages: pages, page: page, more: ["[1 2 6 0 R 4]", "3.5"]))
        let view = try source.view(of: try source.page(1))
        #expect(view == PageView(box: try #require(Box(sides)), rotation: rotation, unit: 1))
    }

    @Test(
        "a stamp is put beside existing ones, from the edge inwards",
        arguments: PDFSignatureOptions.Area.allCases)
    func beside(_ area: PDFSignatureOptions.Area) throws {
        let view = PageView(box: Box(left: 0, bottom: 0, right: 595, top: 842), rotation: 270, unit: 1)
        var taken: [Box] = []
        for _ in 0..<4 {
            let box = view.onPage(try StampPlacement(view: view, taken: taken).box(for: area))
            #expect(!taken.contains { $0.overlaps(box) })
            taken.append(box)
        }
        // Where there is no room left they lie over one another rather than off the page.
        for _ in 0..<40 { taken.append(view.onPage(try StampPlacement(view: view, taken: taken).box(for: area))) }
        #expect(taken.allSatisfy { view.box.intersection($0) == $0 })
    }
}

@Suite("The lines of a stamp")
struct StampLayoutTests {
    private let face: FontFace

    init() throws { face = try FontFace(path: FontFace.standardPath) }

    private func lines(_ texts: [String], _ width: Double, _ height: Double) -> (size: Double, lines: [String]) {
        let layout = StampLayout(texts, width: width, height: height, fonts: FontStack(face))
        for line in layout.lines {
            #expect(Double(line.reduce(0) { $0 + $1.advance }) * layout.fontSize / 1_000 <= width + 0.01)
        }
        #expect(Double(layout.lines.count) * layout.fontSize * StampLayout.lineHeight <= height + 0.01)
        return (layout.fontSize, layout.lines.map { $0.map(\.text).joined() })
    }

    @Test("are the texts if these fit")
    func fitting() {
        let set = lines(["Erika Mustermann", "Reason: Approval"], 190, 58)
        #expect(set.lines == ["Erika Mustermann", "Reason: Approval"] && set.size == 10)
    }

    @Test("break between words, then within them, and get smaller")
    func broken() {
        let set = lines(["one two three four five six seven eight nine ten eleven"], 100, 24)
        #expect(set.lines.joined(separator: " ") == "one two three four five six seven eight nine ten eleven")
        #expect(set.lines.count > 1 && set.size < 10)
        let long = lines([String(repeating: "m", count: 40)], 100, 58)
        #expect(long.lines.joined() == String(repeating: "m", count: 40) && long.lines.count > 1)
    }

    @Test("end in an ellipsis if nothing else helps, each text keeping a line")
    func cut() {
        let set = lines([String(repeating: "name ", count: 200), "Reason: short", "Date: today"], 100, 30)
        #expect(set.lines.first?.hasPrefix("name name") == true)
        #expect(set.lines.contains("Reason: short") && set.lines.contains("Date: today"))
        #expect(set.lines.dropLast(2).last?.hasSuffix("\u{2026}") == true)
    }

    @Test("are few or none in a tiny box", arguments: [(0, 0), (1, 1), (5, 5), (24, 10), (500, 3), (3, 500)])
    func tiny(_ width: Double, _ height: Double) {
        let set = StampLayout(["Erika Mustermann", "b"], width: width, height: height, fonts: FontStack(face))
        #expect(set.lines.count <= 84)
        #expect(Double(set.lines.count) * set.fontSize * StampLayout.lineHeight <= height + 0.01)
    }

    @Test("show words from right to left in their order")
    func rightToLeft() {
        #expect(lines(["שלום עולם x"], 190, 58).lines == ["םלוע םולש x"])
    }
}
