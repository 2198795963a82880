import Testing

@testable import FontEmbedding

@Suite("Several fonts for one text")
struct FontStackTests {
    private let stack: FontStack

    init() throws { stack = FontStack(try FontFace(path: FontFace.standardPath)) }

    @Test("text is set in the first font if it has the glyphs")
    func first() {
        let set = stack.set("Größe")
        #expect(set.glyphs.allSatisfy { $0.font == 0 } && set.glyphs.map(\.text).joined() == "Größe")
        #expect(stack.missing(in: "Größe, שלום\n").isEmpty)
    }

    @Test("other text is set in further fonts, in the order of reading")
    func others() {
        let set = stack.set("A東京B")
        #expect(set.glyphs.map(\.text).joined() == "A東京B")
        #expect(set.glyphs.map { $0.font == 0 } == [true, false, false, true], "install fonts-droid-fallback")
        #expect(set.glyphs.allSatisfy { $0.glyph != 0 } && stack.missing(in: "東京").isEmpty)
        #expect(set.glyphs.allSatisfy { stack.face($0.font).allowsEmbedding })
    }

    @Test("characters that no font has are reported")
    func missing() {
        #expect(stack.missing(in: "a\u{10FFFD}b\u{10FFFD}") == ["\u{10FFFD}"])
        #expect(stack.set("\u{10FFFD}").glyphs.map(\.text) == ["\u{FFFD}"])
    }
}
