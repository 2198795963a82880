import CMSSignatures
import Octets
import PDFSignatures
import TestSupport
import Testing

@Suite("Signing: what is refused, and why")
struct SigningRefusalTests {
    private let signatory: Signatory

    init() throws { signatory = try Signatory.shared.get() }

    struct Refused: CustomTestStringConvertible, Sendable {
        let name: String
        let document: OctetString
        var options = Signatory.options()
        let kind: PDFError.Kind
        /// What the reason must name.
        var words: [String] = []
        var testDescription: String { name }
    }

    private static let widget = "/Type /Annot /Subtype /Widget /Rect [20 30 140 90] /F 4 /P 3 0 R"

    /// A document with one form field, object 5, and whatever else from 6.
    private static func field(_ field: String, _ more: [String] = [], catalog: String = "") -> OctetString {
        GivenPDF.onePage(
            catalog: "/AcroForm << /Fields [5 0 R] >> " + catalog,
            page: "/MediaBox [0 0 298 420] /Annots [5 0 R]", more: ["<< \(field) \(widget) >>"] + more)
    }

    private static let empty = field("/FT /Sig /T (Here)")

    /// A signed field with these entries, whose signature has these.
    private static func signed(_ entries: String, field: String = "", catalog: String = "") -> OctetString {
        GivenPDF.onePage(
            catalog: "/AcroForm << /Fields [5 0 R 7 0 R] /SigFlags 3 >> " + catalog,
            page: "/MediaBox [0 0 298 420] /Annots [5 0 R 7 0 R]",
            more: [
                "<< /FT /Sig /T (First) /V 6 0 R \(field) \(widget) >>",
                "<< /Type /Sig /Filter /X /SubFilter /Y /ByteRange [0 0 0 0] /Contents <00> \(entries) >>",
                "<< /FT /Sig /T (Second) \(widget) >>",
            ])
    }

    private static func transform(_ method: String, _ parameters: String) -> String {
        "/Reference [<< /Type /SigRef /TransformMethod /\(method) /TransformParams << \(parameters) >> >>]"
    }

    private static func demanding(_ seedValues: String) -> OctetString {
        field("/FT /Sig /T (Here) /SV << \(seedValues) >>")
    }

    private static let structure: [Refused] = [
        Refused(name: "nothing", document: OctetString(), kind: .notPDF),
        Refused(name: "no PDF", document: OctetString("<html>"), kind: .notPDF, words: ["%PDF-"]),
        Refused(
            name: "octets before the header", document: OctetString(Array("\n".utf8) + GivenPDF.onePage()), kind: .notPDF),
        Refused(
            name: "octets behind the end", document: OctetString(GivenPDF.onePage() + Array("junk".utf8)), kind: .damaged),
        Refused(name: "cut", document: OctetString(GivenPDF.onePage().dropLast(20)), kind: .damaged),
        Refused(
            name: "moved objects",
            document: OctetString(GivenPDF.onePage().text.replacing("1 0 obj", with: " 1 0 obj")), kind: .damaged),
        Refused(
            name: "encrypted", document: GivenPDF.onePage(more: ["<< /Filter /Standard >>"], trailer: "/Encrypt 5 0 R"),
            kind: .encrypted, words: ["encrypted"]),
        Refused(
            name: "dynamic XFA", document: GivenPDF.onePage(catalog: "/NeedsRendering true"), kind: .unsupported,
            words: ["XFA"]),
        Refused(name: "catalog with a key twice", document: GivenPDF.onePage(catalog: "/A 1 /A 2"), kind: .damaged),
        Refused(
            name: "page with a key twice",
            document: GivenPDF.onePage(page: "/MediaBox [0 0 9 9] /A 1 /A 2"), kind: .damaged),
        Refused(name: "form that is none", document: GivenPDF.onePage(catalog: "/AcroForm [1]"), kind: .damaged),
        Refused(
            name: "fields that are none", document: GivenPDF.onePage(catalog: "/AcroForm << /Fields 7 >>"), kind: .damaged),
        Refused(
            name: "field in place",
            document: GivenPDF.onePage(catalog: "/AcroForm << /Fields [<< /FT /Sig /T (a) >>] >>"), kind: .damaged),
        Refused(
            name: "field within itself", document: field("/FT /Sig /T (a) /Kids [5 0 R]"), kind: .damaged),
        Refused(name: "annotations that are none", document: GivenPDF.onePage(page: "/Annots 7"), kind: .damaged),
        Refused(
            name: "pages that lead back",
            document: GivenPDF.make(["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [2 0 R] /Count 1 >>"]),
            kind: .damaged),
        Refused(
            name: "no pages", document: GivenPDF.make(["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [] >>"]),
            kind: .page, words: ["page 1", "0 pages"]),
        Refused(
            name: "tiny page", document: GivenPDF.onePage(page: "/MediaBox [0 0 30 30]"),
            options: Signatory.options(area: .centre), kind: .page, words: ["30 by 30"]),
        Refused(
            name: "page without area", document: GivenPDF.onePage(page: "/MediaBox [5 5 5 5]"),
            options: Signatory.options(area: .centre), kind: .page),
        Refused(
            name: "page that is not there", document: GivenPDF.onePage(), options: Signatory.options(page: 2), kind: .page,
            words: ["page 2", "1 page"]),
    ]

    private static let fields: [Refused] = [
        Refused(
            name: "no such field", document: empty, options: Signatory.options(field: "There"), kind: .field,
            words: ["'There'", "'Here'"]),
        Refused(
            name: "no field at all", document: GivenPDF.onePage(), options: Signatory.options(field: "There"), kind: .field,
            words: ["'There'", "none"]),
        Refused(
            name: "a field for text", document: field("/FT /Tx /T (Here)"), options: Signatory.options(field: "Here"),
            kind: .field, words: ["'Here'"]),
        Refused(
            name: "signed already", document: signed(""), options: Signatory.options(field: "First"), kind: .field,
            words: ["'First'", "already"]),
        Refused(
            name: "field and area", document: empty, options: Signatory.options(area: .centre, field: "Here"),
            kind: .field),
        Refused(
            name: "field without a place that shall show",
            document: GivenPDF.onePage(
                catalog: "/AcroForm << /Fields [5 0 R] >>", more: ["<< /FT /Sig /T (Here) /Rect [0 0 0 0] >>"]),
            options: Signatory.options(field: "Here", isVisible: true), kind: .field, words: ["'Here'"]),
    ]

    private static let rules: [Refused] = [
        Refused(
            name: "certified, no change",
            document: signed(transform("DocMDP", "/P 1"), catalog: "/Perms << /DocMDP 6 0 R >>"), kind: .forbidden,
            words: ["certified"]),
        Refused(
            name: "certified, no change, without /Perms", document: signed(transform("DocMDP", "/P 1")), kind: .forbidden),
        Refused(
            name: "certified, new stamp",
            document: signed(transform("DocMDP", "/P 2"), catalog: "/Perms << /DocMDP 6 0 R >>"),
            options: Signatory.options(area: .centre), kind: .forbidden, words: ["invisibly"]),
        Refused(
            name: "locked by name", document: signed(transform("FieldMDP", "/Action /Include /Fields [(Second)]")),
            options: Signatory.options(field: "Second"), kind: .forbidden, words: ["'Second'"]),
        Refused(
            name: "all locked", document: signed(transform("FieldMDP", "/Action /All")), kind: .forbidden),
        Refused(
            name: "all others locked", document: signed(transform("FieldMDP", "/Action /Exclude /Fields [(Third)]")),
            kind: .forbidden),
        Refused(
            name: "sealed by a lock", document: signed("", field: "/Lock << /Action /Include /Fields [(x)] /P 1 >>"),
            kind: .forbidden, words: ["'First'"]),
        Refused(
            name: "a lock of unknown kind", document: field("/FT /Sig /T (Here) /Lock << /Action /Perhaps >>"),
            kind: .constraint),
        Refused(
            name: "handler", document: demanding("/Ff 1 /Filter /Entrust.PPKEF"), kind: .constraint,
            words: ["'Here'", "Entrust.PPKEF"]),
        Refused(
            name: "format", document: demanding("/Ff 2 /SubFilter [/adbe.pkcs7.detached]"), kind: .constraint,
            words: ["adbe.pkcs7.detached"]),
        Refused(name: "version", document: demanding("/Ff 4 /V 4"), kind: .constraint),
        Refused(
            name: "reason", document: demanding("/Ff 8 /Reasons [(Yes) (No)]"), options: Signatory.options(reason: "Maybe"),
            kind: .constraint, words: ["'Yes', 'No'"]),
        Refused(name: "a reason at all", document: demanding("/Ff 8 /Reasons [(Yes)]"), kind: .constraint),
        Refused(
            name: "no reason", document: demanding("/Ff 8 /Reasons [(.)]"), options: Signatory.options(reason: "x"),
            kind: .constraint),
        Refused(name: "attestation", document: demanding("/Ff 16 /LegalAttestation [(x)]"), kind: .constraint),
        Refused(name: "revocation", document: demanding("/Ff 32 /AddRevInfo true"), kind: .constraint),
        Refused(
            name: "digest", document: demanding("/Ff 64 /DigestMethod [(SHA512)]"), kind: .constraint, words: ["SHA512"]),
        Refused(name: "locking", document: demanding("/Ff 128 /LockDocument true"), kind: .constraint),
        Refused(name: "look", document: demanding("/Ff 256 /AppearanceFilter (x)"), kind: .constraint),
        Refused(name: "certifying", document: demanding("/MDP << /P 2 >>"), kind: .constraint),
        Refused(name: "timestamp", document: demanding("/TimeStamp << /URL (http://x.test) /Ff 1 >>"), kind: .constraint),
        Refused(name: "certificate", document: demanding("/Cert << /Ff 1 /Subject [<00>] >>"), kind: .constraint),
    ]

    @Test("a document that is not sound, or not of a kind that is signed", arguments: structure)
    func structure(_ refused: Refused) throws { try check(refused) }

    @Test("a field that is not there, or not free", arguments: fields)
    func fields(_ refused: Refused) throws { try check(refused) }

    @Test("what signatures and fields of the document forbid", arguments: rules)
    func rules(_ refused: Refused) throws { try check(refused) }

    private func check(_ refused: Refused) throws {
        let error = try #require(signatory.refusal(refused.document, refused.options))
        #expect(error.kind == refused.kind, "\(error)")
        for word in refused.words { #expect(error.reason.contains(word), "\(error)") }
        #expect(!error.reason.contains("\n"))
    }

    @Test("a hybrid file, which shows different things to different readers")
    func hybrid() throws {
        let document = GivenPDF.onePage(form: .stream)
        let lines = document.array
        let start = try #require(String(decoding: lines, as: UTF8.self).split(separator: "\n").dropLast().last)
        let table = lines.count
        let tail = "xref\n0 0\ntrailer\n<< /Size 6 /Root 1 0 R /XRefStm \(start) >>\nstartxref\n\(table)\n%%EOF\n"
        let error = try #require(signatory.refusal(OctetString(lines + Array(tail.utf8))))
        #expect(error.kind == .unsupported && error.reason.contains("XRefStm"), "\(error)")
    }

    // MARK: What looks alike and is allowed

    @Test("a document certified for forms and signatures can be signed invisibly, or where it has a field")
    func certified() throws {
        for level in [2, 3] {
            let document = Self.signed(Self.transform("DocMDP", "/P \(level)"), catalog: "/Perms << /DocMDP 6 0 R >>")
            #expect(signatory.refusal(document) == nil)
            #expect(signatory.refusal(document, Signatory.options(field: "Second")) == nil)
            #expect(signatory.refusal(document, Signatory.options(isVisible: false)) == nil)
        }
    }

    @Test("fields that are not locked, and wishes that are no demands, do not keep from signing")
    func allowed() throws {
        for action in ["/Include /Fields [(Third)]", "/Exclude /Fields [(Second)]"] {
            let document = Self.signed(Self.transform("FieldMDP", "/Action \(action)"))
            #expect(signatory.refusal(document, Signatory.options(field: "Second")) == nil, "\(action)")
        }
        for wish in ["/Filter /Other", "/SubFilter [/Other]", "/Reasons [(Yes)]", "/Ff 64 /DigestMethod [(SHA512) (SHA256)]"] {
            #expect(signatory.refusal(Self.demanding(wish)) == nil, "\(wish)")
        }
    }

    // MARK: Room, and damage

    @Test("a signature that is larger than its room")
    func room() throws {
        var options = Signatory.options()
        options.reservedOctets = 100
        let prepared = try signatory.signer.prepare(GivenPDF.onePage(), options)
        #expect(throws: PDFError.self) { try prepared.finish(cms: OctetString([UInt8](repeating: 0x30, count: 101))) }
        let whole = try prepared.finish(cms: OctetString([UInt8](repeating: 0x30, count: 100))).collected()
        #expect(whole.count == prepared.covered.count + 202)
    }

    @Test("is signed wholly or refused when it is damaged anywhere, and nothing stops the program")
    func mutated() throws {
        var generator = SplitMix(state: 0x5E5)
        var signedWell = 0
        for form in GivenPDF.Form.allCases {
            let sound = GivenPDF.onePage(
                catalog: "/AcroForm << /Fields [5 0 R] >>", page: "/MediaBox [0 0 298 420] /Annots [5 0 R]",
                more: ["<< /FT /Sig /T (Here) \(Self.widget) >>"], form: form
            ).array
            for _ in 0..<700 {
                var octets = sound
                for _ in 0..<Int.random(in: 1...3, using: &generator) {
                    octets[Int.random(in: octets.indices, using: &generator)] =
                        Bool.random(using: &generator)
                        ? UInt8.random(in: 0...255, using: &generator)
                        : "0123456789<>[]()/R ".utf8.map(\.self).randomElement(using: &generator) ?? 0
                }
                let document = OctetString(octets)
                do throws(PDFError) {
                    let prepared = try signatory.signer.prepare(document, Signatory.options())
                    let signed = try prepared.finish(cms: OctetString([0x30, 0x00])).collected()
                    signedWell += 1
                    #expect(signed.starts(with: document))
                    // What was signed can be read again, and has the one signature.
                    let found = try PDFSignatureReading.signatures(in: signed)
                    #expect(found.contains { $0.fieldName == prepared.fieldName && $0.coversWholeFile })
                } catch {
                    #expect(!error.reason.isEmpty)
                }
            }
        }
        #expect(signedWell > 200)
    }
}

/// SplitMix64.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
