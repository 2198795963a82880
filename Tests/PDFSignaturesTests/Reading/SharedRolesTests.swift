import Octets
import PDFSignatures
import Testing

/// An object that an update may change in one role, and that the signed revision uses in another one as well: the page
/// would show something else, under a signature that counts.
@Suite("PDF signatures: objects with two roles")
struct SharedRolesTests {
    /// A document, and the objects of an update that somebody else adds after it was signed.
    struct Attack: CustomTestStringConvertible, Sendable {
        let name: String
        let document: OctetString
        let update: [Int: String]
        var trailer = ""
        var testDescription: String { name }
    }

    private static let content = "<< /Length 20 >>\nstream\n0 0 10 10 re f\n      \nendstream"
    private static let otherContent = "<< /Length 20 >>\nstream\n0 0 99 99 re f\n      \nendstream"

    /// A page like that of ``GivenPDF/onePage(catalog:pages:page:more:trailer:version:form:)`` with ink.
    private static func page(
        _ trailer: String, page: String = "/Resources << >>", more: [String] = [], form: GivenPDF.Form = .table
    ) -> OctetString {
        GivenPDF.make(
            [
                "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 298 420] /Contents 4 0 R \(page) >>", content,
            ] + more, trailer: trailer, form: form)
    }

    private static let annotation =
        "<< /Type /Annot /Subtype /FreeText /Rect [0 0 99 99] /DA (/Helv 12 Tf) /Contents (1000) >>"

    /// The objects 1 to 3 of ``page(_:page:more:form:)`` with another box.
    private static let container: String = {
        let objects = [
            "<< /Type /Catalog /Pages 2 0 R >> ", "<< /Type /Pages /Kids [3 0 R] /Count 1 >> ",
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources << >> >> ",
        ]
        let head = "1 0 2 \(objects[0].utf8.count) 3 \(objects[0].utf8.count + objects[1].utf8.count) "
        let data = head + objects.joined()
        return
            "<< /Type /ObjStm /N 3 /First \(head.utf8.count) /Length \(data.utf8.count) >>\nstream\n\(data)\nendstream"
    }()

    /// With /Info at an object that the page needs. The page is object 3 and has no annotations: signatures are
    /// invisible and on no page.
    static let information: [Attack] = [
        Attack(
            name: "the page is the information, and gets a text",
            document: page("/Info 3 0 R"),
            update: [
                3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 298 420] /Contents 4 0 R /Resources << >>"
                    + " /Annots [SIG 90 0 R] >>",
                90: annotation,
            ]),
        Attack(
            name: "the content is the information, and draws something else",
            document: page("/Info 4 0 R"), update: [4: otherContent]),
        Attack(
            name: "the resources are the information, and get a drawing",
            document: page("/Info 5 0 R", page: "/Resources 5 0 R", more: ["<< /Font << >> >>"]),
            update: [
                5: "<< /Font << >> /XObject << /Stamp 90 0 R >> >>",
                90: "<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Length 0 >>\nstream\n\nendstream",
            ]),
        Attack(
            name: "the resources are the information of another generation, and get a drawing",
            document: page("/Info 5 2 R", page: "/Resources 5 0 R", more: ["<< /Font << >> >>"]),
            update: [5: "<< /Font << >> /ExtGState << >> >>"]),
        Attack(
            name: "the list of pages is the information, and gets a box for all of them",
            document: page("/Info 2 0 R"),
            update: [2: "<< /Type /Pages /Kids [3 0 R] /Count 1 /CropBox [0 0 9 9] >>"]),
        Attack(
            name: "the object stream with the page is the information, and is written again",
            document: page("/Info 5 0 R", form: .objectStream),
            update: [5: container], trailer: "<< /Root 1 0 R /Info 5 0 R >>"),
        Attack(
            name: "the information is a stream that becomes another one",
            document: page("/Info 5 0 R", more: ["<< /Length 1 >>\nstream\na\nendstream"]),
            update: [5: "<< /Length 1 >>\nstream\nb\nendstream"]),
    ]

    @Test("what is the document's information too may not be changed as such", arguments: information)
    func asInformation(_ attack: Attack) throws {
        let signed = try Signatory.shared.get().sign(attack.document, Signatory.options(isVisible: false))
        #expect(try Self.findings(signed).isEmpty, "the document is sound before")
        let changed = Self.updated(signed, attack.update, attack.trailer)
        #expect(try !Self.findings(changed).isEmpty)
    }

    @Test("the information that is nothing else may still be brought up to date")
    func update() throws {
        let document = Self.page("/Info 5 0 R", more: ["<< /Author (A) >>"])
        let signed = try Signatory.shared.get().sign(document, Signatory.options(isVisible: false))
        let good = Self.updated(signed, [5: "<< /Author (A) /ModDate (D:2026) /Producer (B) >>"])
        #expect(try Self.findings(good) == [])
        let bad = Self.updated(signed, [5: "<< /Author (B) >>"])
        #expect(try !Self.findings(bad).isEmpty)
    }

    /// Documents with a form that signers other than SES sign.
    static let forms: [Attack] = [
        Attack(
            name: "the content is the form, and draws something else",
            document: handSigned(
                catalog: "/AcroForm 4 0 R",
                content: "<< /Length 20 /Fields [5 0 R] /SigFlags 3 >>\nstream\n0 0 10 10 re f\n      \nendstream"),
            update: [4: "<< /Length 20 /Fields [5 0 R] /SigFlags 3 >>\nstream\n0 0 99 99 re f\n      \nendstream"]),
        Attack(
            name: "the form moves to where the page's resources were",
            document: handSigned(catalog: "/AcroForm 7 0 R", page: "/Resources 8 0 R"),
            update: [
                1: "<< /Type /Catalog /Pages 2 0 R /AcroForm 8 0 R >>", 8: "<< /Fields [5 0 R] /SigFlags 3 >>",
            ]),
    ]

    @Test("what is the document's form too may not be changed as such", arguments: forms)
    func asForm(_ attack: Attack) throws {
        #expect(try Self.findings(attack.document).isEmpty, "the document is sound before")
        let changed = Self.updated(attack.document, attack.update)
        #expect(try !Self.findings(changed).isEmpty)
    }

    // MARK: Documents

    private static func findings(_ document: OctetString) throws -> [String] {
        let signatures = try PDFSignatureReading.signatures(in: document)
        try #require(signatures.count == 1)
        return signatures.flatMap(\.findings).map { "\($0)" }
    }

    /// A document with an invisible signature in field 5, form 7 and resources 8, whose octets are covered and whose
    /// CMS is empty.
    private static func handSigned(catalog: String, page: String = "", content: String = content) -> OctetString {
        let blank = "0000000000"
        let document = GivenPDF.make([
            "<< /Type /Catalog /Pages 2 0 R \(catalog) >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 298 420] /Contents 4 0 R \(page) >>", content,
            "<< /FT /Sig /T (One) /V 6 0 R >>",
            "<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached"
                + " /ByteRange [0 \(blank) \(blank) \(blank)] /Contents <3003020101> >>",
            "<< /Fields [5 0 R] /SigFlags 3 >>", "<< /Font << >> >>",
        ])
        var octets = document.array
        let mark = Array("/Contents <3003".utf8)
        guard let place = octets.firstRange(of: mark), let range = octets.firstRange(of: Array("[0 \(blank)".utf8))
        else {
            return document
        }
        let begin = place.lowerBound + 10
        let end = begin + 12
        for (index, number) in [begin, end, octets.count - end].enumerated() {
            let text = String(number)
            let padded = Array((String(repeating: "0", count: 10 - text.count) + text).utf8)
            let start = range.lowerBound + 3 + 11 * index
            octets.replaceSubrange(start..<start + 10, with: padded)
        }
        return OctetString(octets)
    }

    /// Adds an update in the form of a table, as anybody can.
    /// - Parameter given: The trailer, if the document has none in text, whose entries are kept otherwise.
    private static func updated(
        _ document: OctetString, _ objects: [Int: String], _ given: String = ""
    ) -> OctetString {
        let text = String(decoding: document.array, as: UTF8.self)
        let previous = text.components(after: "startxref\n").split(separator: "\n").first ?? "0"
        var trailer = given.isEmpty ? String(text.components(after: "trailer\n").prefix { $0 != "\n" }) : given
        trailer = trailer.replacing(/\/Prev \d+/, with: "").replacing(/\/Size \d+/, with: "")
        var octets = document.array
        var places: [(Int, Int)] = []
        // The widget of the signature stays where it is.
        let widget = text.matches(of: /\/Annots ?\[ ?(\d+ 0 R)/).last.map { String($0.output.1) } ?? ""
        for (number, object) in objects.sorted(by: { $0.key < $1.key }) {
            places.append((number, octets.count))
            octets += Array("\(number) 0 obj\n\(object.replacing("SIG", with: widget))\nendobj\n".utf8)
        }
        let table = octets.count
        octets += Array("xref\n".utf8)
        for (number, place) in places {
            let digits = String(place)
            octets += Array("\(number) 1\n\(String(repeating: "0", count: 10 - digits.count))\(digits) 00000 n \n".utf8)
        }
        let entries = trailer.drop { $0 == "<" }
        octets += Array("trailer\n<< /Size 100 /Prev \(previous) \(entries)\nstartxref\n\(table)\n%%EOF\n".utf8)
        return OctetString(octets)
    }
}

extension String {
    /// The text behind the last `mark`.
    fileprivate func components(after mark: String) -> Substring {
        var rest = self[...]
        while let range = rest.firstRange(of: mark) { rest = rest[range.upperBound...] }
        return rest
    }
}
