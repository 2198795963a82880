import MailEnvelope
import Testing

@Suite("Original recipients (RFC 3461 §4.2)")
struct OriginalRecipientTests {
    @Test(
        "keep the parameter, and say type and address decoded",
        arguments: [
            ("rfc822;bob@example.test", "rfc822;", "bob@example.test"),
            ("RFC822;Bob+2Bx@example.test", "RFC822;", "Bob+x@example.test"),
            ("rfc822;a+3Db+20c@example.test", "rfc822;", "a=b+20c@example.test"),
            ("x400;/G=Bob;/S=B".replacing("=", with: "+3D"), "x400;", "/G=Bob;/S=B"),
            ("rfc822;evil+0D+0ASubject:@example.test", "rfc822;", "evil+0D+0ASubject:@example.test"),
        ])
    func reading(_ text: String, _ type: String, _ address: String) throws {
        let original = try #require(OriginalRecipient(parsing: text))
        #expect(original.parameter == text)
        #expect(original.typeAndAddress.type == type)
        #expect(original.typeAndAddress.address == address)
    }

    @Test("of type utf-8 are sent on in US-ASCII")
    func unicode() throws {
        let original = try #require(OriginalRecipient(parsing: "utf-8;jos\u{E9}@m\u{FC}nchen.test"))
        #expect(original.parameter == "utf-8;jos\\x{E9}@m\\x{FC}nchen.test")
        #expect(OriginalRecipient(parsing: original.parameter) == original)
    }

    @Test(
        "are none without type or address, with blanks, control characters, wrong xtext, or beyond the limit",
        arguments: [
            "", ";", "rfc822", "rfc822;", ";bob@example.test", "rfc822;a b", "rfc822;a\r\nb", "rfc822;a=b",
            "rfc822;a+2b",
            "rfc822;a+", "rfc822;a+G0", "rfc 822;a", "rfc822;jos\u{E9}@example.test",
            "rfc822;" + String(repeating: "a", count: 500),
        ])
    func refused(_ text: String) { #expect(OriginalRecipient(parsing: text) == nil) }
}
