import CMSSignatures
import Octets
import PDFSignatures
import TestSupport
import Testing

@Suite("Signing: PDFs of many makers", .enabled(if: TestMaterial.shared != nil, "needs ../shared"))
struct SigningCorpusTests {
    /// Files that must be refused, and why.
    static let refused: [String: PDFError.Kind] = [
        "EmptyPage-corrupted.pdf": .damaged, "edition_protected_none.pdf": .encrypted,
        "edition_protected_signing_allowed_no_field.pdf": .encrypted,
        "edition_protected_signing_allowed_with_field.pdf": .encrypted, "open_protected.pdf": .encrypted,
        "protected_two_empty_fields.pdf": .encrypted, "restricted_fields.pdf": .encrypted,
        "sample-certified-nochangesallowed256.pdf": .forbidden,
    ]

    @Test("each is signed correctly or refused for its reason")
    func corpus() async throws {
        let folder = try #require(TestMaterial.shared) + "/corpora/pdf-plain"
        let signatory = try Signatory.shared.get()
        let rows = try TestMaterial.table(folder + "/expected.tsv")
        #expect(rows.count == 23)
        var signed: [String: OctetString] = [:]
        for row in rows {
            let name = try #require(row["file"])
            let document = OctetString(try TestMaterial.octets(folder + "/" + name))
            if let kind = Self.refused[name] {
                #expect(signatory.refusal(document)?.kind == kind, "\(name)")
                #expect(row["why"]?.contains("refuse") == true || row["why"]?.contains("may sign") == true, "\(name)")
                continue
            }
            #expect(row["why"]?.hasPrefix("to do: sign") == true, "\(name)")
            for (kind, options) in [
                ("default", Signatory.options()), ("area", Signatory.options(area: .topRight)),
                ("hidden", Signatory.options(isVisible: false)),
            ] {
                do {
                    signed["\(name)-\(kind)"] = try signatory.sign(document, options)
                } catch {
                    Issue.record("\(name), \(kind): \(error)")
                }
            }
        }
        #expect(signed.count == 3 * (23 - Self.refused.count))
        // Their cross-references use an object number twice, and a generation without the one before.
        let loose: Set<String> = ["pdfa2a-rgb.pdf", "pdf-xref-streams.pdf"]
        for fault in try await PDFOracle.faults(signed, loose: loose) { Issue.record("\(fault)") }
    }
}
