import CMSSignatures
import Octets
import PDFSignatures
import Testing

/// Signing and judging go by one rule: a document with odd entries in its trailer is refused before it is signed, or
/// its signature stays sound whatever SES itself adds later.
@Suite("Signing: odd entries of the trailer")
struct OddTrailerTests {
    /// A trailer's entries.
    struct Oddity: CustomStringConvertible, Sendable {
        let description: String
        var isOfCrossReferences: Bool { description.hasPrefix("/W ") || description.hasPrefix("/Type ") }
    }

    static let oddities: [Oddity] =
        [
            // No dictionary, or none that is there.
            "/Info (text)", "/Info 5", "/Info /Name", "/Info [1 2]", "/Info true", "/Info null", "/Info 0 0 R",
            "/Info 8 0 R", "/Info 9 0 R", "/Info 10 0 R", "/Info 30 0 R", "/Info 4711 0 R", "/Info << /Title 10 0 R >>",
            "/Info << /Title 30 0 R /Author [31 0 R] >>", "/Info 5 0 R", "/Info 7 0 R", "/Info 5 3 R",
            // An object that has another role.
            "/Info 1 0 R", "/Info 1 1 R", "/Info 1 5 R", "/Info 2 0 R", "/Info 3 0 R", "/Info 3 3 R", "/Info 4 0 R",
            "/Info 6 0 R", "/Info 6 1 R", "/Info << /Title 1 0 R /Author 3 0 R >>", "/Info [1 0 R 3 0 R]",
            // The identifier.
            "/ID (x)", "/ID []", "/ID [(a)]", "/ID [(a) 5]", "/ID [5 6]", "/ID 5 0 R", "/ID 9 0 R",
            "/ID [9 0 R 10 0 R]",
            "/ID [1 0 R 1 0 R]", "/ID null", "/ID << >>",
            // Keys of elsewhere, and unknown ones.
            "/Encrypt null", "/XRefStm null", "/Prev null", "/DocChecksum /ABC", "/Extra 9 0 R", "/Extra 10 0 R",
            "/Extra [10 0 R 11 0 R]", "/Extra << /A << /B 10 0 R >> >>", "/Extra 1 0 R", "/Extra 3 0 R",
            "/Extra [1 0 R]",
            "/Extra 6 0 R", "/Extra 1 7 R", "/Type /Catalog", "/W 5", "/F (file)", "/DL 5",
        ].map { Oddity(description: $0) }

    @Test("are refused, or leave the signature sound when more follows", arguments: GivenPDF.Form.allCases)
    func odd(_ form: GivenPDF.Form) throws {
        let signatory = try Signatory.shared.get()
        let data = PDFValidationData(
            certificates: [signatory.key.certificate.der, signatory.authority.certificate.der],
            responses: [OctetString("an answer")])
        let later = PDFValidationData(responses: [OctetString("another answer")])
        for oddity in Self.oddities {
            for catalog in ["", "/DSS << /Certs [] >>", "/AcroForm 6 0 R", "/AcroForm 6 0 R /DSS 7 0 R"] {
                let document = GivenPDF.onePage(
                    catalog: catalog, more: ["[1 2 3]", "<< /Fields [] >>", "<< /Certs [] >>"],
                    trailer: oddity.description,
                    form: form)
                if let refusal = signatory.refusal(document) {
                    // /W and /Type are those of a cross-reference stream, and these are none.
                    #expect(refusal.kind == .damaged && oddity.isOfCrossReferences, "\(oddity): \(refusal)")
                    continue
                }
                func check(_ step: String, _ document: OctetString, _ count: Int) throws {
                    let signatures = try PDFSignatureReading.signatures(in: document)
                    #expect(signatures.count == count)
                    let found = signatures.flatMap(\.findings)
                    #expect(found.isEmpty, "\(oddity) in \(catalog), \(step): \(found)")
                }
                let signed = try signatory.sign(document)
                try check("signed", signed, 1)
                let once = try data.appended(to: signed).collected()
                try check("with validation data", once, 1)
                let again = try signatory.sign(once, Signatory.options("Another", area: .centre))
                try check("signed again", again, 2)
                try check("with more validation data", try later.appended(to: again).collected(), 2)
                try check("signed twice", try signatory.sign(signed, Signatory.options("Another", area: .centre)), 2)
            }
        }
    }
}
