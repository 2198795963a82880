import Glibc
import Octets
import TestSupport
import Testing

@testable import FontEmbedding

@Suite("Fonts for embedding")
struct FontFaceTests {
    private let face: FontFace

    init() throws { face = try FontFace(path: FontFace.standardPath) }

    @Test("know their name and measures")
    func metrics() {
        #expect(face.postScriptName == "DejaVuSans")
        #expect((850...1_000).contains(face.metrics.ascent))
        #expect((-300 ... -200).contains(face.metrics.descent))
        #expect((700...750).contains(face.metrics.capHeight))
        #expect(face.metrics.bounds.count == 4 && face.metrics.bounds[0] < 0 && face.metrics.bounds[3] > 1_000)
    }

    @Test(
        "set every script of Europe with a glyph for each letter",
        arguments: ["Hello", "Größe", "Łódź", "Ελληνικά", "Привет", "Türkçe ığ", "office", "Հայ", "ქართ"])
    func letters(_ text: String) {
        let set = face.set(text)
        #expect(set.glyphs.map(\.text).joined() == text)
        #expect(set.glyphs.allSatisfy { $0.glyph != 0 })
        #expect(!set.isRightToLeft)
        #expect(set.width > 300 * text.count)
        #expect(set.glyphs.count == text.unicodeScalars.count)
    }

    @Test("set Hebrew and Arabic from right to left, Arabic joined")
    func rightToLeft() {
        let hebrew = face.set("שלום")
        #expect(hebrew.isRightToLeft)
        #expect(hebrew.glyphs.map(\.text) == ["ם", "ו", "ל", "ש"])
        // The letter at the beginning, within and at the end of a word has three forms.
        let joined = face.set("بيت").glyphs.map(\.glyph)
        let apart = ["ت", "ي", "ب"].flatMap { face.set($0).glyphs.map(\.glyph) }
        #expect(joined.count == 3 && zip(joined, apart).allSatisfy { $0 != $1 })
    }

    @Test("compose decomposed characters")
    func composed() {
        #expect(face.set("A\u{30A}").glyphs.map(\.glyph) == face.set("\u{C5}").glyphs.map(\.glyph))
        #expect(face.set("A\u{30A}").glyphs.map(\.text).joined().unicodeScalars.count == 2)
    }

    @Test("show a replacement for characters without a glyph")
    func replacement() {
        #expect(face.set("a漢b").glyphs.map(\.text) == ["a", "\u{FFFD}", "b"])
        #expect(face.set("").glyphs.isEmpty)
        #expect(!face.hasGlyph("漢") && face.hasGlyph("ж"))
    }

    @Test("give a small part of themselves that is a font of its own")
    func subset() throws {
        let wanted = Set(face.set("Größe Å").glyphs.map(\.glyph))
        let subset = try face.subset(wanted)
        #expect(Set(subset.numbers.keys) == wanted)
        #expect(Set(subset.numbers.values).count == wanted.count && !subset.numbers.values.contains(0))
        #expect(subset.octets.count < 20_000)
        let scratch = try ScratchDirectory()
        let part = try FontFace(path: try scratch.write(subset.octets, to: "part.ttf"))
        #expect(part.metrics.ascent == face.metrics.ascent)
    }

    @Test("with CFF outlines give a part whose glyphs are shown by their identifiers", .enabled(if: hasCompact))
    func compact() throws {
        let face = try FontFace(path: Self.compactFont)
        #expect(face.allowsEmbedding && face.postScriptName.contains("CJK"))
        let wanted = Set(face.set("東京 Größe").glyphs.map(\.glyph))
        let subset = try face.subset(wanted)
        #expect(subset.outlines == .compact && subset.octets.count < 30_000)
        #expect(Set(subset.numbers.keys) == wanted && Set(subset.numbers.values).count == wanted.count)
        let octets = subset.octets
        let whole = octets.withUnsafeBytes { CompactOutlines($0, glyphCount: subset.glyphCount) }
        let identifiers = try #require(whole?.identifiers, "the font is CID-keyed")
        #expect(identifiers.count == subset.glyphCount && identifiers.first == 0)
        #expect(subset.numbers.values.allSatisfy { identifiers.contains($0) })
        // A table that is cut, or changed anywhere, is refused or read within its bounds.
        for count in stride(from: 0, to: min(octets.count, 600), by: 7) {
            _ = octets.slice(0..<count).withUnsafeBytes { CompactOutlines($0, glyphCount: subset.glyphCount) }
        }
        for place in 0..<min(octets.count, 400) {
            var changed = octets.array
            changed[place] ^= 0xFF
            _ = changed.withUnsafeBytes { CompactOutlines($0, glyphCount: subset.glyphCount) }
        }
    }

    private static let compactFont = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
    private static let hasCompact = access(compactFont, R_OK) == 0

    @Test("that are not fonts are refused", arguments: ["", "hello", "\u{0}\u{1}\u{0}\u{0}"])
    func refused(_ text: String) throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(Array(text.utf8), to: "font.ttf")
        #expect(throws: FontError.self) { try FontFace(path: path) }
        #expect(throws: FontError.self) { try FontFace(path: scratch.file("absent.ttf")) }
    }
}
