import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite("ses-drop and ses drop")
    struct DropProgram {
        @Test(
            "say and do the same",
            arguments: [
                ["--to", "outgoing", "-f", "a@example.test", "--", "b@example.test", "c@example.test"],
                [
                    "--to=incoming", "-f", "", "--queue-id", "4X", "-N", "never", "-R", "hdrs", "-V", "id", "--",
                    "b@example.test",
                ],
                ["--to", "incoming", "-fMAILER-DAEMON", "b@example.test"],
                ["--to", "outgoing", "-f", "a@example.test", "--", "no address", "b@example.test"],
                ["--to", "outgoing", "-f", "nobody here", "--", "b@example.test"],
                ["--to", "outgoing", "-f", "a@example.test"], ["--to", "sideways", "-f", "a", "--", "b@example.test"],
                ["-f", "a@example.test", "--", "b@example.test"],
                ["--to", "outgoing", "-f", "a", "-N", "often", "--", "b"],
                ["--unknown"], [],
            ])
        func same(_ arguments: [String]) async throws {
            let fixture = try await SpoolFixture(SESXML(servers: ["http://127.0.0.1:9"]))
            var outcomes: [(RunningProgram.Finished, files: Int)] = []
            for command in [[try Programs.path("ses-drop")], [try Programs.path("ses"), "drop"]] {
                let finished = try await RunningProgram.run(
                    command[0], Array(command.dropFirst()) + arguments, environment: ["SES_SPOOL": fixture.spool],
                    input: MailSamples.plain())
                let files = try fixture.names(in: "outgoing/new").count + fixture.names(in: "incoming/new").count
                outcomes.append((finished, files))
            }
            let (program, command) = (outcomes[0].0, outcomes[1].0)
            #expect(program.status == command.status)
            #expect([0, 64, 65].contains(program.status), "\(program)")
            #expect(
                program.error == command.error.replacingOccurrences(of: "ses drop", with: "ses-drop"), "\(command)")
            #expect(program.output.hasPrefix("entry ") == (program.status == 0))
            #expect(command.output.hasPrefix("entry ") == (program.status == 0))
            #expect(outcomes.map(\.files) == (program.status == 0 ? [1, 2] : [0, 0]))
        }

        @Test("ses-drop loads none of the libraries that make ses slow to start")
        func libraries() async throws {
            let loaded = try await RunningProgram.run("/usr/bin/ldd", [try Programs.path("ses-drop")], asRoot: true)
            for name in ["Foundation", "icu", "libcurl", "libxml2", "libcrypto", "Dispatch"] {
                #expect(!loaded.output.contains(name), "\(loaded.output)")
            }
        }
    }
}
