import Octets
import PDFSignatures
import TestSupport
import Testing

@Suite("Signing: documents that others have signed")
struct CountersigningTests {
    /// Refused, and why; all others must be signed so that every signature stays good.
    static let refused: [String: PDFError.Kind] = [
        "good-encrypted": .encrypted, "good-certified-1": .forbidden, "good-certified-1-timestamp": .forbidden,
    ]

    @Test("keeps their signatures valid, for pyHanko and for us")
    func others() async throws {
        let fixtures = try await SignedFixtures.shared
        let signatory = try Signatory.shared.get()
        var signed: [String: OctetString] = [:]
        let names = fixtures.names("good-")
        #expect(names.count >= 20)
        for name in names {
            let document = try fixtures.document(name)
            if let kind = Self.refused[name] {
                #expect(signatory.refusal(document)?.kind == kind, "\(name)")
                continue
            }
            signed[name] = try signatory.sign(document)
            // A stamp would change the pages of a certified document.
            if !name.hasPrefix("good-certified") {
                signed[name + "-area"] = try signatory.sign(document, Signatory.options(area: .centre))
            }
        }
        let opinions = try await PDFOracle.pyHanko(signed)
        var judged = 0
        for (name, document) in signed {
            for signature in try PDFSignatureReading.signatures(in: document) {
                #expect(signature.findings.isEmpty, "\(name): \(signature.findings)")
            }
            // The page refers to an object that is not there, which pyHanko does not always get over.
            if let error = opinions[name]?.error, error.contains("Reference(idnum=40, generation=0)") { continue }
            let theirs = try #require(opinions[name]?.signatures, "\(name): \(opinions[name]?.error ?? "")")
            judged += 1
            #expect(theirs.last?.good == true && theirs.last?.coversAll == true, "\(name): \(theirs)")
            let original = name.replacing("-area", with: "")
            // Their anchor is not asked for here, only whether they are whole and what followed them is allowed.
            for signature in theirs.dropLast() {
                let isKnown = VerificationTests.refusedByPyHanko.contains(original)
                #expect(signature.intact && (signature.change != "OTHER" || isKnown), "\(name): \(signature)")
            }
        }
        #expect(judged >= 25)
    }
}
