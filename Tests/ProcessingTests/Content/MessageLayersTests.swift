import InternetMessage
import Octets
import Processing
import TestSupport
import Testing

@Suite("S/MIME objects are opened (RFC 8551 §3.5.2, RFC 2634 §1.1)")
struct MessageLayersTests {
    /// Encloses the octets between the header of the tests' CMS and its end, so that objects can be put into each
    /// other.
    struct Nesting: SignatureInspection {
        static let mark = Array("\u{30}\u{80}".utf8)

        func facts(of signature: OctetString) -> CMSFacts { .signed(by: "alice@example.test", enclosing: true) }
        func check(_ signature: OctetString, content: (any OctetSource)?) -> SignatureIntegrity { .intact }
        func obstacle(toSigning use: SignatureUse, by signer: CMSFacts.Signer, at now: Int) -> SigningObstacle? { nil }
        func content(of signature: OctetString) throws(Failure) -> (any OctetSource)? {
            let content = signature.dropFirst(Self.head.count)
            if content.starts(with: "damaged".utf8) { throw Failure(.permanent, "no CMS") }
            return OctetString(Array(content))
        }

        /// The beginning of a SignedData with a digest algorithm, which tells its kind.
        static let head: [UInt8] = [
            0x30, 0x80, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02, 0xA0, 0x80, 0x30, 0x80, 0x02,
            0x01, 0x01, 0x31, 0x02, 0x30, 0x00,
        ]
    }

    private static func object(_ content: String, field: String = "Content-Type: application/pkcs7-mime") -> String {
        field + "\r\nContent-Transfer-Encoding: base64\r\n\r\n" + Base64.encode(Nesting.head + Array(content.utf8))
            + "\r\n"
    }

    private static func layers(_ text: String) throws -> MessageLayers {
        try MessageLayers(
            opening: Message(reading: OctetString(text)), Nesting(), MemoryCollecting(limit: 1 << 20))
    }

    private static let text = "Content-Type: text/plain\r\n\r\nHello\r\n"

    @Test(
        "if they are layers of the mail",
        arguments: [
            object(text), object(text, field: "Content-Type: application/x-pkcs7-mime; smime-type=signed-data"),
            object(text, field: "Content-Type: application/octet-stream; name=smime.p7m"),
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + object(text) + "--b--\r\n",
            "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b\r\n\r\n--b\r\n"
                + object(text, field: "Content-Type: application/pkcs7-mime; name=x.p7m")
                + "--b\r\nContent-Type: application/pkcs7-signature\r\n\r\nx\r\n--b--\r\n",
        ])
    func opened(_ mail: String) throws {
        let layers = try Self.layers(mail)
        #expect(layers.enclosed.map(\.octets) == [OctetString(Self.text)])
        #expect(layers.remarks.isEmpty)
    }

    @Test("in each other")
    func nested() throws {
        let layers = try Self.layers(Self.object(Self.object(Self.object(Self.text))))
        #expect(layers.enclosed.count == 3 && layers.enclosed.last?.octets == OctetString(Self.text))
    }

    @Test("up to a limit")
    func most() throws {
        var mail = Self.text
        for _ in 0..<20 { mail = Self.object(mail) }
        let layers = try Self.layers(mail)
        #expect(layers.enclosed.count == 16)
        #expect(layers.remarks.count == 1 && layers.remarks[0].contains("not examined"))
    }

    @Test("and a file that is merely attached stays closed")
    func attached() throws {
        let file = Self.object(
            Self.text,
            field: "Content-Type: application/pkcs7-mime\r\nContent-Disposition: attachment; filename=a.pdf.p7m")
        let mail = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + file + "--b--\r\n"
        #expect(try Self.layers(mail).enclosed.isEmpty)
    }

    @Test("an object that cannot be opened is reported", arguments: ["damaged", ""])
    func remarks(_ content: String) throws {
        let layers = try Self.layers(Self.object(content))
        #expect(layers.enclosed.isEmpty)
        #expect(layers.remarks.count == 1 && layers.remarks[0].contains("could not be opened"))
    }
}
