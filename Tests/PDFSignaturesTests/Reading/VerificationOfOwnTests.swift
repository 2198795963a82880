import Octets
import TestSupport
import Testing

@testable import PDFSignatures

@Suite("PDF signatures: documents signed here are judged sound here")
struct VerificationOfOwnTests {
    @Test("documents of every form, signed until no further signature is allowed", arguments: GivenPDF.Form.allCases)
    func forms(_ form: GivenPDF.Form) throws {
        let signatory = try Signatory.shared.get()
        var count = 0
        for given in SigningStructureTests.given(form) {
            var signed = try signatory.sign(given.document, given.options)
            for number in 1...3 {
                let signatures = try PDFSignatureReading.signatures(in: signed)
                #expect(signatures.count == number, "\(given.name)")
                for signature in signatures {
                    let fault = VerificationTests.fault(signature)
                    #expect(fault == nil, "\(given.name), \(signature.fieldName ?? "")")
                }
                #expect(
                    signatures.map(\.coversWholeFile) == signatures.indices.map { $0 == number - 1 }, "\(given.name)")
                count += 1
                let further = Signatory.options("Further \(number)", isVisible: false)
                guard signatory.refusal(signed, further) == nil else { break }
                let next = try signatory.sign(signed, further)
                #expect(next.starts(with: signed), "\(given.name)")
                signed = next
            }
        }
        #expect(count >= 40)
    }

    @Test(
        "documents of many makers, signed once and by three",
        .enabled(if: TestMaterial.shared != nil, "needs ../shared"))
    func own() throws {
        let folder = try #require(TestMaterial.shared) + "/corpora/pdf-plain"
        let signatory = try Signatory.shared.get()
        var count = 0
        var stamped = 0
        for row in try TestMaterial.table(folder + "/expected.tsv") {
            let name = try #require(row["file"])
            let document = OctetString(try TestMaterial.octets(folder + "/" + name))
            guard signatory.refusal(document) == nil else { continue }
            let first = try signatory.sign(document, Signatory.options(reason: "Grüße"))
            // A stamp is put only where it hides nothing of what is signed. Most pages have room somewhere.
            let areas = PDFSignatureOptions.Area.allCases.map { Signatory.options("Another", area: $0) }
            let free = areas.first { signatory.refusal(first, $0) == nil }
            for options in areas {
                if let refusal = signatory.refusal(first, options) { #expect(refusal.kind == .page, "\(name)") }
            }
            if free != nil { stamped += 1 }
            let options = [
                Signatory.options(reason: "Grüße"), free ?? Signatory.options("Another"),
                Signatory.options("Third", isVisible: false),
            ]
            var signed = document
            for (index, options) in options.enumerated() {
                let next = try signatory.sign(signed, options)
                let signatures = try PDFSignatureReading.signatures(in: next)
                #expect(signatures.count == index + 1, "\(name)")
                for signature in signatures {
                    #expect(VerificationTests.fault(signature) == nil, "\(name), \(signature.fieldName ?? "")")
                }
                #expect(signatures.map(\.coversWholeFile) == signatures.indices.map { $0 == index }, "\(name)")
                #expect(
                    signatures.first?.reason == "Grüße" && signatures.first?.claimedTime == Signatory.now, "\(name)")
                #expect(signatures.first?.subFilter == "ETSI.CAdES.detached" && next.starts(with: signed), "\(name)")
                signed = next
            }
            count += 1
        }
        #expect(count >= 10)
        #expect(stamped >= 8)
    }
}
