import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Signed documents of public test collections, judged by the built programs as attachments of mail.
    ///
    /// `Tests/Fixtures/public/README.md` says where they come from. `scripts/setup --all` fetches them.
    @Suite(
        "Signed documents of public collections", .enabled(if: isSecondLevel, "runs with --all"),
        .enabled(if: PublicDocument.areThere, "scripts/setup --all fetches the documents"))
    struct PublicDocuments {
        @Test("each has its verdict, and none that was changed is trusted", .timeLimit(.minutes(10)))
        func verdicts() async throws {
            let documents = try PublicDocument.all()
            let server = try await PublicDocument.server()
            var agreed: [String: (intact: Int, trusted: Int)] = [:]
            for (number, document) in documents.enumerated() {
                let finding = try await document.judged(number, by: server)
                let outcome = finding.outcomes.first ?? "none"
                #expect(outcome == document.expected, "\(document.file): \(finding.reason)")
                if !document.isIntact { #expect(outcome != "verified", "\(document.file): a false \"trusted\"") }
                guard document.isIntact else { continue }
                agreed[document.collection, default: (0, 0)].intact += 1
                if outcome == "verified" { agreed[document.collection, default: (0, 0)].trusted += 1 }
            }
            try await server.stop()
            for (collection, count) in agreed.sorted(by: { $0.key < $1.key }) {
                print("\(collection): \(count.trusted) of \(count.intact) intact documents trusted")
            }
        }

        @Test("each document that is intact and not trusted has a reason in the table")
        func reasons() throws {
            for document in try PublicDocument.all() where document.isIntact && document.expected != "verified" {
                #expect(!document.reason.isEmpty, "\(document.file)")
            }
        }
    }
}
