import Foundation
import Octets
import TestSupport
import Testing

@Suite("Documents at the embedded server")
struct DocumentTests {
    private static let invoice = Array(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<invoice no=\"4711\">\n  <total>100</total>\n</invoice>\n".utf8)

    /// The document that a SignResponse carries.
    private func document(_ answer: RunningServer.Answer) throws -> [UInt8] {
        let text = try #require(answer.text(of: "Base64Data"), "\(answer)")
        return try Base64.decode(text)
    }

    private func minor(_ answer: RunningServer.Answer) -> String? { answer.text(of: "ResultMinor") }

    /// `octets` with the first `part` replaced by one of the same length.
    private func changed(_ octets: [UInt8], _ part: String, _ other: String) throws -> [UInt8] {
        try MailSamples.changed(octets, part, to: other)
    }

    @Test("XML comes back signed, is trusted, names its signer, and is not trusted when changed")
    func xml() async throws {
        let server = try await RunningServer()
        let signed = try document(
            await server.sign(Self.invoice, profile: "adss:signing:profile:009", alias: "alice_document_signing"))
        #expect(signed.starts(with: Self.invoice.dropLast("</invoice>\n".utf8.count)))
        let verified = try await server.verify(signed)
        #expect(minor(verified)?.hasSuffix("OnAllDocuments") == true, "\(verified)")
        #expect(verified.body.contains("AssertionStatus=\"Valid\""))
        #expect(verified.text(of: "Signer")?.contains("Alice Documents") == true)
        #expect(verified.text(of: "SigningTime") != nil)
        let tampered = try await server.verify(try changed(signed, "<total>100", "<total>900"))
        #expect(minor(tampered)?.hasSuffix("IncorrectSignature") == true, "\(tampered)")
        #expect(tampered.body.contains("AssertionStatus=\"Invalid\""))
        // No digest covers what stands within the signature.
        let text = String(decoding: signed, as: UTF8.self)
        let smuggled = text.replacing(
            "</ds:Signature>", with: "<ds:Object><total>900</total></ds:Object></ds:Signature>")
        try #require(smuggled != text)
        let stray = try await server.verify(Array(smuggled.utf8))
        #expect(stray.body.contains("InsufficientInformation"), "\(stray)")
    }

    @Test(
        "a file's CMS is trusted with its content, enclosed or beside it, and with no other", arguments: [true, false])
    func cms(_ isEnclosed: Bool) async throws {
        let content = Array("The terms.\n".utf8)
        let server = try await RunningServer { text in
            isEnclosed
                ? text.replacingOccurrences(of: "format=\"cms\"", with: "format=\"cms\" enclosed=\"true\"") : text
        }
        let answer = try await server.sign(
            content, profile: "adss:signing:profile:008", alias: "alice_document_signing")
        let signature = try #require(answer.text(of: "Base64Signature"), "\(answer)")
        if isEnclosed {
            #expect(minor(try await server.verify(try Base64.decode(signature)))?.hasSuffix("OnAllDocuments") == true)
        }
        #expect(minor(try await server.verify(content, signature: signature))?.hasSuffix("OnAllDocuments") == true)
        let other = Array("Other terms.\n".utf8)
        #expect(minor(try await server.verify(other, signature: signature))?.hasSuffix("IncorrectSignature") == true)
    }

    @Test("a profile of format auto signs each document in its own format")
    func auto() async throws {
        let server = try await RunningServer()
        func sign(_ octets: [UInt8]) async throws -> RunningServer.Answer {
            try await server.sign(octets, profile: "adss:signing:profile:010", alias: "alice_document_signing")
        }
        let pdf = try document(await sign(PDFSamples.plain()))
        #expect(pdf.starts(with: PDFSamples.plain()) && pdf.count > PDFSamples.plain().count)
        #expect(try document(await sign(Self.invoice)).firstRange(of: Array("SignatureValue".utf8)) != nil)
        for other in [
            "plain words", "<html>a page<br></html>", "<a> < b", "<?xml version=\"1.0\"?>\n<html><p/></html>",
            "\u{FEFF}<?xml version='1.0'?><!-- a page --><HTML></HTML>", "<?xml version=\"1.0\"?><!DOCTYPE a><a/>",
            "<?xml version=\"1.0\"?><a><b></a>",
        ] {
            #expect(try await sign(Array(other.utf8)).text(of: "Base64Signature") != nil, "\(other)")
        }
    }

    @Test("a PDF comes back signed and is trusted, and is not if it is changed within or behind the signed octets")
    func pdf() async throws {
        let server = try await RunningServer()
        let signed = try document(
            await server.sign(PDFSamples.plain(), profile: "adss:signing:profile:006", alias: "alice_document_signing"))
        let verified = try await server.verify(signed)
        #expect(minor(verified)?.hasSuffix("OnAllDocuments") == true, "\(verified)")
        #expect(verified.text(of: "FieldName") != nil && verified.text(of: "SigningTime") != nil)
        let within = try await server.verify(try changed(signed, "Invoice 4711", "Invoice 4712"))
        #expect(minor(within)?.hasSuffix("IncorrectSignature") == true)
        let behind = try await server.verify(signed + Array("\n% more\n".utf8))
        #expect(minor(behind)?.hasSuffix("IncorrectSignature") == true)
    }

    @Test("a PDF that is signed twice lists both signatures")
    func twice() async throws {
        let server = try await RunningServer()
        var octets = PDFSamples.plain()
        for alias in ["alice_document_signing", "samples_test_signing_certificate"] {
            octets = try document(
                await server.sign(octets, profile: "adss:signing:profile:006", alias: alias))
        }
        let verified = try await server.verify(octets)
        #expect(verified.body.components(separatedBy: "AssertionStatus=\"Valid\"").count == 3, "\(verified)")
        #expect(verified.body.contains("Alice Documents") && verified.body.contains("Demo Organisation"))
    }

    @Test("a document that cannot be signed is refused permanently, with the reason")
    func refused() async throws {
        let server = try await RunningServer()
        func refusal(_ octets: [UInt8], _ profile: String) async throws -> (major: String?, message: String?) {
            let answer = try await server.sign(octets, profile: "adss:signing:profile:" + profile)
            return (answer.text(of: "ResultMajor"), answer.text(of: "ResultMessage"))
        }
        for (octets, profile, words) in [
            (Array("no PDF".utf8), "006", "PDF"), (Array("<a><b></a>".utf8), "009", "line 1"),
            (Array("<!DOCTYPE a><a/>".utf8), "009", "document type"),
            (Array(PDFSamples.plain().prefix(300)), "006", "%%EOF"),
        ] {
            let (major, message) = try await refusal(octets, profile)
            #expect(major?.hasSuffix("RequesterError") == true, "\(message ?? "")")
            #expect(message?.contains(words) == true, "\(message ?? "")")
        }
    }

    @Test(
        "attributes are carried out or refused",
        arguments: [
            ("SIGNING_AREA", "6", "1 to 5"), ("SIGNING_PAGE", "0", "from 1"), ("SIGNING_PAGE", "9", "page"),
            ("VISIBILITY", "maybe", "TRUE or FALSE"), ("SIGNING_FIELD", "nowhere", "nowhere"),
            ("SIGNING_COLOUR", "red", "not known"),
        ])
    func attributes(_ name: String, _ value: String, _ words: String) async throws {
        let server = try await RunningServer()
        let inputs =
            "<x:OverrideableAttributes xmlns:x='urn:ses-gateway:dss:extensions:1.0'><x:Attribute><x:Name>\(name)</x:Name>"
            + "<x:Value>\(value)</x:Value></x:Attribute></x:OverrideableAttributes>"
        let request = RunningServer.request(
            "SignRequest RequestID='SES-1' Profile='adss:signing:profile:006'", client: "samples_test_client",
            inputs: inputs, PDFSamples.plain())
        let answer = try await server.post("/adss/signing/dss", Array(request.utf8))
        #expect(answer.text(of: "ResultMajor")?.hasSuffix("RequesterError") == true, "\(answer)")
        #expect(answer.text(of: "ResultMessage")?.contains(words) == true, "\(answer)")
    }

    @Test("a profile's own key, reason, location and area apply if the request has none")
    func profileDefaults() async throws {
        let server = try await RunningServer { text in
            text.replacingOccurrences(
                of: "format=\"pdf\" level=\"B\"",
                with: "format=\"pdf\" level=\"B\" key=\"alice_document_signing\" reason=\"Checked\" location=\"Here\""
                    + " area=\"5\" contact=\"desk\"")
        }
        func signed(_ attributes: [(String, String)]) async throws -> String {
            let list = attributes.map { "<x:Attribute><x:Name>\($0)</x:Name><x:Value>\($1)</x:Value></x:Attribute>" }
            let inputs =
                "<x:OverrideableAttributes xmlns:x='urn:ses-gateway:dss:extensions:1.0'>\(list.joined())"
                + "</x:OverrideableAttributes>"
            let request = RunningServer.request(
                "SignRequest RequestID='SES-1' Profile='adss:signing:profile:006'", client: "samples_test_client",
                inputs: attributes.isEmpty ? "" : inputs, PDFSamples.plain())
            let answer = try await server.post("/adss/signing/dss", Array(request.utf8))
            let octets = try document(answer)
            return String(String.UnicodeScalarView(octets.map { Unicode.Scalar($0) }))
        }
        let plain = try await signed([])
        #expect(plain.contains("/Reason (Checked)") && plain.contains("/Location (Here)"))
        #expect(plain.contains("/ContactInfo (desk)") && plain.contains("/Name (Alice Documents)"))
        #expect(plain.contains("/FontFile2"), "the area makes it visible")
        let other = try await signed([("SIGNING_REASON", "Approved"), ("VISIBILITY", "FALSE")])
        #expect(other.contains("/Reason (Approved)") && other.contains("/Location (Here)"))
        #expect(!other.contains("/FontFile2"))
    }
}
