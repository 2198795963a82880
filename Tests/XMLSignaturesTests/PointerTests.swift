import Testing

@testable import XMLSignatures

@Suite("What a URI points to")
struct PointerTests {
    @Test(
        "is one of the forms that are known, and nothing like them",
        arguments: [
            ("", Pointer.document), ("#a", .element("a")), ("#xpointer(/)", .document),
            ("#xpointer(id('a'))", .element("a")), ("#xpointer(id(\"a\"))", .element("a")),
            ("#xpointer(id('a\"b'))", .element("a\"b")), ("#xpointer(id('a')/node())", .children("a")),
            ("#xpointer(id(\"a\")/node())", .children("a")), ("#xpointer(id(''))", .other("xpointer(id(''))")),
            ("#xpointer(id('a\"))", .other("xpointer(id('a\"))")),
            ("#xpointer(id('a'b'))", .other("xpointer(id('a'b'))")),
            ("#xpointer(id('a')) ", .other("xpointer(id('a')) ")), ("#xpointer(id(a))", .other("xpointer(id(a))")),
            ("#xpointer(id('))", .other("xpointer(id('))")),
            ("#xpointer(id('a')/node()", .other("xpointer(id('a')/node()")),
        ])
    func forms(_ uri: String, _ pointer: Pointer) { #expect(Pointer(uri, childrenOf: nil) == pointer) }

    @Test("leads out of the document")
    func foreign() { #expect(Pointer("file:///etc/passwd", childrenOf: nil) == nil) }
}
