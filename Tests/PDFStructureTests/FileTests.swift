import Octets
import Testing

@testable import PDFStructure

/// A file put together by hand, its offsets counted.
struct BuiltFile {
    private(set) var octets: [UInt8]
    private var places: [Int: Int] = [:]

    init(_ header: String = "%PDF-1.7\n") { octets = Array(header.utf8) }

    var count: Int { octets.count }
    var document: OctetString { OctetString(octets) }

    mutating func add(_ text: String) { octets += Array(text.utf8) }

    mutating func object(_ number: Int, _ body: String) {
        places[number] = octets.count
        add("\(number) 0 obj\n\(body)\nendobj\n")
    }

    static func padded(_ value: Int, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    /// A table of what was added since the last one, a trailer and the end.
    @discardableResult
    mutating func finish(_ trailer: String = "/Root 1 0 R", start: Int? = nil) -> Int {
        let table = octets.count
        add("xref\n0 1\n0000000000 65535 f \n")
        for (number, place) in places.sorted(by: { $0.key < $1.key }) {
            add("\(number) 1\n\(Self.padded(place, 10)) 00000 n \n")
        }
        places = [:]
        add("trailer\n<</Size 99\(trailer)>>\nstartxref\n\(start ?? table)\n%%EOF\n")
        return table
    }

    /// The same with a cross-reference stream, `number` its own.
    @discardableResult
    mutating func finishWithStream(_ number: Int, compressed: [Int: (stream: Int, index: Int)] = [:], more: String = "")
        -> Int
    {
        let table = octets.count
        places[number] = table
        var data: [UInt8] = []
        var index = ""
        for key in Set(places.keys).union(compressed.keys).sorted() {
            index += "\(key) 1 "
            let (kind, second, third) =
                places[key].map { (1, $0, 0) } ?? (2, compressed[key]?.stream ?? 0, compressed[key]?.index ?? 0)
            data += [UInt8(kind), UInt8(second >> 8), UInt8(second & 0xFF), UInt8(third)]
        }
        places = [:]
        add(
            "\(number) 0 obj\n<</Type/XRef/Size 99/W[1 2 1]/Index[\(index)]/Root 1 0 R/Length \(data.count)\(more)>>\nstream\n"
        )
        octets += data
        add("\nendstream\nendobj\nstartxref\n\(table)\n%%EOF\n")
        return table
    }
}

@Suite("PDF files (ISO 32000-1 §7.5)")
struct FileTests {
    private static func file(_ built: BuiltFile) throws(PDFSyntaxError) -> PDFFile {
        try PDFFile(built.document, budget: WorkBudget(octets: 4 << 20))
    }

    private static func kind(_ body: () throws -> Void) -> PDFSyntaxError.Kind? {
        do {
            try body()
            return nil
        } catch { return (error as? PDFSyntaxError)?.kind }
    }

    private static func plain() -> BuiltFile {
        var built = BuiltFile()
        built.object(1, "<</Type/Catalog>>")
        return built
    }

    @Test("a table, and an update behind it, each with its own objects")
    func tables() throws {
        var built = Self.plain()
        let first = built.finish()
        let end = built.count
        built.object(1, "<</Type/Catalog/New true>>")
        built.object(2, "[1 2]")
        built.finish("/Root 1 0 R/Prev \(first)")
        let file = try Self.file(built)
        #expect(file.sections.count == 2)
        let revision = try file.revision(endingAt: end)
        #expect(revision == 1)
        #expect(try file.catalog(in: 0)["New"] == .boolean(true))
        #expect(try file.catalog(in: revision)["New"] == .null)
        #expect(try file.object(2, in: revision) == nil && file.object(2, in: 0)?.value.array?.count == 2)
    }

    @Test("a cross-reference stream, and objects in an object stream")
    func streams() throws {
        var built = Self.plain()
        let members = "4 0 5 13 <</In true>> 12"
        built.object(3, "<</Type/ObjStm/N 2/First 9/Length \(members.utf8.count)>>\nstream\n\(members)\nendstream")
        built.finishWithStream(9, compressed: [4: (3, 0), 5: (3, 1)])
        let file = try Self.file(built)
        #expect(try file.object(4, in: 0)?.value.dictionary?["In"] == .boolean(true))
        #expect(try file.object(5, in: 0)?.value.integer == 12)
        #expect(try file.object(4, in: 0)?.isCompressed == true)
        #expect(try file.members(ofStream: 3, in: 0) == [4, 5])
        #expect(try file.census(of: 0, counting: []).containers == [3])
    }

    @Test("an object that is not in the place given by the cross-references is damage")
    func strayMember() throws {
        var built = Self.plain()
        let members = "4 0 5 13 <</In true>> 12"
        built.object(3, "<</Type/ObjStm/N 2/First 9/Length \(members.utf8.count)>>\nstream\n\(members)\nendstream")
        built.finishWithStream(9, compressed: [6: (3, 0), 5: (3, 7)])
        let file = try Self.file(built)
        #expect(Self.kind { _ = try file.object(6, in: 0) } == .damaged)
        #expect(Self.kind { _ = try file.object(5, in: 0) } == .damaged)
    }

    @Test("an object stream in an object stream, or of itself, ends in an error")
    func nestedStreams() throws {
        var built = Self.plain()
        built.finishWithStream(9, compressed: [3: (3, 0), 4: (3, 0)])
        let file = try Self.file(built)
        #expect(Self.kind { _ = try file.object(4, in: 0) } == .damaged)
    }

    @Test("lengths that lead in a circle end in an error")
    func lengths() throws {
        var built = Self.plain()
        built.object(2, "<</Length 3 0 R>>\nstream\nabc\nendstream")
        built.object(3, "<</Length 2 0 R>>\nstream\nabc\nendstream")
        built.object(4, "<</Length 5 0 R>>\nstream\nabc\nendstream")
        built.object(5, "3")
        built.finish()
        let file = try Self.file(built)
        #expect(Self.kind { _ = try file.object(2, in: 0) } == .damaged)
        #expect(try file.object(4, in: 0)?.stream?.count == 3)
    }

    @Test("a hybrid file uses its additional stream for objects missing from the table")
    func hybrid() throws {
        var built = Self.plain()
        built.object(2, "(two)")
        let place = built.count
        built.add("2 0 obj\n(hidden)\nendobj\n")
        let extra = built.count
        let data: [UInt8] = [1, UInt8(place >> 8), UInt8(place & 0xFF), 0]
        built.add("8 0 obj\n<</Type/XRef/Size 9/W[1 2 1]/Index[7 1]/Length 4>>\nstream\n")
        built.add(String(decoding: data.map { $0 & 0x7F }, as: UTF8.self))
        built.add("\nendstream\nendobj\n")
        built.finish("/Root 1 0 R/XRefStm \(extra)")
        let file = try Self.file(built)
        #expect(file.sections[0].isHybrid)
        #expect(try file.object(2, in: 0)?.value.string?.octets == Array("two".utf8))
    }

    @Test(
        "chains that lead back, out of the file or nowhere are damage",
        arguments: ["/Prev 20", "/Prev 999999", "/Prev -1", "/Prev 1 0 R", "/Prev (a)", "/XRefStm 0", "/XRefStm 20"])
    func chains(_ entry: String) {
        var built = Self.plain()
        built.finish("/Root 1 0 R" + entry)
        #expect(Self.kind { _ = try Self.file(built) } == .damaged)
    }

    @Test("a section that refers to itself is damage")
    func loop() {
        var built = Self.plain()
        let table = built.count
        built.finish("/Root 1 0 R/Prev \(table)")
        #expect(Self.kind { _ = try Self.file(built) } == .damaged)
    }

    @Test("more than a thousand sections are too many")
    func manySections() {
        var built = Self.plain()
        var previous = built.finish()
        for _ in 0..<1_000 { previous = built.finish("/Root 1 0 R/Prev \(previous)") }
        #expect(Self.kind { _ = try Self.file(built) } == .tooComplex)
    }

    @Test(
        "subsections of impossible size or number are damage",
        arguments: [
            "0 9999999999", "-1 1", "8388608 1", "0 1\n0000000000 65535 f \n0 1", "1 1\n00000 00000 n ", "1 2\nx",
        ])
    func subsections(_ text: String) {
        var built = Self.plain()
        let table = built.count
        built.add("xref\n\(text)\n0000000000 65535 f \ntrailer\n<</Size 9/Root 1 0 R>>\nstartxref\n\(table)\n%%EOF\n")
        #expect(Self.kind { _ = try Self.file(built) } == .damaged)
    }

    @Test("a wide cross-reference stream, or one shorter than it claims, is damage")
    func streamShapes() {
        for shape in ["/W[9 9 9]", "/W[1 0 1]", "/W[1 2]", "/Index[0 500]", "/Index[1]", "/Size -1"] {
            var built = Self.plain()
            built.finishWithStream(9)
            let key = shape.prefix { $0 != "[" && $0 != " " }
            var octets = built.octets
            let from = Array((key == "/Size" ? "/Size 99" : key == "/W" ? "/W[1 2 1]" : "/Index[").utf8)
            guard let place = octets.indices.first(where: { octets[$0...].starts(with: from) }) else {
                Issue.record("\(shape)")
                continue
            }
            octets.replaceSubrange(
                place..<place + from.count, with: Array((key == "/Index" ? shape + "/X[" : shape).utf8))
            #expect(Self.kind { _ = try PDFFile(OctetString(octets), budget: WorkBudget()) } != nil, "\(shape)")
        }
    }

    @Test("a file that is cut anywhere is an error, and reading it ends")
    func truncated() {
        var built = Self.plain()
        built.object(2, "<</A[1 2 3]>>")
        built.finish()
        let whole = built.document
        for length in 0..<whole.count - 1 {
            let kind = Self.kind { _ = try PDFFile(whole.slice(0..<length), budget: WorkBudget()) }
            #expect(kind == (length < 5 ? .notPDF : .damaged), "\(length)")
        }
    }

    @Test("octets before the header are damage; without a header it is not a PDF")
    func header() {
        var built = BuiltFile("\n%PDF-1.7\n")
        built.object(1, "<<>>")
        built.finish()
        #expect(Self.kind { _ = try Self.file(built) } == .damaged)
        #expect(Self.kind { _ = try PDFFile(OctetString("<html>"), budget: WorkBudget()) } == .notPDF)
        let late = OctetString([UInt8](repeating: 0x20, count: 1_024))
        #expect(Self.kind { _ = try PDFFile(OctetString(late.array + built.octets), budget: WorkBudget()) } == .notPDF)
    }

    @Test("work is bounded, whatever a file claims")
    func budget() {
        var built = Self.plain()
        built.object(2, "(" + String(repeating: "a", count: 2_000) + ")")
        built.finish()
        let kind = Self.kind {
            let file = try PDFFile(built.document, budget: WorkBudget(octets: 20_000))
            for _ in 0..<20 { _ = try file.object(2, in: 0) }
        }
        #expect(kind == .tooComplex)
    }

    @Test(
        "comments between objects are harmless without the words of the structure",
        arguments: [
            ("  % made by a writer 1.2\n \r", nil), ("%", nil), ("% 1 0 obj", 0), ("\n%%EOF", 1), ("x", 0),
            ("%a\nxref", 3), ("%stream", 0), ("%\u{1}", 0), ("% \u{E9}\u{FF}\n", nil),
        ] as [(String, Int?)])
    func comments(_ text: String, _ odd: Int?) throws {
        let gap = text.unicodeScalars.map { UInt8($0.value) }
        var built = BuiltFile()
        built.add(String(repeating: " ", count: gap.count) + "\n")
        built.object(1, "<<>>")
        built.finish()
        var octets = built.octets
        octets.replaceSubrange(9..<9 + gap.count, with: gap)
        let file = try PDFFile(OctetString(octets), budget: WorkBudget())
        #expect(file.firstInk(besidesCommentsIn: 9..<9 + gap.count) == odd.map { $0 + 9 })
    }
}
