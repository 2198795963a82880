import Octets
import PDFSignatures
import Testing

/// A document that must not be signed.
struct RefusedPDF: CustomTestStringConvertible, Sendable {
    let name: String
    let document: OctetString
    var options = Signatory.options()
    let kind: PDFError.Kind
    /// The words that the reason must contain.
    var words: [String] = []
    var testDescription: String { name }

    static let widget = "/Type /Annot /Subtype /Widget /Rect [20 30 140 90] /F 4 /P 3 0 R"

    /// A document with one form field, object 5, and whatever else from 6.
    static func field(_ field: String, _ more: [String] = [], catalog: String = "") -> OctetString {
        GivenPDF.onePage(
            catalog: "/AcroForm << /Fields [5 0 R] >> " + catalog,
            page: "/MediaBox [0 0 298 420] /Annots [5 0 R]", more: ["<< \(field) \(widget) >>"] + more)
    }

    static let empty = field("/FT /Sig /T (Here)")

    /// A signed field with these entries, whose signature has these.
    static func signed(_ entries: String, field: String = "", catalog: String = "") -> OctetString {
        GivenPDF.onePage(
            catalog: "/AcroForm << /Fields [5 0 R 7 0 R] /SigFlags 3 >> " + catalog,
            page: "/MediaBox [0 0 298 420] /Annots [5 0 R 7 0 R]",
            more: [
                "<< /FT /Sig /T (First) /V 6 0 R \(field) \(widget) >>",
                "<< /Type /Sig /Filter /X /SubFilter /Y /ByteRange [0 0 0 0] /Contents <00> \(entries) >>",
                "<< /FT /Sig /T (Second) \(widget) >>",
            ])
    }

    static func transform(_ method: String, _ parameters: String) -> String {
        "/Reference [<< /Type /SigRef /TransformMethod /\(method) /TransformParams << \(parameters) >> >>]"
    }

    static func demanding(_ seedValues: String) -> OctetString {
        field("/FT /Sig /T (Here) /SV << \(seedValues) >>")
    }

    static let structure: [RefusedPDF] = [
        RefusedPDF(name: "nothing", document: OctetString(), kind: .notPDF),
        RefusedPDF(name: "no PDF", document: OctetString("<html>"), kind: .notPDF, words: ["%PDF-"]),
        RefusedPDF(
            name: "octets before the header", document: OctetString(Array("\n".utf8) + GivenPDF.onePage()),
            kind: .damaged, words: ["1 octet precedes %PDF-"]),
        RefusedPDF(
            name: "octets behind the end", document: OctetString(GivenPDF.onePage() + Array("junk".utf8)),
            kind: .damaged),
        RefusedPDF(name: "cut", document: OctetString(GivenPDF.onePage().dropLast(20)), kind: .damaged),
        RefusedPDF(
            name: "moved objects",
            document: OctetString(GivenPDF.onePage().text.replacing("1 0 obj", with: " 1 0 obj")), kind: .damaged),
        RefusedPDF(
            name: "encrypted", document: GivenPDF.onePage(more: ["<< /Filter /Standard >>"], trailer: "/Encrypt 5 0 R"),
            kind: .encrypted, words: ["encrypted"]),
        RefusedPDF(
            name: "dynamic XFA", document: GivenPDF.onePage(catalog: "/NeedsRendering true"), kind: .unsupported,
            words: ["XFA"]),
        RefusedPDF(name: "catalog with a key twice", document: GivenPDF.onePage(catalog: "/A 1 /A 2"), kind: .damaged),
        RefusedPDF(
            name: "page with a key twice",
            document: GivenPDF.onePage(page: "/MediaBox [0 0 9 9] /A 1 /A 2"), kind: .damaged),
        RefusedPDF(name: "form that is none", document: GivenPDF.onePage(catalog: "/AcroForm [1]"), kind: .damaged),
        RefusedPDF(
            name: "fields that are none", document: GivenPDF.onePage(catalog: "/AcroForm << /Fields 7 >>"),
            kind: .damaged),
        RefusedPDF(
            name: "field in place",
            document: GivenPDF.onePage(catalog: "/AcroForm << /Fields [<< /FT /Sig /T (a) >>] >>"), kind: .damaged),
        RefusedPDF(name: "annotations that are none", document: GivenPDF.onePage(page: "/Annots 7"), kind: .damaged),
        RefusedPDF(
            name: "pages that lead back",
            document: GivenPDF.make(["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [2 0 R] /Count 1 >>"]),
            kind: .damaged),
        RefusedPDF(
            name: "no pages",
            document: GivenPDF.make(["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [] >>"]),
            kind: .page, words: ["page 1", "0 pages"]),
        RefusedPDF(
            name: "tiny page", document: GivenPDF.onePage(page: "/MediaBox [0 0 30 30]"),
            options: Signatory.options(area: .centre), kind: .page, words: ["30 by 30"]),
        RefusedPDF(
            name: "page without area", document: GivenPDF.onePage(page: "/MediaBox [5 5 5 5]"),
            options: Signatory.options(area: .centre), kind: .page),
        RefusedPDF(
            name: "page that is not there", document: GivenPDF.onePage(), options: Signatory.options(page: 2),
            kind: .page,
            words: ["page 2", "1 page"]),
    ]

    static let fields: [RefusedPDF] = [
        RefusedPDF(
            name: "no such field", document: empty, options: Signatory.options(field: "There"), kind: .field,
            words: ["'There'", "'Here'"]),
        RefusedPDF(
            name: "no field at all", document: GivenPDF.onePage(), options: Signatory.options(field: "There"),
            kind: .field,
            words: ["'There'", "none"]),
        RefusedPDF(
            name: "a field for text", document: field("/FT /Tx /T (Here)"), options: Signatory.options(field: "Here"),
            kind: .field, words: ["'Here'"]),
        RefusedPDF(
            name: "signed already", document: signed(""), options: Signatory.options(field: "First"), kind: .field,
            words: ["'First'", "already"]),
        RefusedPDF(
            name: "field and area", document: empty, options: Signatory.options(area: .centre, field: "Here"),
            kind: .field),
        RefusedPDF(
            name: "field without a place that shall show",
            document: GivenPDF.onePage(
                catalog: "/AcroForm << /Fields [5 0 R] >>", more: ["<< /FT /Sig /T (Here) /Rect [0 0 0 0] >>"]),
            options: Signatory.options(field: "Here", isVisible: true), kind: .field, words: ["'Here'"]),
    ]

    static let rules: [RefusedPDF] = [
        RefusedPDF(
            name: "certified, no change",
            document: signed(transform("DocMDP", "/P 1"), catalog: "/Perms << /DocMDP 6 0 R >>"), kind: .forbidden,
            words: ["certified"]),
        RefusedPDF(
            name: "certified, no change, without /Perms", document: signed(transform("DocMDP", "/P 1")),
            kind: .forbidden),
        RefusedPDF(
            name: "certified, new stamp",
            document: signed(transform("DocMDP", "/P 2"), catalog: "/Perms << /DocMDP 6 0 R >>"),
            options: Signatory.options(area: .centre), kind: .forbidden, words: ["invisibly"]),
        RefusedPDF(
            name: "locked by name", document: signed(transform("FieldMDP", "/Action /Include /Fields [(Second)]")),
            options: Signatory.options(field: "Second"), kind: .forbidden, words: ["'Second'"]),
        RefusedPDF(
            name: "all locked", document: signed(transform("FieldMDP", "/Action /All")), kind: .forbidden),
        RefusedPDF(
            name: "all others locked", document: signed(transform("FieldMDP", "/Action /Exclude /Fields [(Third)]")),
            kind: .forbidden),
        RefusedPDF(
            name: "sealed by a lock", document: signed("", field: "/Lock << /Action /Include /Fields [(x)] /P 1 >>"),
            kind: .forbidden, words: ["'First'"]),
        RefusedPDF(
            name: "a lock of unknown kind", document: field("/FT /Sig /T (Here) /Lock << /Action /Perhaps >>"),
            kind: .constraint),
        RefusedPDF(
            name: "handler", document: demanding("/Ff 1 /Filter /Entrust.PPKEF"), kind: .constraint,
            words: ["'Here'", "Entrust.PPKEF"]),
        RefusedPDF(
            name: "format", document: demanding("/Ff 2 /SubFilter [/adbe.pkcs7.detached]"), kind: .constraint,
            words: ["adbe.pkcs7.detached"]),
        RefusedPDF(name: "version", document: demanding("/Ff 4 /V 4"), kind: .constraint),
        RefusedPDF(
            name: "reason", document: demanding("/Ff 8 /Reasons [(Yes) (No)]"),
            options: Signatory.options(reason: "Maybe"),
            kind: .constraint, words: ["'Yes', 'No'"]),
        RefusedPDF(name: "a reason at all", document: demanding("/Ff 8 /Reasons [(Yes)]"), kind: .constraint),
        RefusedPDF(
            name: "no reason", document: demanding("/Ff 8 /Reasons [(.)]"), options: Signatory.options(reason: "x"),
            kind: .constraint),
        RefusedPDF(name: "attestation", document: demanding("/Ff 16 /LegalAttestation [(x)]"), kind: .constraint),
        RefusedPDF(name: "revocation", document: demanding("/Ff 32 /AddRevInfo true"), kind: .constraint),
        RefusedPDF(
            name: "digest", document: demanding("/Ff 64 /DigestMethod [(SHA512)]"), kind: .constraint, words: ["SHA512"]
        ),
        RefusedPDF(name: "locking", document: demanding("/Ff 128 /LockDocument true"), kind: .constraint),
        RefusedPDF(name: "look", document: demanding("/Ff 256 /AppearanceFilter (x)"), kind: .constraint),
        RefusedPDF(name: "certifying", document: demanding("/MDP << /P 2 >>"), kind: .constraint),
        RefusedPDF(
            name: "timestamp", document: demanding("/TimeStamp << /URL (http://x.test) /Ff 1 >>"), kind: .constraint),
        RefusedPDF(name: "certificate", document: demanding("/Cert << /Ff 1 /Subject [<00>] >>"), kind: .constraint),
    ]
}
