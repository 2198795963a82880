import Foundation
import HostProcess
import TestSupport
import Testing

@testable import Monitoring

@Suite("Status: one form for all programs")
struct StatusReportTests {
    private struct Facts: Encodable, Sendable { let folders = ["outgoing": 2] }

    private func report(_ reasons: [StatusReason]) -> StatusReport<Facts> {
        var all = StatusReasons()
        for reason in reasons { all.add(reason) }
        return StatusReport(
            all, headline: "running", sections: [[StatusLine("outgoing", nil, "2 waiting", advice: "ses list")], []],
            performance: [PerformanceValue("outgoing", 2), PerformanceValue("oldest", 5, "s")], facts: Facts())
    }

    private let warning = StatusReason(.diskSpace, .warning, "little | room", remedy: "df -h")
    private let critical = StatusReason(.spoolMissing, .critical, "no spool\nat all")

    @Test("the first word, the exit status and the line for Nagios have the level of the worst reason")
    func levels() {
        let cases: [([StatusReason], String, Int32)] = [
            ([], "OK", 0), ([warning], "WARNING", 1), ([warning, critical], "CRITICAL", 2),
        ]
        for (reasons, word, exit) in cases {
            let report = report(reasons)
            #expect(report.text.split(separator: " ").first.map(String.init) == word)
            #expect(report.status.rawValue == exit)
            #expect(report.pluginLine("SES").hasPrefix("SES \(word): "))
        }
    }

    @Test("each reason is told with the command that mends it, the worst first, and each once")
    func text() {
        let text = report([warning, critical, warning]).text
        #expect(
            text.hasSuffix(
                """
                1 critical, 1 warning:
                  CRITICAL: no spool
                at all
                  WARNING: little | room
                      -> df -h
                """), "\(text)")
        #expect(text.contains("\n  outgoing     2 waiting"))
    }

    @Test("the line for Nagios is one line, with one bar before the data")
    func plugin() {
        let line = report([warning, critical]).pluginLine("SES")
        #expect(line == "SES CRITICAL: no spool\\u{a}at all; little / room | 'outgoing'=2 'oldest'=5s")
    }

    @Test("JSON has level and codes by their stable words, beside the facts")
    func json() throws {
        let octets = try JSONEncoder().encode(report([warning]))
        let object = try #require(try JSONSerialization.jsonObject(with: octets) as? [String: Any])
        #expect(Set(object.keys) == ["v", "status", "reasons", "folders"])
        #expect(object["status"] as? String == "WARNING")
        let reasons = try #require(object["reasons"] as? [[String: String]])
        #expect(reasons == [["code": "disk-space", "level": "WARNING", "text": "little | room", "remedy": "df -h"]])
    }

    @Test("the table of codes in docs/monitoring.md has each code once, and no other")
    func table() throws {
        let text = String(
            decoding: try TestMaterial.octets(TestMaterial.project + "/docs/monitoring.md"), as: UTF8.self)
        let rows = text.matches(of: #/^\| `([a-z-]+)` \| (W|C|W, C) \| /#.anchorsMatchLineEndings()).map {
            String($0.1)
        }
        #expect(rows.sorted() == StatusCode.allCases.map(\.rawValue).sorted())
    }

    @Test("docs/troubleshooting.md has a remedy for each code, once")
    func remedies() throws {
        let text = String(
            decoding: try TestMaterial.octets(TestMaterial.project + "/docs/troubleshooting.md"), as: UTF8.self)
        let cells = text.matches(
            of: #/^\| (`[a-z]+-[a-z-]+`(?:, `[a-z]+-[a-z-]+`)*) \| [^|]+ \| [^|]+ \|$/#
                .anchorsMatchLineEndings()
        ).map { String($0.1) }
        let codes = cells.flatMap { $0.split(separator: ", ").map { String($0.replacing("`", with: "")) } }
        #expect(codes.sorted() == StatusCode.allCases.map(\.rawValue).sorted())
    }

    @Test("each code is brought about by an end-to-end test")
    func provoked() throws {
        let folder = TestMaterial.project + "/Tests/EndToEndTests/Status/"
        let texts = try FileManager.default.contentsOfDirectory(atPath: folder).map {
            String(decoding: try TestMaterial.octets(folder + $0), as: UTF8.self)
        }.joined()
        for code in StatusCode.allCases {
            #expect(texts.contains("\"\(code.rawValue)\""), "\(code)")
        }
    }

    @Test("amounts and ages in words")
    func words() {
        #expect(StatusWords.octets(41 << 30) == "41 GB" && StatusWords.octets(1_536) == "1.5 KB")
        #expect(StatusWords.number(4_812) == "4,812" && StatusWords.number(1_000_000) == "1,000,000")
        #expect(StatusWords.span(119) == "119 s" && StatusWords.span(400) == "6 min" && StatusWords.span(-5) == "0 s")
    }

    @Test("a certificate is told of 30 days before its end, and critically 3 days before")
    func ends() {
        func level(_ days: Double) -> String? {
            let one = DatedCertificate(use: "key", subject: "CN=k", file: "f", notAfter: Int(days * 86_400))
            return one.reason(now: 0, remedy: "renew").map { "\($0.code.rawValue) \($0.level.word)" }
        }
        #expect(level(31) == nil)
        #expect(level(29.5) == "certificate-expires WARNING")
        #expect(level(2.5) == "certificate-expires CRITICAL")
        #expect(level(0) == "certificate-expired CRITICAL" && level(-1) == "certificate-expired CRITICAL")
    }
}
