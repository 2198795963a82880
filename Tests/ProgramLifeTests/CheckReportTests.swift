import ProgramLife
import Testing

@Suite("The report of a configuration check")
struct CheckReportTests {
    private static func fault(line: Int) -> CheckReport.Fault {
        CheckReport.Fault(file: "ses.xml", line: line, code: "badValue", text: "wrong")
    }

    @Test(
        "counts faults and warnings in the right number",
        arguments: [(0, "0 faults, 0 warnings"), (1, "1 fault, 0 warnings"), (2, "2 faults, 0 warnings")])
    func counts(faults: Int, last: String) {
        let report = CheckReport(faults: (0..<faults).map(Self.fault(line:)), warnings: [], isStrict: false)
        #expect(report.text.split(separator: "\n").last.map(String.init) == last)
    }
}
