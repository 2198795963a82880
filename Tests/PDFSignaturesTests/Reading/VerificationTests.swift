import CMSSignatures
import Octets
import TestSupport
import Testing

@testable import PDFSignatures

@Suite("PDF signatures: documents of pyHanko, sound and attacked (ISO 32000-1 §12.8)")
struct VerificationTests {
    /// Structure and arithmetic together, as a caller has to take them; nil when all is well.
    static func fault(_ signature: PDFSignature) -> String? {
        if let finding = signature.findings.first { return finding.message }
        guard let contents = signature.contents else { return "no contents and no finding" }
        // A timestamp token encloses what it signs; its imprint is looked at where tokens are.
        guard !signature.isDocumentTimestamp else { return nil }
        do throws(CryptographyError) {
            switch try CMSInspection.check(contents, content: signature.covered) {
            case .intact: return nil
            case .broken(let reason), .unknown(let reason): return reason
            }
        } catch {
            return "\(error)"
        }
    }

    /// Documents that pyHanko made and refuses: its policy knows a signature field's widget only as part of the field.
    /// A widget that is an object of its own (§12.7.3.1) is the same to a reader, so it is judged the same here. Nor
    /// does pyHanko treat 612.0 and 612 as equal, or a value and the same value in an object of its own.
    static let refusedByPyHanko: Set<String> = [
        "good-two-existing-widget", "good-numbers-spelled", "good-numbers-rounded", "good-values-moved",
    ]
    /// Strings are encrypted, and no key is asked for here.
    static let withoutNames: Set<String> = ["good-encrypted"]

    @Test("sound signatures have no finding, are those that pyHanko finds, and verify")
    func sound() async throws {
        let fixtures = try await SignedFixtures.shared
        let names = fixtures.names("good-")
        #expect(names.count >= 50)
        for name in names {
            let opinion = try #require(fixtures.opinions[name]?.signatures, "\(name): pyHanko cannot read it")
            let document = try fixtures.document(name)
            let signatures = try PDFSignatureReading.signatures(in: document)
            #expect(signatures.count == opinion.count)
            for (ours, theirs) in zip(signatures, opinion) {
                #expect(ours.fieldName == (Self.withoutNames.contains(name) ? nil : theirs.field), "\(name)")
                let isKnown = Self.refusedByPyHanko.contains(name)
                #expect(theirs.good || isKnown, "\(name), \(theirs.field): pyHanko thinks otherwise")
            }
            for signature in signatures {
                #expect(Self.fault(signature) == nil, "\(name), \(signature.fieldName ?? "")")
            }
            let lengths = signatures.compactMap(\.revisionLength)
            #expect(lengths.count == signatures.count && lengths == lengths.sorted(), "\(name)")
        }
    }

    @Test("every attack is invalid, and never without a signature")
    func attacked() async throws {
        let fixtures = try await SignedFixtures.shared
        let names = fixtures.names("bad-")
        #expect(names.count >= 130)
        for name in names {
            let document = try fixtures.document(name)
            let signatures = try PDFSignatureReading.signatures(in: document)
            let isInvalid = signatures.contains { $0.findings.contains { $0.level == .invalid } }
            #expect(
                isInvalid,
                "\(name): \(signatures.map { $0.fieldName ?? "-" }) without an invalid one")
            if let opinion = fixtures.opinions[name]?.signatures {
                for theirs in opinion where !theirs.good {
                    let ours = signatures.first { $0.fieldName == theirs.field } ?? signatures.first
                    let fault = ours.flatMap { Self.fault($0) }
                    #expect(fault != nil, "\(name): pyHanko refuses \(theirs.field)")
                }
            }
        }
    }
}
