import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite("ses status with very many files", .enabled(if: EndToEnd.isSecondLevel, "SES_TEST_ALL=1"))
    struct StatusSpeed {
        private static let count = 100_000
        /// A debug build parses names about twenty times slower than a release build, which takes a fraction of `find`.
        private static let limit = 8.0

        @Test("takes no more than a few times what find takes to list them", .timeLimit(.minutes(5)))
        func many() async throws {
            let bench = try await StatusBench()
            let script = """
                import os, sys, time
                now = int(time.time())
                for number in range(int(sys.argv[2])):
                    name = "%d.%032x.%016x,O=out" % (now, number, number)
                    folder = ("blocked/new", "delivered/new", "retry/new", "failed")[number % 4]
                    facts = ",N=1,D=%d" % (now + 3600) if folder == "retry/new" else ""
                    os.close(os.open("%s/%s/%s%s" % (sys.argv[1], folder, name, facts), os.O_CREAT | os.O_WRONLY, 0o640))
                """
            let made = try await RunningProgram.run(
                "/usr/bin/python3", ["-c", script, bench.spool, "\(Self.count)"], within: .seconds(180))
            try #require(made.status == 0, "\(made)")
            func fastest(_ body: () async throws -> RunningProgram.Finished) async throws -> Duration {
                var best = Duration.seconds(3_600)
                for _ in 0..<5 { best = min(best, try await body().processorTime) }
                return best
            }
            let walk = try await fastest {
                try await RunningProgram.run("/usr/bin/find", [bench.spool, "-printf", ""])
            }
            let asked = try await fastest {
                try await bench.fixture.ses(["status", "--config", bench.fixture.configurationPath])
            }
            let report = try await bench.report()
            let folders = try #require(report.object["folders"] as? [String: [String: Any]])
            #expect(folders["blocked"]?["count"] as? Int == Self.count / 4)
            let ratio = asked / walk
            print("ses status with \(Self.count) files: \(asked), find: \(walk), ratio \(ratio)")
            #expect(ratio < Self.limit, "status \(asked), find \(walk)")
        }
    }
}
