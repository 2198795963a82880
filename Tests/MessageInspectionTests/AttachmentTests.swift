import DocumentKinds
import InternetMessage
import Testing
import Workflows

@testable import MessageInspection

@Suite("Attachments")
struct AttachmentTests {
    private func multipart(_ subtype: String, _ parts: String...) -> String {
        "Content-Type: multipart/\(subtype); boundary=\(subtype)\n\n" + parts.map { "--\(subtype)\n\($0)\n" }.joined()
            + "--\(subtype)--\n"
    }
    private func names(_ text: String) throws -> [String] {
        try facts(text).attachments.map { $0.fileName ?? "unnamed" }
    }
    private let text = "Content-Type: text/plain\n\ntext"

    @Test("are leaves with disposition attachment, and named parts that are not text body")
    func definition() throws {
        let found = try names(
            multipart(
                "mixed", text, "Content-Type: application/pdf; name=a.pdf\n\nx",
                "Content-Type: application/pdf\nContent-Disposition: attachment\n\nx",
                "Content-Type: text/plain\nContent-Disposition: attachment; filename=b.txt\n\nx",
                "Content-Type: text/plain; name=c.txt\n\nx", "Content-Type: image/png\n\nx",
                "Content-Type: image/png\nContent-Disposition: inline; filename=d.png\n\nx",
                "Content-Disposition: ATTACHMENT; filename=e\n\nx"))
        #expect(found == ["a.pdf", "unnamed", "b.txt", "c.txt", "unnamed", "d.png", "e"])
    }

    @Test(
        "a part without a name is an attachment if readers show its type as a file",
        arguments: [
            ("application/pdf", true), ("application/octet-stream", true), ("application/x-unknown", true),
            ("application/xml", true), ("text/xml", true), ("text/csv", true), ("text/calendar", true),
            ("image/png", true), ("audio/wav", true), ("video/mp4", true), ("text/plain", false), ("text/html", false),
            ("text/enriched", false), ("text/rfc822-headers", false), ("message/rfc822", false),
            ("message/delivery-status", false), ("application/pkcs7-mime", false),
            ("application/pkcs7-signature", false), ("application/pgp-signature", false),
        ], ["", "Content-Disposition: inline\n"])
    func unnamed(_ given: (type: String, isFile: Bool), _ disposition: String) throws {
        let part = "Content-Type: \(given.type)\n\(disposition)\nx"
        #expect(try facts(multipart("mixed", text, part)).attachments.map(\.path) == (given.isFile ? [[1]] : []))
    }

    @Test("another form of a text, a report for machines, and an image of a page are not attachments without a name")
    func unnamedBesideText() throws {
        let page = "Content-Type: text/html\n\n<p>text</p>"
        #expect(try names(multipart("alternative", text, "Content-Type: text/calendar\n\nx", page)) == [])
        #expect(try names(multipart("report", text, "Content-Type: text/rfc822-headers\n\nx")) == [])
        #expect(try names(multipart("related", page, "Content-Type: image/png\n\nx")) == [])
        #expect(try names(multipart("related", page, "Content-Type: application/pdf\n\nx")) == ["unnamed"])
        let alone = "Subject: x\nContent-Type: application/pdf\n\n%PDF-1.4\n"
        #expect(try facts(alone).attachments.map(\.path) == [[]])
    }

    @Test("a mail that is one document has it as its attachment")
    func single() throws {
        let facts = try facts("Subject: x\nContent-Type: application/pdf; name=a.pdf\n\n%PDF-1.4\n")
        #expect(facts.attachments.map(\.path) == [[]])
        #expect(facts.attachments.first?.contentKinds == [.pdf])
        #expect(try names("Subject: x\nContent-Type: text/plain; name=mail.txt\n\ntext\n") == [])
    }

    @Test("names are decoded: RFC 2231, RFC 2047, raw octets")
    func decodedNames() throws {
        let found = try names(
            multipart(
                "mixed", text, "Content-Disposition: attachment; filename*=iso-8859-2''%A3%F3d%BC.pdf\n\nx",
                "Content-Disposition: attachment; filename*0*=utf-8''%C3%BC; filename*1=\"ber.pdf\"\n\nx",
                "Content-Disposition: attachment; filename=\"=?gb2312?B?xOO6ww==?=.pdf\"\n\nx",
                "Content-Disposition: attachment; filename=\"ü.pdf\"\n\nx",
                "Content-Type: application/pdf; name=\"=?utf-8?q?=C3=BC?=.pdf\"\nContent-Disposition: attachment\n\nx"))
        #expect(found == ["Łódź.pdf", "über.pdf", "你好.pdf", "ü.pdf", "ü.pdf"])
    }

    @Test(
        "XML with a root element named like one of HTML's is signed XML if it holds a ds:Signature",
        arguments: [
            ("<table><ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#'/></table>", true),
            (" <a>x<Signature xmlns='http://www.w3.org/2000/09/xmldsig#'/></a>", true),
            ("<html><body>http://www.w3.org/2000/09/xmldsig#<br></body></html>", false), ("<table/>", false),
        ])
    func signedXML(_ content: String, _ isSigned: Bool) throws {
        let attachment = try #require(
            try facts("Content-Disposition: attachment; filename=a.xml\n\n" + content).attachments.first)
        #expect(attachment.isSigned == isSigned)
        #expect(attachment.contentKinds == (isSigned ? [.xml] : []))
    }

    @Test("are found in every multipart, not in forwarded messages")
    func places() throws {
        let pdf = "Content-Disposition: attachment; filename=a.pdf\n\nx"
        let forwarded =
            "Content-Type: message/rfc822\nContent-Disposition: attachment; filename=m.eml\n\n"
            + multipart("mixed", text, pdf)
        let facts = try facts(multipart("mixed", multipart("alternative", text, pdf), forwarded, pdf))
        #expect(facts.attachments.map(\.path) == [[0, 1], [2]])
    }

    @Test("a part that HTML shows by its Content-ID in the same multipart/related is not an attachment")
    func shownByHTML() throws {
        func image(_ name: String, _ identifier: String, _ disposition: String = "inline") -> String {
            "Content-Type: image/png; name=\(name)\nContent-ID: <\(identifier)>\nContent-Disposition: \(disposition)\n\nx"
        }
        let html = "Content-Type: text/html\n\n<img src=\"cid:one@x\"><img src='CID:two%40x'><a href=cid:four@x>"
        #expect(
            try names(
                multipart("related", html, image("1.png", "one@x"), image("2.png", "two@x"), image("3.png", "three@x")))
                == ["3.png"])
        #expect(
            try names(multipart("related", multipart("alternative", text, html), image("1.png", "one@x"))) == [],
            "the HTML may stand in an alternative within")
        #expect(
            try names(multipart("mixed", multipart("related", html, image("1.png", "one@x")), image("4.png", "four@x")))
                == ["4.png"], "outside of the multipart/related the reference does not count")
        #expect(
            try names(multipart("related", html, image("1.png", "one@x", "attachment"))) == ["1.png"],
            "disposition attachment is one in any case")
        #expect(
            try names(multipart("related", html, multipart("mixed", text, image("1.png", "one@x")))) == [])
        let encoded =
            "Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n<img src=3D\"cid:o=\nne@x\">"
        #expect(try names(multipart("related", encoded, image("1.png", "one@x"))) == [])
    }

    @Test("the signature of a multipart/signed is not an attachment, its signed parts may be")
    func signed() throws {
        let content = multipart("mixed", text, "Content-Disposition: attachment; filename=a.pdf\n\nx")
        let facts = try facts(ClearSignedTests.mail(parts: [content, ClearSignedTests.signature]))
        #expect(facts.attachments.map(\.path) == [[0, 1]])
        let layer =
            "Content-Type: application/pkcs7-mime; name=smime.p7m\nContent-Transfer-Encoding: base64\n\n"
            + CMSBeginning.signedData.base64
        #expect(try names(ClearSignedTests.mail(parts: [layer, ClearSignedTests.signature])) == [])
    }

    @Test("an encrypted or opaque mail has no attachments")
    func opaque() throws {
        for content in [CMSBeginning.enveloped, .signedData] {
            let facts = try facts(
                "Content-Type: application/pkcs7-mime; name=smime.p7m\nContent-Disposition: attachment; filename=smime.p7m\n"
                    + "Content-Transfer-Encoding: base64\n\n\(content.base64)\n")
            #expect(facts.attachments.isEmpty)
        }
        #expect(
            try names(
                multipart(
                    "encrypted", "Content-Type: application/pgp-encrypted\n\nVersion: 1",
                    "Content-Type: application/octet-stream; name=encrypted.asc\n\nx")) == [])
    }

    @Test("a signed file is a signed attachment of a mail that is not signed")
    func signedFile() throws {
        let file =
            "Content-Type: application/pkcs7-mime; name=contract.pdf.p7m\nContent-Disposition: attachment; filename=contract.pdf.p7m\n"
            + "Content-Transfer-Encoding: base64\n\n\(CMSBeginning.signedData.base64)"
        let facts = try facts(multipart("mixed", text, file))
        #expect(!facts.isSigned)
        let attachment = try #require(facts.attachments.first)
        #expect(attachment.isSigned)
        #expect(attachment.contentKinds == [.cms])
    }

    @Test(
        "a signed XML document is recognised whatever its root is called",
        arguments: ["a", "form", "invoice", "section"])
    func signedXML(_ root: String) throws {
        let signature = "<ds:Signature xmlns:ds='\(XMLSignatureSearch.namespace)'/>"
        for (content, isSigned) in [(signature, true), ("<b>\(XMLSignatureSearch.namespace)</b>", false)] {
            let file = "Content-Type: application/xml; name=a.xml\n\n<\(root)>\(content)</\(root)>"
            let attachment = try #require(try facts(multipart("mixed", text, file)).attachments.first)
            #expect(attachment.isSigned == isSigned)
            if isSigned { #expect(attachment.contentKinds == [.xml]) }
        }
        let page = "Content-Type: text/html; name=a.html\n\n<p>\(XMLSignatureSearch.namespace)<br></p>"
        #expect(try facts(multipart("mixed", text, page)).attachments.first?.isSigned == false)
    }

    @Test("a part that a change would break says so")
    func protection() throws {
        func layer(_ content: CMSBeginning, _ name: String, _ more: String = "") -> String {
            "Content-Type: application/pkcs7-mime; name=\(name)\(more)\nContent-Disposition: attachment; filename=\(name)\n"
                + "Content-Transfer-Encoding: base64\n\n\(content.base64)"
        }
        let pdf = "Content-Disposition: attachment; filename=a.pdf\n\nx"
        let signature = "Content-Type: x/y-signature\n\nx"
        let facts = try facts(
            multipart(
                "mixed", text, pdf, multipart("signed", multipart("related", text, pdf), signature),
                layer(.signedData, "smime.p7m"), layer(.signedData, "contract.p7m"),
                layer(.signedData, "terms.doc.p7m", "; smime-type=signed-data"), layer(.enveloped, "secret.p7m")))
        #expect(
            facts.attachments.map(\.protection) == [nil, .withinSigned, .signedPart, nil, nil, .encryptedPart])
    }

    @Test("facts are found once, however often they are asked for")
    func once() {
        let once = ComputedOnce<Int>()
        var count = 0
        for _ in 0..<3 {
            #expect(
                once.value {
                    count += 1
                    return 7
                } == 7)
        }
        #expect(count == 1)
    }
}
