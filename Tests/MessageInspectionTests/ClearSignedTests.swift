import InternetMessage
import Octets
import Testing

@testable import MessageInspection

@Suite("multipart/signed (RFC 1847, RFC 8551 §3.5)")
struct ClearSignedTests {
    static let smimeType = "multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=b"
    static let text = "Content-Type: text/plain\n\nHello"
    static let signature =
        "Content-Type: application/pkcs7-signature; name=smime.p7s\nContent-Transfer-Encoding: base64\n\nMIIB"

    static func mail(
        _ type: String = smimeType, head: String = "", parts: [String] = [text, signature], end: String = "--b--\n"
    ) -> String {
        "From: a@x.test\n\(head)MIME-Version: 1.0\nContent-Type: \(type)\n\n" + parts.map { "--b\n\($0)\n" }.joined()
            + end
    }

    private func signed(_ text: String, crlf: Bool = true) throws -> ClearSigned? {
        guard case .multipartSigned(let signed) = SMIMEForm.of(try message(text, crlf: crlf).root) else { return nil }
        return signed
    }

    @Test("the first part is signed, the second is the signature, whatever the line ends", arguments: [true, false])
    func parts(_ crlf: Bool) throws {
        let signed = try #require(try signed(Self.mail(), crlf: crlf))
        #expect(signed.ambiguities == [])
        #expect(signed.content.octets.text == Self.text.replacing("\n", with: crlf ? "\r\n" : "\n"))
        #expect(signed.signature.contentType.mediaType == "application/pkcs7-signature")
    }

    @Test(
        "S/MIME is recognised by the protocol, or by the second part if the protocol is missing",
        arguments: [
            ("multipart/signed; protocol=\"application/x-pkcs7-signature\"; boundary=b", signature),
            ("multipart/signed; protocol=APPLICATION/PKCS7-SIGNATURE; boundary=b", signature),
            ("Multipart/Signed; boundary=b", signature),
            (smimeType, signature.replacing("pkcs7", with: "x-pkcs7")),
            (smimeType, signature.replacing("application/pkcs7-signature", with: "application/octet-stream")),
        ])
    func protocols(_ type: String, _ signature: String) throws {
        #expect(try signed(Self.mail(type, parts: [Self.text, signature]))?.ambiguities == [])
    }

    @Test("PGP/MIME is not S/MIME")
    func pgp() throws {
        let type = "multipart/signed; protocol=\"application/pgp-signature\"; micalg=pgp-sha256; boundary=b"
        let signature = "Content-Type: application/pgp-signature; name=signature.asc\n\n-----BEGIN PGP SIGNATURE-----"
        let mail = Self.mail(type, parts: [Self.text, signature])
        #expect(try signed(mail) == nil)
        #expect(try signed(mail.replacing("protocol=\"application/pgp-signature\"; ", with: "")) == nil)
        let facts = try facts(mail)
        #expect(!facts.isSigned)
        #expect(facts.attachments.isEmpty, "a PGP signature is no attachment either")
    }

    struct Malformed: CustomTestStringConvertible {
        let testDescription: String
        let mail: String
        /// The words that the reason must contain.
        let says: String
    }

    @Test(
        "a mail that can be read in two ways is signed and ambiguous",
        arguments: [
            Malformed(testDescription: "three parts", mail: mail(parts: [text, signature, text]), says: "has 3"),
            Malformed(testDescription: "one part", mail: mail(parts: [text]), says: "has 1"),
            Malformed(testDescription: "no parts", mail: mail(parts: []), says: "no parts"),
            Malformed(testDescription: "not closed", mail: mail(end: ""), says: "no closing boundary"),
            Malformed(
                testDescription: "no boundary", mail: mail(smimeType.replacing("; boundary=b", with: "")),
                says: "taken apart"),
            Malformed(
                testDescription: "second part is text", mail: mail(parts: [text, text]), says: "no S/MIME signature"),
            Malformed(
                testDescription: "parts exchanged", mail: mail(parts: [signature, text]), says: "no S/MIME signature"),
            Malformed(
                testDescription: "PGP protocol on an S/MIME signature",
                mail: mail("multipart/signed; protocol=\"application/pgp-signature\"; boundary=b"),
                says: "pgp-signature"),
            Malformed(
                testDescription: "PGP signature under the S/MIME protocol",
                mail: mail(parts: [text, "Content-Type: application/pgp-signature\n\nx"]), says: "no S/MIME signature"),
            Malformed(
                testDescription: "two Content-Types", mail: mail(head: "Content-Type: \(smimeType); x=y\n"),
                says: "more than one"),
            Malformed(
                testDescription: "two boundaries", mail: mail(smimeType + "; boundary=c"), says: "boundary\" parameter"),
            Malformed(
                testDescription: "two protocols", mail: mail(smimeType + "; protocol=\"application/pgp-signature\""),
                says: "protocol\" parameter"),
            Malformed(
                testDescription: "a boundary in the forms of two standards",
                mail: mail(smimeType.replacing("boundary=b", with: "boundary=c; boundary*=us-ascii''b")),
                says: "boundary\" parameter"),
            Malformed(
                testDescription: "a delimiter that a CR ends",
                mail: mail().replacing("--b\nContent-Type: text", with: "--b\rX: y\r\rx\n--b\nContent-Type: text"),
                says: "CR without LF"),
            Malformed(
                testDescription: "a delimiter behind a CR",
                mail: mail().replacing("--b\nContent-Type: text", with: "x\r--b\n--b\nContent-Type: text"),
                says: "CR without LF"),
            Malformed(
                testDescription: "a field behind a CR",
                mail: mail(parts: ["X: y\rContent-Type: text/html\n" + text, signature]), says: "CR without LF"),
            Malformed(
                testDescription: "a blank before a colon",
                mail: mail(parts: ["Content-Transfer-Encoding : base64\n" + text, signature]), says: "blank before"),
            Malformed(
                testDescription: "under quoted-printable",
                mail: mail(head: "Content-Transfer-Encoding: quoted-printable\n"),
                says: "under a transfer encoding"),
            Malformed(
                testDescription: "two encodings of the signature",
                mail: mail(parts: [text, signature.replacing("\n\n", with: "\nContent-Transfer-Encoding: 8bit\n\n")]),
                says: "signature part has more than one"),
            Malformed(
                testDescription: "parts behind the closing boundary", mail: mail(end: "--b--\n--b\n\(text)\n--b--\n"),
                says: "follow a closing boundary"),
            Malformed(
                testDescription: "a line that is no field", mail: mail(head: "this is no field\n"), says: ""),
            Malformed(
                testDescription: "two names of one attachment inside",
                mail: mail(parts: [
                    "Content-Type: multipart/mixed; boundary=i\n\n--i\n\(text)\n--i\nContent-Type: application/pdf\n"
                        + "Content-Disposition: attachment; filename=a.txt; filename=a.exe\n\nx\n--i--",
                    signature,
                ]), says: "filename\" parameter"),
            Malformed(
                testDescription: "a multipart under base64 inside",
                mail: mail(parts: [
                    "Content-Type: multipart/mixed; boundary=i\nContent-Transfer-Encoding: base64\n\nLS1p", signature,
                ]), says: "under a transfer encoding"),
            Malformed(
                testDescription: "content that is elsewhere",
                mail: mail(parts: [
                    "Content-Type: message/external-body; access-type=URL; URL=\"http://x.test/\"\n\nContent-Type: text/plain\n\n",
                    signature,
                ]), says: "elsewhere"),
        ])
    func ambiguous(_ given: Malformed) throws {
        // A header that ends at a bad line hides the Content-Type: then it is no signed mail for us at all.
        guard let signed = try signed(given.mail) else {
            #expect(given.says.isEmpty)
            return
        }
        #expect(!signed.ambiguities.isEmpty)
        #expect(signed.ambiguities.contains { $0.contains(given.says) }, "\(signed.ambiguities)")
    }

    @Test("a nested, well-formed content is not ambiguous")
    func nested() throws {
        let content =
            "Content-Type: multipart/mixed; boundary=i\n\n--i\n\(Self.text)\n--i\nContent-Type: application/pdf; name=a.pdf\n"
            + "Content-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=a.pdf\n\nAAAA\n--i--\n"
        #expect(try signed(Self.mail(parts: [content, Self.signature]))?.ambiguities == [])
    }

    @Test("reasons are bounded and without control characters")
    func bounded() throws {
        let long = String(repeating: "x", count: 10_000)
        let signed = try #require(
            try signed(Self.mail(parts: [Self.text, "Content-Type: application/\(long)\n\nx"])))
        #expect(signed.ambiguities.allSatisfy { $0.count < 300 })
    }
}
