import Foundation
import Glibc
import HostProcess
import Synchronization
import TestSupport
import Testing

@testable import Monitoring

@Suite("Metrics in the text format of Prometheus")
struct MetricsTests {
    static let hasPromtool = access("/usr/bin/promtool", X_OK) == 0

    private func families() -> [MetricFamily] {
        let counter = CounterBook("t_messages_total", "Messages.", labels: ["workflow", "outcome"])
        counter.add(["a \"quoted\" \\ one\nline", "signed"], 2)
        counter.add(["b", "signed"])
        let durations = DurationBook("t_call_seconds", "Calls.", labels: ["service"])
        durations.observe(.milliseconds(7), ["signing"])
        durations.observe(.seconds(300), ["signing"])
        return [
            counter.family, durations.family, MetricFamily("t_free_bytes", .gauge, "Free \\ room.", value: 1 << 40),
            CounterBook("t_none_total", "Nothing yet.", labels: ["x"]).family,
        ]
    }

    @Test("labels are escaped, histograms are cumulative, and a family without samples is named")
    func text() {
        let lines = MetricsText.of(families()).split(separator: "\n").map(String.init)
        #expect(lines.contains("t_messages_total{workflow=\"a \\\"quoted\\\" \\\\ one\\nline\",outcome=\"signed\"} 2"))
        #expect(lines.contains("t_call_seconds_bucket{service=\"signing\",le=\"0.005\"} 0"))
        #expect(lines.contains("t_call_seconds_bucket{service=\"signing\",le=\"0.01\"} 1"))
        #expect(lines.contains("t_call_seconds_bucket{service=\"signing\",le=\"120.0\"} 1"))
        #expect(lines.contains("t_call_seconds_bucket{service=\"signing\",le=\"+Inf\"} 2"))
        #expect(lines.contains("t_call_seconds_sum{service=\"signing\"} 300.007"))
        #expect(lines.contains("t_free_bytes 1099511627776") && lines.contains("# TYPE t_none_total counter"))
    }

    @Test("promtool finds nothing to complain of", .enabled(if: hasPromtool, "there is no promtool (prometheus)"))
    func promtool() async throws {
        let checked = try await RunningProgram.run(
            "/usr/bin/promtool", ["check", "metrics"], input: Array(MetricsText.of(families()).utf8))
        #expect(checked.status == 0, "\(checked)")
    }

    @Test(
        "the alert rules are sound, and each fires when it should and only then",
        .enabled(if: hasPromtool, "there is no promtool (prometheus)"))
    func rules() async throws {
        let folder = TestMaterial.project + "/conf/monitoring/"
        for arguments in [
            ["check", "rules", folder + "ses.rules.yml"], ["test", "rules", folder + "ses.rules.test.yml"],
        ] {
            let checked = try await RunningProgram.run("/usr/bin/promtool", arguments, asRoot: true)
            #expect(checked.status == 0, "\(checked)")
        }
        let rules = String(decoding: try TestMaterial.octets(folder + "ses.rules.yml"), as: UTF8.self)
        let tests = String(decoding: try TestMaterial.octets(folder + "ses.rules.test.yml"), as: UTF8.self)
        for alert in rules.matches(of: /- alert: (\w+)/) {
            #expect(tests.contains("        alertname: \(alert.1)\n        exp_alerts:"), "no test has \(alert.1) fire")
        }
    }

    @Test(
        "only an address of the loopback is listened on", arguments: ["0.0.0.0:0", "192.0.2.1:0", "[::]:0", "x:1", "1"])
    func foreign(_ address: String) {
        #expect(throws: SocketError.self) { try MetricsListener(address) }
    }

    @Test("GET /metrics is answered, anything else is not, and a silent client holds up nobody for long")
    func listener() async throws {
        let listener = try MetricsListener("127.0.0.1:0")
        Thread.detachNewThread { listener.serve { "t_up 1\n" } }
        let url = "http://\(listener.address)"
        let answer = try await RunningProgram.run("/usr/bin/curl", ["-s", "-i", url + "/metrics"])
        #expect(answer.output.contains("200 OK") && answer.output.contains("text/plain; version=0.0.4"))
        #expect(answer.output.hasSuffix("\r\n\r\nt_up 1\n"))
        let other = try await RunningProgram.run("/usr/bin/curl", ["-s", "-i", url + "/etc/passwd"])
        #expect(other.output.contains("404"))
        let silent = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(silent) }
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = UInt16(listener.address.split(separator: ":").last.flatMap { UInt16($0) } ?? 0).bigEndian
        inet_pton(AF_INET, "127.0.0.1", &place.sin_addr)
        let connected = withUnsafePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(silent, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        #expect(connected == 0)
        let later = try await RunningProgram.run("/usr/bin/curl", ["-s", "-m", "20", url + "/metrics"])
        #expect(later.output == "t_up 1\n")
    }

    @Test("the file is replaced as a whole, may be read by all, and a failure is told until it is over")
    func file() throws {
        let scratch = try ScratchDirectory()
        let path = scratch.file("absent/t.prom")
        let told = Mutex<[String?]>([])
        let service = try MetricsService(
            file: { path }, address: nil, written: { trouble in told.withLock { $0.append(trouble) } },
            families: { [MetricFamily("t_up", .gauge, "Up.", value: 1)] })
        service.write()
        #expect(mkdir(scratch.file("absent"), 0o755) == 0)
        service.write()
        #expect(told.withLock { $0.map { $0 != nil } } == [true, false])
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o644)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.file("absent")) == ["t.prom"])
    }
}
