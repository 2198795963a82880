import InternetMessage
import Testing

@testable import MessageInspection

@Suite("application/pkcs7-mime (RFC 8551 §3.2, §3.10)")
struct OpaqueFormTests {
    enum Form: Equatable { case none, clear, signed, encrypted, compressed, certificates }

    private func form(_ form: SMIMEForm) -> Form {
        switch form {
        case .none: .none
        case .multipartSigned: .clear
        case .signedData: .signed
        case .encrypted: .encrypted
        case .compressed: .compressed
        case .certificatesOnly: .certificates
        }
    }

    private func mail(_ type: String, _ content: String) -> String {
        "From: a@x.test\nContent-Type: \(type)\nContent-Transfer-Encoding: base64\n\n\(content)\n"
    }

    private func reading(_ type: String, _ content: CMSBeginning) throws -> SMIMEReading {
        SMIMEReading(try message(mail(type, content.base64)).root)
    }

    @Test(
        "the content type inside decides, in DER and in BER",
        arguments: [
            (CMSBeginning.signedData.octets, Form.signed), (CMSBeginning.signedDataInBER.octets, .signed),
            (CMSBeginning.certificatesOnly.octets, .certificates),
            (CMSBeginning.certificatesOnlyInBER.octets, .certificates),
            (CMSBeginning.enveloped.octets, .encrypted), (CMSBeginning.authEnveloped.octets, .encrypted),
            (CMSBeginning.compressed.octets, .compressed), (CMSBeginning.digested.octets, .none),
        ],
        [
            "application/pkcs7-mime", "application/x-pkcs7-mime; name=x", "application/octet-stream; name=SMIME.P7M",
            "application/octet-stream\nContent-Disposition: attachment; filename=\"smime.p7m\"",
            "application/x-pkcs7-signature",
        ])
    func inside(_ given: ([UInt8], Form), _ type: String) throws {
        let text = mail(type, base64(given.0))
        #expect(form(SMIMEForm.of(try message(text).root)) == given.1)
        let facts = try facts(text)
        #expect(facts.isSigned == (given.1 == .signed))
        #expect(facts.isEncrypted == (given.1 == .encrypted))
        if given.1 != .none { #expect(facts.attachments.isEmpty && facts.bodyText.isEmpty) }
    }

    @Test("a wrong smime-type is reported and does not count")
    func disagreement() throws {
        let disguised = try reading("application/pkcs7-mime; smime-type=signed-data; name=smime.p7m", .enveloped)
        #expect(form(disguised.form) == .encrypted)
        #expect(disguised.remarks.contains { $0.contains("signed-data") && $0.contains("encrypted") })
        let hostile = "application/pkcs7-mime; smime-type=\"\u{1B}\u{202E}\(String(repeating: "x", count: 1_000))\""
        let told = try reading(hostile, .enveloped).remarks
        #expect(
            told.count == 1 && told.allSatisfy { $0.count < 200 && !$0.contains("\u{1B}") && !$0.contains("\u{202E}") })
        let other = try reading("application/pkcs7-mime; smime-type=enveloped-data", .signedData)
        #expect(form(other.form) == .signed)
        #expect(!other.remarks.isEmpty)
        let hidden = try reading("application/pkcs7-mime; smime-type=certs-only", .signedData)
        #expect(form(hidden.form) == .signed, "a SignedData with digests can hold a signer")
        #expect(try reading("application/pkcs7-mime; smime-type=signed-data", .signedData).remarks.isEmpty)
        #expect(
            form(try reading("application/pkcs7-mime; smime-type=certs-only", .certificatesOnly).form) == .certificates)
        #expect(form(try reading("application/pkcs7-mime; smime-type=signed-data", .certificatesOnly).form) == .signed)
    }

    @Test("if the content cannot be read, smime-type decides")
    func unreadable() throws {
        for (smimeType, expected) in [
            ("signed-data", Form.signed), ("enveloped-data", .encrypted), ("authEnveloped-data", .encrypted),
            ("compressed-data", .compressed), ("certs-only", .certificates), ("other", .none),
        ] {
            let root = try message(mail("application/pkcs7-mime; smime-type=\(smimeType)", "!!!!")).root
            #expect(form(SMIMEForm.of(root)) == expected)
            #expect(SMIMEReading(root).remarks.count == 1)
        }
    }

    @Test(
        "other types are not S/MIME, whatever their content",
        arguments: [
            "text/plain; name=smime.p7m", "application/octet-stream; name=x.bin", "application/pkcs12; name=x.p12",
        ])
    func others(_ type: String) throws {
        #expect(form(try reading(type, .signedData).form) == .none)
    }

    @Test("a repeated Content-Type makes a signed object ambiguous")
    func ambiguous() throws {
        let text = "Content-Type: application/pkcs7-mime\n" + mail("text/plain", CMSBeginning.signedData.base64)
        let reading = SMIMEReading(try message(text).root)
        #expect(form(reading.form) == .signed)
        #expect(!reading.ambiguities.isEmpty)
    }

    @Test("no beginning is too short or too odd", arguments: 0...140)
    func truncated(_ count: Int) {
        for object in [CMSBeginning.signedData, .signedDataInBER, .certificatesOnlyInBER] {
            let content = CMSContentType(prefix: object.octets.prefix(count))
            #expect((content != nil) == (count >= 15 || object.octets[1] == 0x80 && count >= 13), "\(count)")
        }
        #expect(CMSContentType(prefix: [UInt8](repeating: 0xFF, count: count)) == nil)
        #expect(CMSContentType(prefix: [0x30] + [UInt8](repeating: 0xFF, count: count)) == nil)
        #expect(CMSContentType(prefix: [0x30, 0x80, 0x06] + [UInt8](repeating: 0x88, count: count)) == nil)
    }
}

@Suite("Signed parts below an unsigned top")
struct SignedPartsBelowTests {
    private func paths(_ parts: String...) throws -> [Entity.Path] {
        let text = "Content-Type: multipart/mixed; boundary=m\n\n" + parts.map { "--m\n\($0)\n" }.joined() + "--m--\n"
        return SMIMEForm.signedPartsBelow(try message(text).root)
    }
    private let text = ClearSignedTests.text
    private let signed = String(ClearSignedTests.mail().drop { $0 != "C" })
    private func object(_ type: String) -> String {
        "Content-Type: \(type)\nContent-Transfer-Encoding: base64\n\n\(CMSBeginning.signedData.base64)"
    }

    @Test("clear and opaque ones are found, at any depth, the outermost only")
    func found() throws {
        #expect(signed.hasPrefix("Content-Type: multipart/signed"))
        #expect(try paths(text, signed) == [[1]])
        #expect(try paths(signed, signed) == [[0], [1]])
        #expect(try paths("Content-Type: multipart/mixed; boundary=n\n\n--n\n\(signed)\n--n--\n", text) == [[0, 0]])
        #expect(try paths(text, object("application/pkcs7-mime; name=smime.p7m")) == [[1]])
        #expect(try paths(text, object("application/pkcs7-mime")) == [[1]])
        #expect(try paths(text, object("application/pkcs7-mime; smime-type=signed-data; name=x.p7m")) == [[1]])
        let inner =
            "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=o\n\n--o\n\(signed)\n--o\n\(ClearSignedTests.signature)\n--o--\n"
        #expect(try paths(inner) == [[0]])
    }

    @Test("forwarded messages, signed files and loose signatures are not")
    func notFound() throws {
        #expect(try paths(text, text) == [])
        #expect(try paths(text, "Content-Type: message/rfc822\n\n\(signed)") == [])
        #expect(try paths(text, object("application/pkcs7-mime; name=contract.pdf.p7m")) == [])
        #expect(try paths(text, object("application/octet-stream; name=contract.pdf.p7m")) == [])
        #expect(try paths(text, object("application/pkcs7-signature; name=smime.p7s")) == [])
    }
}
