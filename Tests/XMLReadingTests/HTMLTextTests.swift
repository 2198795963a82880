import Octets
import TestSupport
import Testing

@testable import XMLReading

@Suite("Text of HTML", .timeLimit(.minutes(1)))
struct HTMLTextTests {
    @Test(
        "is the text that a reader sees",
        arguments: [
            ("<p>one</p><p>two</p>", "one\ntwo"), ("one<br>two<br/>three", "one\ntwo\nthree"),
            ("<div>a</div>b", "a\nb"), ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
            ("<ul><li>a<li>b</ul>", "a\nb"), ("se<b>cu</b>re", "secure"), ("a  \r\n\t b", "a b"),
            (
                "<html><head><title>t</title><style>p{}</style></head><body>x<script>alert('y')</script>z</body></html>",
                "xz"
            ),
            ("a<!-- secret -->b", "ab"), ("a &amp; b &eacute; &#8364; &lt;c&gt;", "a & b é € <c>"),
            ("<p>open <i>end", "open end"), ("", ""), ("plain", "plain"), ("<", ""), ("a < b", "a < b"),
            ("<a href='http://x.test/'>link</a>", "link"), ("<h1>T</h1>x<hr>y", "T\nx\ny"),
            ("<noscript>seen</noscript>", "seen"), ("<textarea>box</textarea>", "box"),
        ])
    func text(_ html: String, _ expected: String) {
        #expect(HTMLText.plainText(of: OctetString(html)) == expected)
    }

    @Test("the charset of the header is believed before the document's own")
    func charsets() {
        let latin = OctetString(Array("<p>caf".utf8) + [0xE9])
        #expect(HTMLText.plainText(of: latin, charset: "ISO-8859-1") == "café")
        #expect(HTMLText.plainText(of: latin) == "café")
        #expect(HTMLText.plainText(of: OctetString("<p>café"), charset: "utf-8") == "café")
        #expect(HTMLText.plainText(of: OctetString("<p>café")) == "café")
        #expect(HTMLText.plainText(of: OctetString("<p>café"), charset: "no-such-charset") == "café")
        let mistaken = "<meta http-equiv='Content-Type' content='text/html; charset=iso-8859-1'><p>café"
        #expect(HTMLText.plainText(of: OctetString(mistaken), charset: "utf-8") == "café")
        let koi8 = OctetString([0xC4, 0xC1])
        #expect(HTMLText.plainText(of: koi8, charset: "koi8-r") == "да")
    }

    @Test("hostile nesting and sizes end soon, with the text read so far")
    func hostile() {
        let deep = "<p>first</p>" + String(repeating: "<div>", count: 300_000) + "last"
        #expect(HTMLText.plainText(of: OctetString(deep)).hasPrefix("first"))
        let crossed = String(repeating: "<b><i>", count: 100_000) + String(repeating: "</b></i>", count: 100_000)
        _ = HTMLText.plainText(of: OctetString(crossed))
        let unclosed = "start <!-- " + String(repeating: "-", count: 3 << 20)
        #expect(HTMLText.plainText(of: OctetString(unclosed)).hasPrefix("start"))
        let script = "start <script>" + String(repeating: "</scrip", count: 400_000)
        #expect(HTMLText.plainText(of: OctetString(script)).hasPrefix("start"))
        let attribute = "start <a b=\"" + String(repeating: "x", count: 3 << 20)
        #expect(HTMLText.plainText(of: OctetString(attribute)).hasPrefix("start"))
        let text = HTMLText.plainText(of: OctetString(String(repeating: "x", count: 5 << 20)))
        #expect(text.utf8.count == 4 << 20)
    }

    @Test("any octets give some text", arguments: 0..<4)
    func anything(seed: UInt64) {
        var random = SeededNumbers(seed: seed)
        let alphabet = Array("<>/&;'\"=!-[] \nabp#x".utf8) + [0, 0x80, 0xC3, 0xFF]
        for _ in 0..<500 {
            let octets = (0..<Int(random.next() % 200)).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))]
            }
            for charset in [nil, "utf-16", "iso-2022-jp", "utf-7"] {
                #expect(HTMLText.plainText(of: OctetString(octets), charset: charset).utf8.count <= 4 * 200 + 4)
            }
        }
    }
}

@Suite("Escaping for XML")
struct XMLEscapingTests {
    @Test(
        "escaped text is read back unchanged",
        arguments: ["a<b>&\"'c", "tab\tline\nreturn\rend", "é日🙂", "]]>", "&amp;", ""])
    func roundTrip(_ text: String) throws {
        let document =
            "<a b=\"\(XMLEscaping.attribute(text))\" c='\(XMLEscaping.attribute(text))'>\(XMLEscaping.text(text))</a>"
        let root = try XMLTree.parse(OctetString(document))
        #expect(root.text.unicodeScalars.elementsEqual(text.unicodeScalars))
        #expect(root.attribute("b")?.unicodeScalars.elementsEqual(text.unicodeScalars) == true)
        #expect(root.attribute("c")?.unicodeScalars.elementsEqual(text.unicodeScalars) == true)
    }

    @Test("characters that XML cannot carry are left out")
    func illegal() {
        #expect(XMLEscaping.text("a\u{0}\u{1}\u{B}\u{1F}\u{FFFE}\u{FFFF}b\u{7F}") == "ab\u{7F}")
        #expect(XMLEscaping.attribute("\u{8}x") == "x")
    }
}
