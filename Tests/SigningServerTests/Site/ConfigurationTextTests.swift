import Testing

@testable import SigningServer

@Suite("Changes of the text of dss.xml")
struct ConfigurationTextTests {
    private func changed(_ text: String, _ change: (inout ConfigurationText) -> Void) -> String {
        var edited = ConfigurationText(Array(text.utf8))
        change(&edited)
        return String(decoding: edited.octets, as: UTF8.self)
    }

    @Test("comments, declarations, CDATA and quotation marks that look like elements are none")
    func disguises() {
        let text = """
            <?xml version="1.0"?><?note <Key alias="a"/> ?>
            <!-- <Client id="c"><Key ref="a"/></Client> -->
            <DSS>
              <Key alias="a" pfx='x>"y' file="p"/> <!-- keep: <Key alias="a"/> -->
              <Client id="c"><Profile ref="p"/><Key ref="a"/></Client>
            </DSS>
            """
        let removed = changed(text) { $0.removeKey("a") }
        #expect(
            removed.contains("<?note <Key alias=\"a\"/> ?>") && removed.contains("<!-- keep: <Key alias=\"a\"/> -->"))
        #expect(removed.contains("<Client id=\"c\"><Profile ref=\"p\"/></Client>") && !removed.contains("pfx="))
    }

    @Test(
        "an element is added with the indentation and the line ends of the file",
        arguments: ["\n", "\r\n"])
    func layout(_ end: String) {
        let lines = ["<DSS>", "\t<Key alias=\"a\" pfx=\"b\"/>", "\t<Client id=\"c\"/>", "</DSS>", ""]
        let text = lines.joined(separator: end)
        let added = changed(text) { text in
            text.addKey([("alias", "d&\"e"), ("pfx", "f")])
            text.grant("d&\"e", to: "c")
        }
        #expect(
            added
                == [
                    "<DSS>", "\t<Key alias=\"a\" pfx=\"b\"/>", "\t<Key alias=\"d&amp;&quot;e\" pfx=\"f\"/>",
                    "\t<Client id=\"c\">", "\t  <Key ref=\"d&amp;&quot;e\"/>", "\t</Client>", "</DSS>", "",
                ].joined(separator: end))
        #expect(changed(added) { $0.removeKey("d&\"e") }.contains("alias=\"d") == false)
    }

    @Test("the first key, the first grant and the first anchor find their place")
    func first() {
        let text = "<DSS>\n  <VerificationProfile id=\"v\">\n    <CRL>x</CRL>\n  </VerificationProfile>\n</DSS>\n"
        let added = changed(text) { $0.addTrust("a & b.pem", .anchor, to: "v") }
        #expect(
            added.contains("    <Anchor>a &amp; b.pem</Anchor>\n") || added.contains("<Anchor>a &amp; b.pem</Anchor>"))
        #expect(changed(added) { $0.removeTrust("a & b.pem", .anchor, from: "v") }.contains("Anchor") == false)
        #expect(changed("<DSS></DSS>") { $0.addKey([("alias", "a")]) } == "<DSS><Key alias=\"a\"/></DSS>")
        #expect(changed("<DSS/>") { $0.addKey([("alias", "a")]) }.contains("<Key alias=\"a\"/>"))
    }

    @Test("a key that takes the place of another keeps its alias, and that it is the default")
    func replace() {
        let text = "<DSS>\n  <Key alias=\"a\" pem=\"old\" default=\"true\"/>\n</DSS>"
        let renewed = changed(text) { $0.replaceKey("a", [("pfx", "new"), ("file", "p")]) }
        #expect(renewed == "<DSS>\n  <Key alias=\"a\" pfx=\"new\" file=\"p\" default=\"true\"/>\n</DSS>")
    }

    @Test("a profile forgets the key that is removed")
    func profile() {
        let text =
            "<DSS>\n  <Key alias=\"a\" pfx=\"x\"/>\n  <SigningProfile id=\"p\" key=\"a\" format=\"pdf\"/>\n</DSS>"
        #expect(changed(text) { $0.removeKey("a") } == "<DSS>\n  <SigningProfile id=\"p\" format=\"pdf\"/>\n</DSS>")
    }
}
