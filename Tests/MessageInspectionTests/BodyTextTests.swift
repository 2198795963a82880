import InternetMessage
import Octets
import Testing

@testable import MessageInspection

@Suite("The mail's text")
struct BodyTextTests {
    private func multipart(_ subtype: String, _ parts: String...) -> String {
        "Content-Type: multipart/\(subtype); boundary=\(subtype)\n\n" + parts.map { "--\(subtype)\n\($0)\n" }.joined()
            + "--\(subtype)--\n"
    }

    @Test("is that of text/plain and text/html parts, decoded")
    func parts() throws {
        let text = try facts(
            multipart(
                "alternative",
                "Content-Type: text/plain; charset=iso-8859-2\nContent-Transfer-Encoding: quoted-printable\n\n=A3=F3d=BC",
                "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
                    + base64(Array("<html><body><p>F&uuml;r <b>Sie</b></p><script>hidden</script></body></html>".utf8)))
        ).bodyText
        #expect(text.contains("Łódź"))
        #expect(text.contains("Für Sie"))
        #expect(!text.contains("hidden") && !text.contains("<b>"))
    }

    @Test("leaves attachments, forwarded messages and other types out")
    func others() throws {
        let text = try facts(
            multipart(
                "mixed", "Content-Type: text/plain\n\nfirst",
                "Content-Type: text/plain\nContent-Disposition: attachment\n\nsecond",
                "Content-Type: text/plain; name=notes.txt\n\nthird", "Content-Type: text/plain\n\nfourth",
                "Content-Type: message/rfc822\n\nSubject: x\n\nfifth", "Content-Type: text/calendar\n\nsixth")
        ).bodyText
        #expect(text == "first\nfourth")
    }

    @Test("without a charset is UTF-8, or windows-1252 if it is not valid UTF-8")
    func unnamed() throws {
        #expect(try facts("X: y\n\nné\n").bodyText.hasPrefix("né"))
        let octets = Array("Content-Type: text/plain; charset=x-unknown\r\n\r\nn".utf8) + [0xE9]
        let facts = InspectedMessage(try Message(reading: OctetString(octets)), recipients: [], sender: nil)
        #expect(facts.bodyText == "né")
    }

    @Test("HTML without a declared charset is read as its meta element says")
    func meta() throws {
        let html =
            Array("<html><head><meta http-equiv=x content=\"text/html; charset=KOI8-R\"></head><body>".utf8) + [
                0xD0, 0xD2, 0xC9,
            ]
        let octets = Array("Content-Type: text/html\r\n\r\n".utf8) + html
        let facts = InspectedMessage(try Message(reading: OctetString(octets)), recipients: [], sender: nil)
        #expect(facts.bodyText.contains("при"))
    }

    @Test("is bounded for each part and in all")
    func bounded() throws {
        // The test's own line ends would cost more than what is tested.
        func text(_ mail: String) throws -> String {
            InspectedMessage(try message(mail, crlf: false), recipients: [], sender: nil).bodyText
        }
        let long = String(repeating: "x", count: TextBody.maximumPartLength + 1_000)
        #expect(try text("X: y\n\n\(long)end").utf8.count == TextBody.maximumPartLength)
        let part = "Content-Type: text/plain\n\n\(long)"
        let text = try text(multipart("mixed", part, part, part, part, part))
        #expect(text.utf8.count <= TextBody.limit)
        #expect(text.utf8.count > TextBody.limit - 10)
    }
}
