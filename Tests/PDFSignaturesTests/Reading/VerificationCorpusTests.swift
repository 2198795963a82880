import CMSSignatures
import Octets
import TestSupport
import Testing

@testable import PDFSignatures

@Suite(
    "PDF signatures: corpora of real and attacked files", .enabled(if: TestMaterial.shared != nil, "needs ../shared"))
struct VerificationCorpusTests {
    private static let folder = (TestMaterial.shared ?? "") + "/corpora/"

    /// The table says that these cannot be opened without a password. Whether they are signed is seen without one.
    private static let unsignedInAnyCase: Set<String> = ["open_protected.pdf", "protected_two_empty_fields.pdf"]

    @Test(
        "a document that is not signed, broken or changed is never trusted",
        arguments: ["pdf-signatures", "pdf-plain"])
    func verdicts(_ name: String) throws {
        let rows = try TestMaterial.table(Self.folder + name + "/expected.tsv")
        #expect(rows.count >= 7)
        for row in rows {
            let file = try #require(row["file"])
            let document = OctetString(try TestMaterial.octets(Self.folder + name + "/" + file))
            var reading = "not signed"
            let taken = ThreadTime.measure {
                do throws(PDFError) {
                    let signatures = try PDFSignatureReading.signatures(in: document)
                    if !signatures.isEmpty {
                        let isSound = signatures.allSatisfy { VerificationTests.fault($0) == nil }
                        reading = isSound ? "sound" : "not trusted"
                    }
                } catch {
                    reading = "error"
                }
            }
            #expect(taken < .seconds(2), "\(file)")
            let expected = try #require(row["expected"])
            if Self.unsignedInAnyCase.contains(file) {
                #expect(reading == "not signed", "\(file)")
                continue
            }
            switch expected {
            // The chain is the caller's matter: without an anchor a sound signature is indeterminate.
            case "indeterminate": #expect(reading == "sound", "\(file)")
            case "error": #expect(reading == "error" || reading == "not trusted", "\(file)")
            default: #expect(reading == expected, "\(file)")
            }
        }
    }
}
