import Octets
import PDFSignatures
import TestSupport
import Testing

@Suite("Signing: forms of documents")
struct SigningStructureTests {
    private let signatory: Signatory

    init() throws { signatory = try Signatory.shared.get() }

    struct Given {
        let name: String
        let document: OctetString
        var options = Signatory.options()
        /// The field that is to be signed.
        var field = "Signature1"
    }

    private static let box = "/MediaBox [0 0 298 420]"
    private static let widget = "/Type /Annot /Subtype /Widget /Rect [20 30 140 90] /F 4 /P 3 0 R"

    /// Documents of every form with what can be where: annotations, form, fields.
    static func given(_ form: GivenPDF.Form) -> [Given] {
        func page(_ catalog: String = "", _ page: String = "", _ more: [String] = []) -> OctetString {
            GivenPDF.onePage(catalog: catalog, page: box + " " + page, more: more, form: form)
        }
        let link = "<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /F 4 >>"
        let text = "<< /FT /Tx /T (Signature1) /V (x) \(widget) >>"
        let empty = "<< /FT /Sig /T (Here) \(widget) >>"
        let area = Signatory.options(area: .bottomLeft)
        return [
            Given(name: "plain", document: page()), Given(name: "plain-area", document: page(), options: area),
            Given(name: "direct-annotations", document: page("", "/Annots [5 0 R]", [link]), options: area),
            Given(name: "indirect-annotations", document: page("", "/Annots 6 0 R", [link, "[5 0 R]"]), options: area),
            Given(name: "absent-annotations", document: page("", "/Annots 9 0 R"), options: area),
            Given(name: "empty-form", document: page("/AcroForm << >>")),
            Given(name: "direct-form", document: page("/AcroForm << /Fields [] /DA (/Helv 0 Tf) >>"), options: area),
            Given(name: "indirect-form", document: page("/AcroForm 5 0 R", "", ["<< /Fields [] /SigFlags 1 >>"])),
            Given(
                name: "indirect-fields",
                document: page("/AcroForm 5 0 R", "", ["<< /Fields 6 0 R /SigFlags 3 >>", "[]"])),
            Given(
                name: "fields-are-annotations",
                document: page("/AcroForm << /Fields 6 0 R >>", "/Annots 6 0 R", [text, "[5 0 R]"]),
                options: area, field: "Signature2"),
            Given(
                name: "name-taken", document: page("/AcroForm << /Fields [5 0 R] >>", "/Annots [5 0 R]", [text]),
                field: "Signature2"),
            Given(
                name: "one-empty", document: page("/AcroForm << /Fields [5 0 R] >>", "/Annots [5 0 R]", [empty]),
                field: "Here"),
            Given(
                name: "one-empty-named", document: page("/AcroForm << /Fields [5 0 R] >>", "/Annots [5 0 R]", [empty]),
                options: Signatory.options(field: "Here"), field: "Here"),
            Given(
                name: "one-empty-hidden", document: page("/AcroForm << /Fields [5 0 R] >>", "/Annots [5 0 R]", [empty]),
                options: Signatory.options(isVisible: false), field: "Here"),
            Given(
                name: "beside-the-empty-one",
                document: page("/AcroForm << /Fields [5 0 R] >>", "/Annots [5 0 R]", [empty]), options: area),
            Given(
                name: "inherited-type",
                document: page(
                    "/AcroForm << /Fields [5 0 R] >>", "/Annots [6 0 R]",
                    [
                        "<< /FT /Sig /T <FEFF00C4> /Kids [6 0 R] >>",
                        "<< /T (b) /Parent 5 0 R \(widget) >>",
                    ]), options: Signatory.options(field: "\u{C4}.b"), field: "\u{C4}.b"),
            Given(
                name: "no-widget",
                document: page("/AcroForm << /Fields [5 0 R] >>", "", ["<< /FT /Sig /T (Bare) >>"]), field: "Bare"),
            Given(
                name: "locks-all",
                document: page(
                    "/AcroForm << /Fields [5 0 R] >>", "/Annots [5 0 R]",
                    ["<< /FT /Sig /T (L) \(widget) /Lock << /Type /SigFieldLock /Action /All >> >>"]), field: "L"),
            Given(
                name: "locks-some",
                document: page(
                    "/AcroForm << /Fields [5 0 R] >>", "/Annots [5 0 R]",
                    [
                        "<< /FT /Sig /T (L) \(widget) /Lock 6 0 R >>",
                        "<< /Type /SigFieldLock /Action /Include /Fields [(a\\)b) (c)] >>",
                    ]), field: "L"),
            Given(
                name: "demands-met",
                document: page(
                    "/AcroForm << /Fields [5 0 R] >>", "/Annots [5 0 R]",
                    [
                        "<< /FT /Sig /T (D) \(widget) /SV << /Type /SV /Ff 75 /Filter /Adobe.PPKLite "
                            + "/SubFilter [/ETSI.CAdES.detached /adbe.pkcs7.detached] /Reasons [(I agree) (No)] "
                            + "/DigestMethod [(SHA256)] /MDP << /P 0 >> >> >>"
                    ]), options: Signatory.options(reason: "I agree"), field: "D"),
            Given(
                name: "odd-names",
                document: page(
                    "/A#20#23#2Fb << /#e9#28 (x\\)) /N [1 -.5 +3. true null <0aF> 5 0 R] >>", "", ["(y\\\r\nz)"]),
                options: area),
        ]
    }

    /// A field whose only widget is an object of its own.
    private static func separateWidget(_ form: GivenPDF.Form) -> Given {
        Given(
            name: "separate-widget-\(form)",
            document: GivenPDF.onePage(
                catalog: "/AcroForm << /Fields [5 0 R] >>", page: box + " /Annots [6 0 R]",
                more: ["<< /FT /Sig /T (W) /Kids [6 0 R] >>", "<< /Parent 5 0 R \(widget) >>"], form: form), field: "W")
    }

    @Test("is signed correctly, once and three times", arguments: GivenPDF.Form.allCases)
    func forms(_ form: GivenPDF.Form) async throws {
        var signed: [String: OctetString] = [:]
        for given in Self.given(form) + [Self.separateWidget(form)] {
            let once = try signatory.sign(given.document, given.options)
            #expect(once.starts(with: given.document), "\(given.name)")
            #expect(try fieldNames(once) == [given.field], "\(given.name)")
            signed[given.name] = once
            guard !given.name.hasPrefix("locks-all") else { continue }
            let twice = try signatory.sign(once, Signatory.options("Another", area: .centre))
            let thrice = try signatory.sign(twice, Signatory.options("A third"))
            #expect(thrice.starts(with: twice) && twice.starts(with: once), "\(given.name)")
            #expect(try fieldNames(thrice).count == 3, "\(given.name)")
            signed[given.name + "-thrice"] = thrice
        }
        for fault in try await PDFOracle.faults(signed) {
            // poppler looks for the signature in the widget, also where that is not the field (§12.7.3.1).
            if fault.hasPrefix("separate-widget"), fault.contains(": pdfsig: ") { continue }
            Issue.record("\(form), \(fault)")
        }
    }

    private func fieldNames(_ document: OctetString) throws -> [String?] {
        try PDFSignatureReading.signatures(in: document).map(\.fieldName)
    }

    @Test("is signed correctly if qpdf wrote it: linearized, compressed, with predictors")
    func rewritten() async throws {
        let fields = GivenPDF.onePage(
            catalog: "/AcroForm << /Fields [5 0 R] >>", page: Self.box + " /Annots [5 0 R]",
            more: ["<< /FT /Sig /T (Here) \(Self.widget) >>", "<< /Title (x) >>"], trailer: "/Info 6 0 R")
        var signed: [String: OctetString] = [:]
        for (name, arguments) in [
            ("linearized", ["--linearize"]), ("streams", ["--object-streams=generate"]),
            ("both", ["--linearize", "--object-streams=generate"]),
            ("old", ["--force-version=1.3", "--object-streams=disable"]),
            ("new", ["--force-version=2.0"]),
        ] {
            let document = try await GivenPDF.rewritten(fields, arguments)
            let once = try signatory.sign(document)
            signed[name] = try signatory.sign(once, Signatory.options(area: .topLeft))
        }
        for fault in try await PDFOracle.faults(signed) { Issue.record("\(fault)") }
    }

    @Test("keeps the kind of its cross-references, and the entries of its trailer", arguments: GivenPDF.Form.allCases)
    func crossReferences(_ form: GivenPDF.Form) throws {
        let document = GivenPDF.onePage(trailer: "/ID [<01> <01>] /Info 4 0 R /Odd (x)", form: form)
        let signed = try signatory.sign(document)
        let update = String(decoding: signed.dropFirst(document.count), as: UTF8.self)
        #expect(update.contains("/Type /XRef") == (form != .table))
        #expect(update.contains("\nxref\n") == (form == .table))
        let before = String(decoding: document, as: UTF8.self)
        let start = try #require(before.split(separator: "\n").dropLast().last)
        #expect(update.contains("/Prev \(start)"))
        for entry in ["/ID [<01> <", "/Info 4 0 R", "/Odd (x)", "/Root 1 0 R"] {
            #expect(update.contains(entry), "\(entry)")
        }
        #expect(!update.contains("/ID [<01> <01>]"))
    }

    @Test("may end in any white space, or without a line end", arguments: ["", "\n", "\r", "\r\n", "\n\n \n"])
    func ends(_ end: String) async throws {
        let document = GivenPDF.onePage()
        let other = OctetString(document.dropLast(1) + Array(end.utf8))
        let signed = try signatory.sign(other)
        #expect(try await PDFOracle.faults(["end": signed]).isEmpty)
    }

    @Test("may have a page tree of several levels, whose pages are counted as they are seen")
    func pageTree() async throws {
        let document = GivenPDF.make([
            "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R 4 0 R 8 0 R] /Count 4 \(Self.box) >>",
            "<< /Type /Page /Parent 2 0 R >>",
            "<< /Type /Pages /Parent 2 0 R /Kids [5 0 R 6 0 R] /Count 2 /Rotate 90 >>",
            "<< /Type /Page /Parent 4 0 R >>", "<< /Type /Page /Parent 4 0 R >>", "null",
            "<< /Type /Page /Parent 2 0 R >>",
        ])
        var signed: [String: OctetString] = [:]
        for (page, object) in [(1, 3), (2, 5), (3, 6), (4, 8)] {
            let octets = try signatory.sign(document, Signatory.options(page: page))
            let update = String(decoding: octets.dropFirst(document.count), as: UTF8.self)
            #expect(update.contains("/P \(object) 0 R"), "page \(page)")
            #expect(update.contains("\n\(object) 0 obj\n"), "page \(page)")
            signed["\(page)"] = octets
        }
        #expect(try await PDFOracle.faults(signed).isEmpty)
        #expect(signatory.refusal(document, Signatory.options(page: 5))?.kind == .page)
        #expect(signatory.refusal(document, Signatory.options(page: 0))?.kind == .page)
    }

    @Test("keeps every attribute of the signature")
    func attributes() async throws {
        var options = Signatory.options("Jürgen (Müller) \\ Söhne", reason: "Π und Я\nzweite Zeile", isVisible: true)
        options.location = "Köln"
        options.contactInfo = "mail@example.test"
        options.time = 1_709_209_845
        let signed = try signatory.sign(GivenPDF.onePage(), options)
        let signature = try #require(try await PDFOracle.pyHanko(["a": signed])["a"]?.signatures?.first)
        #expect(signature.name == options.signerName && signature.location == "Köln")
        #expect(signature.reason == "Π und Я zweite Zeile" && signature.contactInfo == "mail@example.test")
        #expect(signature.time == 1_709_209_845 && signature.subFilter == "/ETSI.CAdES.detached")
    }

    @Test("may refer to objects that it does not have: their numbers are left free")
    func dangling() throws {
        let document = GivenPDF.onePage(page: Self.box + " /Gone [6 0 R 9 0 R]")
        let signed = try signatory.sign(try signatory.sign(document, Signatory.options(area: .centre)))
        let update = String(decoding: signed.dropFirst(document.count), as: UTF8.self)
        #expect(update.contains("\n5 0 obj\n") && update.contains("\n7 0 obj\n") && update.contains("\n10 0 obj\n"))
        #expect(!update.contains("\n6 0 obj\n") && !update.contains("\n9 0 obj\n"))
        #expect(try PDFSignatureReading.signatures(in: signed).allSatisfy { $0.findings.isEmpty })
        let many = (5..<300).map { "\($0) 0 R" }.joined(separator: " ")
        #expect(signatory.refusal(GivenPDF.onePage(page: "/X [\(many)]"))?.kind == .damaged)
    }

    @Test("may use one array of annotations for two pages: the stamp is on one of them")
    func sharedAnnotations() async throws {
        let page = "<< /Type /Page /Parent 2 0 R /Annots 5 0 R >>"
        let document = GivenPDF.make([
            "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 \(Self.box) >>", page,
            page,
            "[6 0 R]", "<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /F 4 >>",
        ])
        let signed = try signatory.sign(document, Signatory.options(page: 2))
        let update = String(decoding: signed.dropFirst(document.count), as: UTF8.self)
        #expect(!update.contains("\n5 0 obj\n") && !update.contains("\n3 0 obj\n") && update.contains("\n4 0 obj\n"))
        let twice = try signatory.sign(signed, Signatory.options(page: 1))
        #expect(try await PDFOracle.faults(["shared": twice]).isEmpty)
    }

    @Test("may have a field twice in its list, which is one field to us, and an error to pyHanko")
    func listedTwice() async throws {
        let document = GivenPDF.onePage(
            catalog: "/AcroForm << /Fields [5 0 R 5 0 R] >>", page: Self.box + " /Annots [5 0 R]",
            more: ["<< /FT /Sig /T (Here) \(Self.widget) >>"])
        let signed = try signatory.sign(try signatory.sign(document), Signatory.options(area: .topLeft))
        let signatures = try PDFSignatureReading.signatures(in: signed)
        #expect(signatures.map(\.fieldName) == ["Here", "Signature1"])
        #expect(signatures.allSatisfy { $0.findings.isEmpty })
    }

    @Test("that was changed by one octet anywhere is valid to nobody")
    func flipped() async throws {
        let signed = try signatory.sign(GivenPDF.onePage(), Signatory.options(area: .centre))
        let contents = try #require(
            try PDFSignatureReading.signatures(in: signed).first.flatMap { $0.covered.pieces.first?.count })
        var flipped: [String: OctetString] = [:]
        for place in [8, 60, 300, contents - 40, signed.count - 200] {
            var octets = signed.array
            octets[place] ^= 1
            flipped["at-\(place)"] = OctetString(octets)
        }
        let opinions = try await PDFOracle.pyHanko(flipped)
        let scratch = try ScratchDirectory()
        for (name, document) in flipped {
            #expect(opinions[name]?.signatures?.contains { $0.good } != true, "\(name)")
            let path = try scratch.write(document, to: name + ".pdf")
            #expect(try await PDFOracle.validByPoppler(path) == 0, "\(name)")
        }
    }
}
