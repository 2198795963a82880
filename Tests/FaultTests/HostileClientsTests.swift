import Foundation
import Glibc
import TestSupport
import Testing

extension FaultBench {
    @Suite("ses-dss among hostile clients")
    struct HostileClients {
        /// As `endtoend/hostile_clients.py` names them: what the clients do, and how many of them.
        private static func scenarios() async throws -> [String] {
            try await TestPython.run("endtoend/hostile_clients.py", ["--list"]).split(separator: "\n").map(String.init)
        }

        @Test("serves honest clients, has less than 256 MiB, and ends within 10 s of SIGTERM")
        func crowds() async throws {
            let all = try await Self.scenarios()
            #expect(all.count >= 60)
            let program = try Programs.path("ses-dss")
            let site = try await DSSFixture.demo
            // The second that the built program keeps is measured by itself; here others may be busy.
            let patience = ProcessInfo.processInfo.environment["SES_TEST_PATIENCE"] ?? "10"
            let chosen = FaultShare.of(all, normally: 2)
            let found = await FaultShare.faults(of: chosen, width: 1) { scenario in
                let scratch = try ScratchDirectory()
                try FileManager.default.copyItem(atPath: site.directory, toPath: scratch.file("site"))
                let said = try await TestPython.run(
                    "endtoend/hostile_clients.py",
                    [program, scratch.file("site"), "--patience=" + patience, scenario],
                    within: .seconds(300))
                if FaultShare.isWhole { print(said, terminator: "") }
                return said.contains("1 of 1 scenarios good") ? [] : [said]
            }
            for (scenario, faults) in found { Issue.record("\(scenario): \(faults.joined(separator: "; "))") }
            FaultShare.tell(
                "ses-dss, hostile clients", points: chosen.count, of: all.count, failures: found.count,
                note: "honest clients answered within \(patience) s")
        }
    }
}
