import CMSSignatures
import Octets
import PDFSignatures
import TestSupport
import Testing

@Suite("Signing: refusals and their reasons")
struct SigningRefusalTests {
    private let signatory: Signatory

    init() throws { signatory = try Signatory.shared.get() }

    @Test("a document that is not sound, or not of a kind that is signed", arguments: RefusedPDF.structure)
    func unsound(_ refused: RefusedPDF) throws { try check(refused) }

    @Test("a field that does not exist, or is not free", arguments: RefusedPDF.fields)
    func notFree(_ refused: RefusedPDF) throws { try check(refused) }

    @Test("changes that signatures and fields of the document forbid", arguments: RefusedPDF.rules)
    func forbidden(_ refused: RefusedPDF) throws { try check(refused) }

    private func check(_ refused: RefusedPDF) throws {
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

    @Test("a document certified for forms and signatures can be signed invisibly, or in an existing field")
    func certified() throws {
        for level in [2, 3] {
            let document = RefusedPDF.signed(
                RefusedPDF.transform("DocMDP", "/P \(level)"), catalog: "/Perms << /DocMDP 6 0 R >>")
            #expect(signatory.refusal(document) == nil)
            #expect(signatory.refusal(document, Signatory.options(field: "Second")) == nil)
            #expect(signatory.refusal(document, Signatory.options(isVisible: false)) == nil)
        }
    }

    @Test("fields that are not locked, and preferences that are not requirements, do not prevent signing")
    func allowed() throws {
        for action in ["/Include /Fields [(Third)]", "/Exclude /Fields [(Second)]"] {
            let document = RefusedPDF.signed(RefusedPDF.transform("FieldMDP", "/Action \(action)"))
            #expect(signatory.refusal(document, Signatory.options(field: "Second")) == nil, "\(action)")
        }
        for wish in [
            "/Filter /Other", "/SubFilter [/Other]", "/Reasons [(Yes)]", "/Ff 64 /DigestMethod [(SHA512) (SHA256)]",
        ] {
            #expect(signatory.refusal(RefusedPDF.demanding(wish)) == nil, "\(wish)")
        }
    }

    @Test("a missing font, with the package that has it")
    func font() {
        #expect { try PDFSigner(fontPath: "/nonexistent.ttf") } throws: { error in
            let error = error as? PDFError
            return error?.kind == .failed && error?.reason.contains("fonts-dejavu-core") == true
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

    @Test("a document damaged anywhere is signed completely or refused, and nothing stops the program")
    func mutated() throws {
        var generator = SplitMix(state: 0x5E5)
        var signedWell = 0
        for form in GivenPDF.Form.allCases {
            let sound = GivenPDF.onePage(
                catalog: "/AcroForm << /Fields [5 0 R] >>", page: "/MediaBox [0 0 298 420] /Annots [5 0 R]",
                more: ["<< /FT /Sig /T (Here) \(RefusedPDF.widget) >>"], form: form
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
