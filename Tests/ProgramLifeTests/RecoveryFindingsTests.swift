import Testing

@testable import ProgramLife
@testable import Spool

@Suite("Findings of recovery as reasons")
struct RecoveryFindingsTests {
    private func report(_ state: RecoveryReport.State, _ paths: [String], isWhole: Bool) -> RecoveryReport {
        var report = RecoveryReport()
        report.findings = paths.map { RecoveryReport.Finding(state: state, path: $0, text: "why", entry: nil) }
        report.isWhole = isWhole
        return report
    }

    private func reasons(_ findings: RecoveryFindings) -> [String: String?] {
        Dictionary(findings.reasons.map { ($0.subject, $0.reason?.text) }, uniquingKeysWith: { first, _ in first })
    }

    @Test("what is foreign is one reason however much there is, told once, and lifted when it is gone")
    func foreign() {
        var findings = RecoveryFindings()
        #expect(findings.merge(report(.foreign, ["work/a", "work/b"], isWhole: true)).count == 2)
        #expect(findings.merge(report(.foreign, ["work/a", "work/b"], isWhole: true)).isEmpty)
        #expect(reasons(findings) == ["recovery S10": "work/a (S10): why (and 1 more)"])
        _ = findings.merge(report(.claimed, ["work/c"], isWhole: false))
        #expect(reasons(findings) == ["recovery S10": "work/a (S10): why (and 1 more)"])
        _ = findings.merge(report(.foreign, [], isWhole: true))
        #expect(reasons(findings) == ["recovery S10": nil])
    }

    @Test("what was repaired and cannot come about by itself stays told")
    func alarms() {
        var findings = RecoveryFindings()
        #expect(findings.merge(report(.inBoth, ["work/a"], isWhole: true)).count == 1)
        _ = findings.merge(report(.foreign, [], isWhole: true))
        #expect(reasons(findings)["recovery S9"] == "work/a (S9): why")
    }
}
