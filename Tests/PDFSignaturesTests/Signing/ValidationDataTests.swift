import CMSSignatures
import Octets
import TestSupport
import Testing

@testable import PDFSignatures

@Suite("Validation data in a PDF's security store")
struct ValidationDataTests {
    private let signatory: Signatory
    private let data: PDFValidationData

    init() throws {
        signatory = try Signatory.shared.get()
        data = PDFValidationData(
            certificates: [signatory.key.certificate.der, signatory.authority.certificate.der],
            responses: [OctetString("an answer")], lists: [OctetString("a list"), OctetString("another list")])
    }

    private static func stream(_ text: String) -> String {
        "<< /Length \(text.utf8.count) >>\nstream\n\(text)\nendstream"
    }

    /// Documents with a store of each form, and what stands in it.
    private static func given(_ form: GivenPDF.Form) -> [(name: String, document: OctetString, held: PDFValidationData)]
    {
        func page(_ catalog: String, _ more: [String] = []) -> OctetString {
            GivenPDF.onePage(catalog: catalog, more: more, form: form)
        }
        let answer = stream("a former answer")
        let held = PDFValidationData(responses: [OctetString("a former answer")])
        return [
            ("none", page(""), PDFValidationData()), ("absent", page("/DSS 9 0 R"), PDFValidationData()),
            ("empty", page("/DSS << >>"), PDFValidationData()),
            ("direct", page("/DSS << /OCSPs [5 0 R] >>", [answer]), held),
            ("indirect", page("/DSS 6 0 R", [answer, "<< /OCSPs [5 0 R] /VRI << >> >>"]), held),
            ("array of its own", page("/DSS 6 0 R", [answer, "<< /OCSPs 7 0 R >>", "[5 0 R]"]), held),
            ("shared", page("/DSS 6 0 R /Own 6 0 R", [answer, "<< /OCSPs [5 0 R] >>"]), held),
        ]
    }

    @Test("is added behind signatures, which others and we find sound", arguments: GivenPDF.Form.allCases)
    func added(_ form: GivenPDF.Form) async throws {
        var documents: [String: OctetString] = [:]
        for given in Self.given(form) {
            let signed = try signatory.sign(given.document)
            let once = try data.appended(to: signed).collected()
            #expect(once.starts(with: signed) && once.count > signed.count, "\(given.name)")
            var expected = data
            expected.responses = given.held.responses + data.responses
            #expect(try PDFValidationData(in: once) == expected, "\(given.name)")
            #expect(try data.appended(to: once).collected() == once, "\(given.name)")
            // A second signature with data of its own.
            let more = PDFValidationData(responses: [OctetString("a later answer")])
            let again = try signatory.sign(once, Signatory.options("Another", area: .centre))
            let twice = try more.appended(to: again).collected()
            expected.responses += more.responses
            #expect(try PDFValidationData(in: twice) == expected, "\(given.name)")
            for (document, count) in [(once, 1), (twice, 2)] {
                let signatures = try PDFSignatureReading.signatures(in: document)
                #expect(
                    signatures.count == count && signatures.allSatisfy { $0.findings.isEmpty },
                    "\(given.name): \(signatures.flatMap(\.findings))")
                #expect(signatures.last?.coversWholeFile == false, "\(given.name)")
                // pyHanko finds fault with a reference to nothing in the revision before.
                if given.name != "absent" { documents["\(given.name) \(count)"] = document }
            }
        }
        let faults = try await PDFOracle.faults(documents, isLast: false)
        #expect(faults.isEmpty, "\(faults.joined(separator: "\n"))")
    }

    @Test("is left out if it cannot be read")
    func unreadable() throws {
        let items = "[5 0 R 6 0 R 7 0 R 9 0 R (a) 8 0 R]"
        let document = GivenPDF.onePage(
            catalog: "/DSS << /Certs \(items) /OCSPs 5 0 R /CRLs 4711 >>",
            more: [
                "(no stream)", "<< /Length 1 /Filter /LZWDecode >>\nstream\na\nendstream",
                "<< /Length 4 /Filter /FlateDecode >>\nstream\nxxxx\nendstream", Self.stream("good"),
            ])
        #expect(try PDFValidationData(in: document) == PDFValidationData(certificates: [OctetString("good")]))
    }

    @Test(
        "is not added to something that is not a store, and the reason is reported",
        arguments: ["/DSS 4711", "/DSS 4 0 R", "/DSS << /Certs 4711 >>", "/DSS << /Certs [] /Certs [] >>"])
    func refused(_ catalog: String) throws {
        let document = GivenPDF.onePage(catalog: catalog)
        let error = #expect(throws: PDFError.self) { try data.appended(to: document) }
        #expect(error?.kind == .damaged && error?.reason.contains("/DSS") == true, "\(String(describing: error))")
    }

    @Test("is not added behind an object that cannot be read, which may lead to anything; nor is a second signature")
    func damaged() throws {
        let document = GivenPDF.onePage(page: "/MediaBox [0 0 298 420] /Own 5 0 R", more: ["[6 0 R] >"])
        let signed = try signatory.sign(document)
        let error = #expect(throws: PDFError.self) { try data.appended(to: signed) }
        #expect(error?.kind == .damaged && error?.reason.contains("object 5") == true, "\(String(describing: error))")
        let refusal = signatory.refusal(signed)
        #expect(refusal?.kind == .damaged && refusal?.reason.contains("object 5") == true)
    }

    @Test("larger than one update allows is refused")
    func tooMuch() throws {
        let much = PDFValidationData(lists: (0..<97).map { OctetString("list \($0)") })
        let error = #expect(throws: PDFError.self) { try much.appended(to: GivenPDF.onePage()) }
        #expect(error?.kind == .tooComplex)
    }
}
