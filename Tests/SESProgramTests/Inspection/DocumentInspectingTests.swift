import DocumentKinds
import CMSSignatures
import Foundation
import Octets
import Processing
import TestSupport
import Testing
import XMLSignatures

@testable import SESProgram

/// Possible answers of a signing server for a PDF, made by pyHanko once in a test run.
struct PDFAnswers: Sendable {
    private static let making = Task { try await make() }
    static var shared: PDFAnswers { get async throws { try await making.value } }

    let scratch: ScratchDirectory

    subscript(name: String) -> OctetString {
        get throws { OctetString(try TestMaterial.octets(scratch.file(name + ".pdf"))) }
    }

    private static func make() async throws -> PDFAnswers {
        let scratch = try ScratchDirectory()
        let python = TestPython.path
        let run = try await RunningProgram.run(
            python, [TestMaterial.fixtures + "/pdf/answers.py", scratch.path], asRoot: true, within: .seconds(120))
        guard run.status == 0 else {
            throw HarnessError("\(python), which needs pyHanko, pikepdf and cryptography (see SES_TEST_PYTHON): \(run)")
        }
        return PDFAnswers(scratch: scratch)
    }
}

@Suite("Examining signed documents before they leave")
struct DocumentInspectingTests {
    let inspecting = DocumentInspecting()

    // MARK: - PDF

    @Test(
        "a PDF is accepted if it is the sent one with one signature over all of it, and data that let it last",
        arguments: [
            ("once", "plain"), ("twice", "once"), ("certified-open", "plain"), ("certified", "plain"),
            ("with-store", "plain"), ("lasting", "plain"),
        ])
    func goodPDF(_ signed: String, _ original: String) async throws {
        let answers = try await PDFAnswers.shared
        #expect(try inspecting.check(answers[signed], from: answers[original], as: .pdf).integrity == .intact)
    }

    @Test(
        "any other PDF is refused with the reason",
        arguments: [
            ("plain", "plain", "does not begin"), ("unsigned-update", "plain", "0 signatures are new"),
            ("twice", "plain", "2 signatures are new"), ("rewritten", "plain", "does not begin"),
            ("once", "twice", "does not begin"), ("more-behind", "plain", "changed after signing"),
            ("edited-behind-store", "plain", "changed after signing"), ("with-store", "once", "0 signatures are new"),
            ("broken-timestamp", "plain", "a timestamp of the document is broken"),
            ("timestamp-alone", "plain", "a timestamp, not a signature"),
            ("edited-signed", "once", "a signature that was there is broken"), ("flipped", "plain", ""),
            ("other-value", "plain", ""),
        ])
    func badPDF(_ signed: String, _ original: String, _ reason: String) async throws {
        let answers = try await PDFAnswers.shared
        let found = try inspecting.check(answers[signed], from: answers[original], as: .pdf).integrity
        guard case .broken(let why) = found else {
            Issue.record("\(found)")
            return
        }
        #expect(reason.isEmpty || why.contains(reason), "\(why)")
    }

    @Test("no octet of the signed content can be changed")
    func everyOctet() async throws {
        let answers = try await PDFAnswers.shared
        let (original, signed) = (try answers["plain"], try answers["once"].array)
        let value = try #require(signed.firstRange(of: Array("/Contents <".utf8))).upperBound
        let valueEnd = try #require(signed[value...].firstIndex(of: UInt8(ascii: ">")))
        for offset in stride(from: 3, to: signed.count, by: 19) where !(value..<valueEnd).contains(offset) {
            var changed = signed
            changed[offset] ^= 0x01
            let found = try inspecting.check(OctetString(changed), from: original, as: .pdf).integrity
            #expect(found != .intact, "octet \(offset)")
        }
    }

    @Test(
        "an obstacle to a further signature is reported",
        arguments: [
            ("plain", nil), ("once", nil), ("certified-open", nil), ("encrypted", "encrypted"),
            ("certified", "certified against every change by the signature \"First\""),
        ] as [(String, String?)])
    func obstacle(_ name: String, _ expected: String?) async throws {
        let answers = try await PDFAnswers.shared
        let found = try inspecting.obstacle(toSigning: answers[name], as: .pdf)
        guard let expected else { return #expect(found == nil) }
        #expect(found?.contains(expected) == true, "\(found ?? "nothing")")
    }

    @Test("signatures in a PDF are reported with field, signer, time and coverage")
    func signatures() async throws {
        let answers = try await PDFAnswers.shared
        let found = try inspecting.signatures(in: answers["twice"], as: .pdf)
        #expect(found.map(\.name) == ["First", "Second"])
        #expect(found.map(\.integrity) == [.intact, .intact])
        #expect(found.map { $0.signer?.addresses } == [["alice@example.test"], ["alice@example.test"]])
        #expect(found.first?.signer?.subject == "CN=Alice of the documents")
        #expect(found.allSatisfy { $0.claimedTime != nil })
        #expect(found.last?.coverage == .wholeDocument)
        #expect(found.first?.coverage == .earlierRevision("a further signature was added"))
        for name in ["with-store", "lasting"] {
            let lasting = try inspecting.signatures(in: answers[name], as: .pdf)
            #expect(lasting.map(\.integrity) == [.intact])
            guard case .earlierRevision(let words)? = lasting.first?.coverage else {
                Issue.record("\(name): \(lasting)")
                return
            }
            #expect(words.hasPrefix("only validation data or timestamps"))
        }
        guard
            case .earlierRevision(let words)? = try inspecting.signatures(in: answers["more-behind"], as: .pdf).first?
                .coverage
        else {
            Issue.record("what was edited is told to be whole")
            return
        }
        #expect(words.hasSuffix("octets were added"))
        #expect(try inspecting.signatures(in: answers["plain"], as: .pdf).isEmpty)
        #expect(throws: Failure.self) { try inspecting.signatures(in: OctetString("no PDF"), as: .pdf) }
    }

    @Test(
        "ordinary PDFs can be signed, encrypted, certified and cut ones cannot",
        .enabled(if: TestMaterial.shared != nil, "needs ../shared"))
    func corpus() throws {
        let folder = try #require(TestMaterial.shared) + "/corpora/pdf-plain/"
        let refused = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".pdf") }
            .sorted().filter { name in
                try inspecting.obstacle(toSigning: OctetString(TestMaterial.octets(folder + name)), as: .pdf) != nil
            }
        #expect(
            refused == [
                "EmptyPage-corrupted.pdf", "edition_protected_none.pdf",
                "edition_protected_signing_allowed_no_field.pdf",
                "edition_protected_signing_allowed_with_field.pdf", "open_protected.pdf",
                "protected_two_empty_fields.pdf", "restricted_fields.pdf",
                "sample-certified-nochangesallowed256.pdf",
            ])
    }

    // MARK: - XML

    static let xml = OctetString("<?xml version=\"1.0\"?>\n<invoice no='1'><total>100</total></invoice>\n")

    /// Signs with a key that is made once.
    struct XMLServer: Sendable {
        static let shared: XMLServer = {
            do { return try XMLServer() } catch { preconditionFailure("no key for the tests: \(error)") }
        }()
        let key: XMLSigningKey

        init() throws {
            let validity = 1_700_000_000...2_000_000_000
            let issued = try DemoAuthority(commonName: "Tests", validity: validity).issue(
                commonName: "Documents", for: .document, validity: validity)
            key = try XMLSigningKey(
                privateKeyPEM: try issued.privateKeyPEM(), certificate: issued.certificate.der,
                chain: issued.chain.map(\.der))
        }

        func sign(_ document: OctetString, _ form: XMLSignatureForm = .xades) throws -> OctetString {
            try XMLSigner(key: key, form: form).sign(document, signingTime: 1_800_000_000)
        }
    }

    @Test("an XML document is accepted if it is the sent one with one signature", arguments: XMLSignatureForm.allCases)
    func goodXML(_ form: XMLSignatureForm) throws {
        let signed = try XMLServer.shared.sign(Self.xml, form)
        #expect(try inspecting.check(signed, from: Self.xml, as: .xml).integrity == .intact)
        let rewritten = OctetString(signed.text.replacing("no='1'", with: "no = \"1\""))
        #expect(
            try inspecting.check(rewritten, from: Self.xml, as: .xml).integrity == .intact, "equal in canonical form")
    }

    @Test("any other XML document is refused")
    func badXML() throws {
        let signed = try XMLServer.shared.sign(Self.xml)
        let others: [(String, OctetString)] = [
            ("as it was sent", Self.xml), ("another total", OctetString(signed.text.replacing("100", with: "900"))),
            ("another document", try XMLServer.shared.sign(OctetString("<invoice no='2'/>"))),
            ("no document", OctetString("Good morning")), ("cut off", signed.slice(0..<signed.count - 20)),
            (
                "another signature value",
                OctetString(signed.text.replacing("</ds:SignatureValue>", with: "AAAA</ds:SignatureValue>"))
            ),
            ("with a comment", OctetString(signed.text.replacing("<total>", with: "<!-- x --><total>"))),
            (
                "with two",
                OctetString(
                    signed.text.replacing(
                        "</invoice>", with: "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"/></invoice>")
                )
            ),
        ]
        for (name, other) in others {
            try #require(other != signed)
            let found = try inspecting.check(other, from: Self.xml, as: .xml).integrity
            guard case .broken = found else {
                Issue.record("\(name): \(found)")
                continue
            }
        }
    }

    @Test("a document that cannot be read as XML cannot be signed as such, with the reason")
    func xmlObstacle() throws {
        #expect(try inspecting.obstacle(toSigning: Self.xml, as: .xml) == nil)
        for text in ["<a>", "text", "", "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", "<a/><b/>"] {
            #expect(try inspecting.obstacle(toSigning: OctetString(text), as: .xml) != nil, "\(text)")
        }
    }

    @Test("signatures in an XML document are reported with signer, time and coverage")
    func xmlSignatures() throws {
        let signed = try XMLServer.shared.sign(Self.xml)
        let found = try inspecting.signatures(in: signed, as: .xml)
        #expect(found.count == 1)
        let signature = try #require(found.first)
        #expect(signature.integrity == .intact && signature.coverage == .wholeDocument)
        #expect(signature.claimedTime == 1_800_000_000)
        #expect(signature.signer?.subject?.contains("CN=Documents") == true)
        let changed = OctetString(signed.text.replacing("100", with: "900"))
        guard case .broken? = try inspecting.signatures(in: changed, as: .xml).first?.integrity else {
            Issue.record("a changed total is not seen")
            return
        }
        #expect(try inspecting.signatures(in: Self.xml, as: .xml).isEmpty)
    }
}
