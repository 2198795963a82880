import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Metrics and logs of the programs")
    struct MetricsAndLogs {
        private static let hasPromtool = access("/usr/bin/promtool", X_OK) == 0

        private func metrics(_ program: RunningProgram) async throws -> String {
            let line = try await program.line(containing: "/metrics")
            let url = try #require(line.firstMatch(of: /http:\/\/127\.0\.0\.1:\d+\/metrics/)).0
            return try await RunningProgram.run("/usr/bin/curl", ["-s", String(url)]).output
        }

        @Test("every metric of the rules and the dashboard is one that a program has; promtool accepts each program's")
        func names() async throws {
            let bench = try await StatusBench()
            let server = try ScriptedMailServer()
            let relay = try RelayFixture(beside: bench.fixture, RelayFixture.gateway(server.port))
            let listen = ["--metrics-listen", "127.0.0.1:0"]
            let programs = [
                try RunningProgram(
                    try Programs.path("ses"), ["watch", "--config", bench.fixture.configurationPath] + listen),
                try RunningProgram(
                    try Programs.path("ses-relay"), ["run", "--config", relay.configurationPath] + listen),
                try RunningProgram(
                    try Programs.path("ses-dss"),
                    ["run", "--config", try await DSSFixture.demo.configuration, "--port", "0"] + listen),
            ]
            try await bench.fixture.drop(MailSamples.plain(), to: .outgoing)
            try await eventually("it is relayed") { server.mails.count == 1 ? () : nil }
            var known: Set<String> = []
            for program in programs {
                let text = try await metrics(program)
                known.formUnion(text.matches(of: #/^# TYPE (\w+) /#.anchorsMatchLineEndings()).map { String($0.1) })
                if Self.hasPromtool {
                    let checked = try await RunningProgram.run(
                        "/usr/bin/promtool", ["check", "metrics"], input: Array(text.utf8))
                    #expect(checked.status == 0, "\(checked)")
                }
                try await program.terminate()
            }
            let texts = try ["ses.rules.yml", "grafana.json"].map {
                String(
                    decoding: try TestMaterial.octets(TestMaterial.project + "/conf/monitoring/" + $0), as: UTF8.self)
            }
            for match in texts.joined().matches(of: /\bses_[a-z_]+/) {
                let name = String(match.0).replacing(/_bucket$/, with: "")
                #expect(known.contains(name), "no program has \(name)")
            }
            #expect(known.count > 30)
        }

        @Test("what was counted is what happened")
        func counts() async throws {
            let bench = try await StatusBench()
            let file = bench.fixture.scratch.file("ses.prom")
            try await bench.fixture.drop(MailSamples.plain(), to: .outgoing)
            let run = try await bench.fixture.ses([
                "process", "--config", bench.fixture.configurationPath, "--metrics-file", file,
            ])
            #expect(run.status == 0)
            let text = String(decoding: try TestMaterial.octets(file), as: UTF8.self)
            #expect(text.contains(/ses_messages_total\{direction="outgoing",[^}]*outcome="signed",verdict=""\} 1\n/))
            #expect(text.contains("ses_message_duration_seconds_count{direction=\"outgoing\"} 1\n"))
            #expect(
                text.contains("ses_server_request_duration_seconds_count{service=\"signing\",result=\"answered\"} 1\n"))
            let report = try await bench.report()
            #expect((report.object["today"] as? [String: Int])?["signed"] == 1)
        }

        @Test("each form of the log can be forced; start, end and mail are told in it, with the version")
        func forms() async throws {
            let bench = try await StatusBench()
            for (form, pattern) in [
                ("json", #"^\{"t":"[0-9T:.-]+Z","level":"notice","program":"ses","message":"started","#),
                ("text", #"^\d\d:\d\d:\d\d \S+ -        started      "#), ("journal", "^<5>started "),
            ] {
                let daemon = try RunningProgram(
                    try Programs.path("ses"),
                    ["watch", "--config", bench.fixture.configurationPath, "--log-format", form])
                let line = try await daemon.line(containing: "started")
                #expect(try line.contains(Regex(pattern)) && line.contains("version"), "\(line)")
                try await bench.fixture.drop(MailSamples.plain(), to: .outgoing)
                let signed = try await daemon.line(containing: "duration")
                for fact in ["from", "to", "size", "duration", "workflow"] {
                    #expect(signed.contains(fact), "\(signed)")
                }
                try await daemon.terminate()
                #expect(daemon.text(.error).contains("stopped"))
            }
        }

        @Test("mail that is kept from its recipients is a warning")
        func kept() async throws {
            let bench = try await StatusBench {
                $0.outgoing = ""; $0.signingNoFilterAction = "BLOCK_EMAIL"
            }
            try await bench.fixture.drop(MailSamples.plain(), to: .outgoing)
            let run = try await bench.fixture.ses(
                ["process", "--config", bench.fixture.configurationPath, "--log-format", "journal"])
            #expect(run.error.contains("<4>blocked entry="), "\(run)")
        }

        @Test("neither content nor subject nor password is ever logged, in any form and whatever fails")
        func secrets() async throws {
            let secrets = ["Geheimnis-77", "hunter2-pass", "Betreff-4711"]
            let dead = try DSSFixture.deadPort()
            let bench = try await StatusBench { $0.signing = ["http://127.0.0.1:\(dead)/adss/signing/dss"] }
            let text = String(decoding: try TestMaterial.octets(bench.fixture.configurationPath), as: UTF8.self)
            try bench.fixture.configure(
                text.replacing(
                    "<SigningServiceSettings>",
                    with:
                        "<ProxySettings status=\"enable\"><ProxyHost>127.0.0.1</ProxyHost><ProxyPort>\(dead)</ProxyPort>"
                        + "<Credentials status=\"enable\"><ProxyUserName>u</ProxyUserName>"
                        + "<ProxyPassword>\(secrets[1])</ProxyPassword>"
                        + "<AuthenticationScheme>BASIC</AuthenticationScheme></Credentials></ProxySettings>"
                        + "<SigningServiceSettings>", maxReplacements: 1))
            let mail =
                "From: alice@example.test\r\nTo: bob@example.test\r\nSubject: \(secrets[2])\r\n\r\n\(secrets[0])\r\n"
            let refusing = try ScriptedMailServer { $0 == .ehlo ? .say("500 5.5.1 no") : nil }
            let relay = try RelayFixture(
                beside: bench.fixture,
                "<gateway>127.0.0.1</gateway><gatewayPort>\(refusing.port)</gatewayPort><TLS level=\"off\"/>"
                    + "<gatewayusername>u</gatewayusername><gatewayPassword clear=\"true\">\(secrets[1])</gatewayPassword>"
            )
            try relay.put(mail, to: ["b@x.test"])
            for form in ["text", "json", "journal"] {
                try await bench.fixture.drop(Array(mail.utf8), to: .outgoing)
                let run = try await bench.fixture.ses(
                    ["process", "--config", bench.fixture.configurationPath, "--log-format", form])
                let sent = try await relay.run(["once", "--log-format", form])
                #expect(run.error.contains("deferred"), "\(run)")
                let status = try await bench.report()
                for secret in secrets {
                    #expect(!run.error.contains(secret) && !sent.error.contains(secret), "\(secret): \(run) \(sent)")
                    #expect(!"\(status.object)".contains(secret))
                }
            }
        }
    }
}
