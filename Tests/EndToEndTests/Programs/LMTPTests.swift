import TestSupport
import Testing

extension EndToEnd {
    @Suite("ses-lmtp")
    struct LMTP {
        /// The scenarios of `lmtp_clients.py`, each on a spool of its own.
        @Test(
            "keeps its promises to honest and hostile clients, and through kills",
            .timeLimit(.minutes(5)),
            arguments: [
                "dialogue", "pipelining", "full", "disk", "sockets", "stopping", "deadlines", "hostile", "killed",
            ])
        func clients(_ scenario: String) async throws {
            let fixture = try await SpoolFixture(SESXML(servers: ["http://127.0.0.1:9"]))
            let said = try await TestPython.run(
                "endtoend/lmtp_clients.py",
                [
                    try Programs.path("ses-lmtp"), fixture.spool, fixture.scratch.path, scenario,
                    FaultShare.isWhole ? "200" : "25",
                ],
                within: .seconds(240))
            if !said.isEmpty { print("\(scenario): \(said)") }
        }

        @Test("the scenarios are those of the script")
        func scenarios() async throws {
            let listed = try await TestPython.run("endtoend/lmtp_clients.py", ["--list"])
            #expect(
                listed.split(separator: "\n").map(String.init) == [
                    "dialogue", "pipelining", "full", "disk", "sockets", "stopping", "deadlines", "hostile", "killed",
                ])
        }
    }
}
