import Octets
import Testing

@testable import XMLReading

@Suite("Octets at which a library may stop reading")
struct EarlyEndTests {
    private struct Handler: XMLStreamHandler {
        mutating func startElement(_ tag: XMLStartTag) throws(Never) {}
        mutating func endElement(localName: String, namespaceURI: String?) throws(Never) {}
        mutating func text(_ octets: UnsafeRawBufferPointer) throws(Never) {}
    }

    @Test(
        "a document with a NUL, or anything behind its root, is not well-formed",
        arguments: ["<a/>\0", "<a/>\0<b/>", "<a/>\n\0\n<b/>", "<a>\0</a>", "<a/>x", "<a/><b/>", "<a b='\0'/>"],
        [1, 3, 1_000])
    func behindRoot(_ text: String, _ piece: Int) throws {
        let stream = try XMLStream(Handler())
        #expect(throws: (any Error).self) {
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                try Array(rest.prefix(piece)).withUnsafeBytes { octets throws in try stream.feed(octets) }
                rest = rest.dropFirst(piece)
            }
            try stream.finish()
        }
    }

    @Test("the text behind a NUL in HTML is read", arguments: ["\0", "&#0;", "<!-- \0 -->", "<b \0>", "\u{1}"])
    func html(_ between: String) {
        let text = HTMLText.plainText(of: OctetString("<p>before\(between)</p><p>behind</p>"))
        #expect(text.contains("before"))
        #expect(text.contains("behind"))
    }
}
