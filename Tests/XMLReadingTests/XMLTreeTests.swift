import Octets
import Testing

@testable import XMLReading

@Suite("XML as a tree")
struct XMLTreeTests {
    @Test("names, namespaces, attributes, text and lines are kept")
    func content() throws {
        let root = try XMLTree.parse(
            OctetString(
                """
                <?xml version="1.0"?>
                <a:root xmlns:a="urn:a" xmlns="urn:d"
                        plain="x &amp; y &#38;&amp;amp; &lt;" a:own="2">
                  one<child
                     far="1"/><!-- c -->two<![CDATA[<3>]]>
                  <child>&#65;&gt;</child>
                </a:root>
                """))
        #expect(root.localName == "root")
        #expect(root.namespaceURI == "urn:a")
        #expect(root.line == 2)
        #expect(root.attribute("plain") == "x & y &&amp; <")
        #expect(root.attribute("own", namespace: "urn:a") == "2")
        #expect(root.attribute("own") == nil)
        #expect(root.trimmedText == "onetwo<3>")
        #expect(root.children.map(\.localName) == ["child", "child"])
        #expect(root.children.map(\.line) == [4, 6])
        #expect(root.children.map(\.namespaceURI) == ["urn:d", "urn:d"])
        #expect(root.children[1].text == "A>")
    }

    @Test(
        "octets that are not one well-formed document are an error",
        arguments: [
            ("", 1), ("   \n", 2), ("text", 1), ("<a>", 1), ("<a></b>", 1), ("<a/>\n<b/>", 2), ("<a/>x", 1),
            ("<a/>\u{0}", 1),
            ("<a\nb='1' b='2'/>", 2), ("<a x:b='1'/>", 1), ("<x:a/>", 1),
            ("<a xmlns:p='u' xmlns:q='u' p:b='' q:b=''/>", 1),
            ("<a>&nbsp;</a>", 1), ("<a b='&e;'/>", 1), ("<a>\n\n<b></a>", 3), ("<a>\u{1}</a>", 1), ("<a>&#0;</a>", 1),
            ("<a b='<'/>", 1), ("<a>]]></a>", 1), ("<a><!-- -- --></a>", 1), ("<a", 1), ("<a/", 1), ("<a/><!--", 1),
            ("<?xml version='1.0' encoding='no-such-charset'?><a/>", 1), ("<a>\u{0}</a>", 1),
        ])
    func malformed(_ text: String, _ line: Int) {
        let error = #expect(throws: XMLReadingError.self) { try XMLTree.parse(OctetString(text)) }
        #expect(error?.line == line)
        #expect(error?.reason.isEmpty == false)
        #expect(error?.reason.unicodeScalars.allSatisfy { $0.value >= 0x20 } == true)
    }
}
