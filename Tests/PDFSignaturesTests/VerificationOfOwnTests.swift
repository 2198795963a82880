import Octets
import TestSupport
import Testing

@testable import PDFSignatures

@Suite("PDF signatures: what is signed here is judged as sound here", .enabled(if: TestMaterial.shared != nil))
struct VerificationOfOwnTests {
    @Test("documents of many makers, signed once and by three")
    func own() throws {
        let folder = try #require(TestMaterial.shared) + "/corpora/pdf-plain"
        let signatory = try Signatory.shared.get()
        var count = 0
        for row in try TestMaterial.table(folder + "/expected.tsv") {
            let name = try #require(row["file"])
            let document = OctetString(try TestMaterial.octets(folder + "/" + name))
            guard signatory.refusal(document) == nil else { continue }
            let options = [
                Signatory.options(reason: "Grüße"), Signatory.options("Another", area: .centre),
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
    }
}
