import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// `SES_CASES="B1- C4-"` restricts the run to the rows whose `file` contains one of the words.
    @Suite("Mails and documents with a known right outcome")
    struct Cases {
        private static let rows: Result<[CaseRow], any Error> = Result { try CaseRow.all() }

        static let classes: [String] = Set((try? rows.get())?.map(\.className) ?? []).sorted()

        /// The rows beside the project that fail today. A change that makes one pass removes its line; in the end there
        /// is none.
        static let knownFailures: Set<String> = []

        @Test("the tables can be read")
        func tables() throws {
            let rows = try Self.rows.get()
            #expect(!rows.isEmpty)
            #expect(Set(rows).count == rows.count, "a row stands twice in a table")
        }

        @Test("each row ends as expected", .timeLimit(.minutes(10)), arguments: classes)
        func rows(ofClass name: String) async throws {
            let findings = try await CaseRun.findings
            for row in try Self.rows.get() where row.className == name {
                guard let finding = findings[row] else {
                    Issue.record("\(row): was not run")
                    continue
                }
                let judge = CaseJudge(row, finding)
                let isRight = try await judge.isRight()
                if row.set != .own, Self.knownFailures.contains(row.file) {
                    if isRight { Issue.record("\(row) passes: remove it from knownFailures in CaseTests.swift") }
                } else if !isRight {
                    Issue.record("\(judge.report)")
                }
            }
        }
    }
}
