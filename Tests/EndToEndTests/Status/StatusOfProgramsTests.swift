import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    @Suite("ses status: programs, servers, configurations and certificates")
    struct StatusOfPrograms {
        private let message = "From: a@example.test\nSubject: Hello\n\nbody\n"

        // MARK: - Programs

        @Test("not-running: mail waits and nothing works on it; a daemon that ended is missed without mail too")
        func notRunning() async throws {
            let bench = try await StatusBench()
            #expect(try await bench.report().level == "OK", "nothing has run yet, and nothing waits")
            try await bench.fixture.drop(MailSamples.plain(), to: .outgoing)
            try await bench.shows("not-running", "CRITICAL")
            try await bench.fixture.process()
            try await bench.lifts("not-running")
            // Where programs run from time to time, the next one is waited for.
            try await bench.fixture.drop(MailSamples.plain(), to: .outgoing)
            try await bench.lifts("not-running")
            try await bench.shows("not-running", "CRITICAL", ["--max-idle", "0s"])
            let daemon = try await bench.fixture.watch()
            try await bench.lifts("not-running", ["--max-idle", "0s"])
            try await eventually("it is delivered") {
                try bench.fixture.names(in: "delivered/new").count == 2 ? () : nil
            }
            #expect(try await bench.report().object["processes"] as? [[String: Any]] != nil)
            try await daemon.crash()
            let report = try await bench.shows("not-running", "WARNING")
            #expect(report.texts.contains { $0.contains("no ses is running (the last one ended at ") })
            let next = try await bench.fixture.watch()
            try await bench.lifts("not-running")
            try await next.terminate()
        }

        @Test("a process that took over the number of a dead daemon is not taken for it")
        func numbers() async throws {
            let bench = try await StatusBench()
            let daemon = try await bench.fixture.watch()
            let state = try TestMaterial.octets(bench.spool + "/state/ses-\(daemon.pid).json")
            try await daemon.crash()
            let other = try RunningProgram("/bin/sleep", ["60"])
            let text = String(decoding: state, as: UTF8.self)
            try bench.fixture.place(Array(text.utf8), in: "state", named: "ses-\(other.pid).json")
            let report = try await bench.shows("not-running", "WARNING")
            #expect((report.object["processes"] as? [Any])?.isEmpty == true)
        }

        @Test("no-sign-of-life: a daemon that hangs", .timeLimit(.minutes(2)))
        func hangs() async throws {
            let bench = try await StatusBench()
            let daemon = try await bench.fixture.watch()
            daemon.signal(SIGSTOP)
            try await bench.shows("no-sign-of-life", "CRITICAL", within: .seconds(40))
            daemon.signal(SIGCONT)
            try await bench.lifts("no-sign-of-life")
            try await daemon.terminate()
        }

        @Test("other-version: a state that is not understood, of a process that lives")
        func otherVersion() async throws {
            let bench = try await StatusBench()
            let other = try RunningProgram("/bin/sleep", ["60"])
            try bench.fixture.place(Array("{\"v\":1}".utf8), in: "state", named: "ses-\(other.pid).json")
            try await bench.shows("other-version", "CRITICAL")
            try await other.terminate()
            try await bench.lifts("other-version")
        }

        @Test("machine-fault and journal-unwritable: told by the daemon, and lifted once it is over")
        func machineFault() async throws {
            let bench = try await StatusBench()
            let work = try LastingFault("rename", on: "/publish/", EIO)
            let daemon = try await bench.fixture.watch(environment: try await work.environment(program: "ses"))
            try work.begin()
            try await bench.fixture.drop(MailSamples.plain(), to: .outgoing)
            try await bench.shows("machine-fault", "CRITICAL")
            try work.lift()
            try await bench.lifts("machine-fault", within: .seconds(30))
            try await daemon.terminate()

            let journal = try LastingFault("write", on: "/journal/", EIO)
            let next = try await bench.fixture.watch(environment: try await journal.environment(program: "ses"))
            try journal.begin()
            try await bench.fixture.drop(MailSamples.plain(), to: .outgoing)
            try await bench.shows("journal-unwritable", "WARNING")
            try journal.lift()
            try await bench.lifts("journal-unwritable", within: .seconds(30))
            try await next.terminate()
        }

        @Test("metrics-unwritable", .timeLimit(.minutes(2)))
        func metricsUnwritable() async throws {
            let bench = try await StatusBench()
            let folder = bench.fixture.scratch.file("metrics")
            let daemon = try RunningProgram(
                try Programs.path("ses"),
                ["watch", "--config", bench.fixture.configurationPath, "--metrics-file", folder + "/ses.prom"])
            try await bench.shows("metrics-unwritable", "WARNING")
            #expect(mkdir(folder, 0o755) == 0)
            try SpoolFixture.own(folder)
            try await bench.lifts("metrics-unwritable", within: .seconds(30))
            try await daemon.terminate()
        }

        @Test("foreign-name: a copy without trace fields in delivered/new, until it is gone")
        func foreignName() async throws {
            let bench = try await StatusBench()
            let server = try ScriptedMailServer()
            let relay = try RelayFixture(beside: bench.fixture, RelayFixture.gateway(server.port))
            let daemon = try await relay.start()
            try bench.fixture.place(Array(message.utf8), in: "delivered/new", named: "copy.eml")
            let whole = ["--relay-config", relay.configurationPath]
            let report = try await bench.shows("foreign-name", "WARNING", whole)
            #expect(report.texts.contains { $0.contains("copy.eml") && $0.contains("Return-Path") }, "\(report.texts)")
            try bench.remove("delivered/new/copy.eml")
            try await bench.lifts("foreign-name", whole)
            try await daemon.terminate()
        }

        // MARK: - Servers

        @Test(
            "server-silent: seen by a connection too, and lifted within seconds of its return", .timeLimit(.minutes(3)))
        func serverSilent() async throws {
            let server = try await DSSFixture()
            let bench = try await StatusBench {
                $0 = SESXML(servers: [server.address]); $0.outgoing = SESXML.sign(alias: Samples.aliceKey)
            }
            let daemon = try await bench.fixture.watch()
            #expect(try await bench.report().level == "OK")
            try await server.crash()
            try await bench.shows("server-silent", "CRITICAL")
            for _ in 0..<4 { try await bench.fixture.drop(MailSamples.plain(), to: .outgoing) }
            try await eventually("the daemon has noticed") {
                try await bench.report().texts.contains {
                    $0.contains("not answering since") && $0.contains("next try")
                } ? () : nil
            }
            let back = try await DSSFixture(port: server.port)
            let begin = ContinuousClock.now
            try await bench.lifts("server-silent")
            #expect(ContinuousClock.now - begin < .seconds(8))
            try await daemon.terminate()
            try await back.stop()
        }

        @Test("server-silent is a warning while the secondary answers")
        func secondary() async throws {
            let dead = try DSSFixture.deadPort()
            let good = try await DSSFixture.shared.address
            let bench = try await StatusBench {
                $0 = SESXML(servers: ["http://127.0.0.1:\(dead)", good]);
                $0.outgoing = SESXML.sign(alias: Samples.aliceKey)
            }
            try await bench.shows("server-silent", "WARNING")
            let daemon = try await bench.fixture.watch()
            try await bench.fixture.drop(MailSamples.plain(), to: .outgoing)
            _ = try await bench.fixture.arrived(in: "delivered")
            try await daemon.terminate()
        }

        @Test("server-refuses: an answer that points at our configuration, until a call succeeds")
        func serverRefuses() async throws {
            let good = try await DSSFixture.shared.address
            let bench = try await StatusBench { $0.signing = [good + "/nowhere"] }
            let daemon = try await bench.fixture.watch()
            try await bench.fixture.drop(MailSamples.plain(), to: .outgoing)
            try await bench.shows("server-refuses", "CRITICAL")
            var right = SESXML(servers: [good])
            right.outgoing = SESXML.sign(alias: Samples.aliceKey)
            try bench.fixture.configure(right)
            daemon.signal(SIGHUP)
            try await bench.lifts("server-refuses")
            try await daemon.terminate()
        }

        @Test(
            "next-hop-silent: until the mail server is back, and not for one that a reload has replaced",
            .timeLimit(.minutes(3)))
        func nextHop() async throws {
            let bench = try await StatusBench()
            let dead = try DSSFixture.deadPort()
            let relay = try RelayFixture(beside: bench.fixture, RelayFixture.gateway(dead))
            let daemon = try await relay.start()
            let whole = ["--relay-config", relay.configurationPath]
            try relay.put(message, to: ["b@x.test"])
            let report = try await bench.shows("next-hop-silent", "CRITICAL", whole)
            #expect(
                report.texts.contains { $0.contains("127.0.0.1:\(dead) is not answering since") }, "\(report.texts)")
            let server = try ScriptedMailServer()
            try relay.configure(RelayFixture.gateway(server.port))
            daemon.signal(SIGHUP)
            try await bench.lifts("next-hop-silent", whole)

            let other = try DSSFixture.deadPort()
            try relay.configure(RelayFixture.gateway(other))
            daemon.signal(SIGHUP)
            _ = try await daemon.line(containing: "configuration re-read")
            try relay.put(message, to: ["c@x.test"])
            try await bench.shows("next-hop-silent", "CRITICAL", whole)
            let returned = try ScriptedMailServer(at: LoopbackPlace(port: other))
            let begin = ContinuousClock.now
            try await bench.lifts("next-hop-silent", whole)
            #expect(ContinuousClock.now - begin < .seconds(8), "no delivery is due so soon")
            _ = returned
            try await daemon.terminate()
        }

        @Test("lmtp-silent: a socket that nobody listens on any more")
        func lmtpSilent() async throws {
            let bench = try await StatusBench()
            let folder = bench.fixture.scratch.file("lmtp")
            #expect(mkdir(folder, 0o755) == 0)
            try SpoolFixture.own(folder)
            func start() async throws -> RunningProgram {
                let program = try RunningProgram(
                    try Programs.path("ses-lmtp"),
                    ["--folder", "outgoing", "--socket", folder + "/outgoing", "--spool", bench.spool])
                _ = try await program.line(containing: "listening")
                return program
            }
            let first = try await start()
            try await bench.lifts("lmtp-silent")
            try await first.crash()
            try await bench.shows("lmtp-silent", "CRITICAL")
            let next = try await start()
            try await bench.lifts("lmtp-silent")
            try await next.terminate()
        }

        // MARK: - Configurations and certificates

        @Test("configuration-differs and configuration-unusable: with the running state shown all the same")
        func configuration() async throws {
            let bench = try await StatusBench()
            let daemon = try await bench.fixture.watch()
            let good = try TestMaterial.octets(bench.fixture.configurationPath)
            let text = String(decoding: good, as: UTF8.self)
            try bench.fixture.configure(text + "<!-- another -->\n")
            try await bench.shows("configuration-differs", "WARNING")
            daemon.signal(SIGHUP)
            try await bench.lifts("configuration-differs")
            try bench.fixture.configure(text.replacing("<Outgoing>", with: "<Outgoung>"))
            daemon.signal(SIGHUP)
            let report = try await bench.shows("configuration-unusable", "WARNING")
            #expect((report.object["processes"] as? [[String: Any]])?.count == 1)
            #expect((report.object["folders"] as? [String: Any])?["outgoing"] != nil)
            // What is loaded is on disk again: nothing is wrong, although the daemon has refused a file meanwhile.
            try bench.fixture.configure(text + "<!-- another -->\n")
            try await bench.lifts("configuration-unusable")
            try await bench.lifts("configuration-differs")
            try await daemon.terminate()
            try bench.fixture.configure("<SES>")
            try await bench.shows("configuration-unusable", "CRITICAL")
        }

        @Test("certificate-expires, certificate-expired and certificate-unreadable, of a trust store")
        func certificates() async throws {
            var bench = try await StatusBench()
            let store = bench.fixture.scratch.file("anchors.pem")
            func make(days: Int) async throws {
                let made = try await RunningProgram.run(
                    "/usr/bin/openssl",
                    [
                        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "/dev/null", "-out", store, "-days",
                        "\(days)", "-subj", "/CN=Anchor",
                    ])
                guard made.status == 0 else { throw HarnessError("openssl: \(made)") }
            }
            var configuration = SESXML(servers: [try await DSSFixture.shared.address])
            configuration.outgoing = SESXML.sign(alias: Samples.aliceKey)
            configuration.processing = "<TrustStore>\(store)</TrustStore>"
            try await make(days: 20)
            try bench.fixture.configure(configuration)
            let report = try await bench.shows("certificate-expires", "WARNING")
            #expect(
                report.texts.contains { $0.contains("CN=Anchor") && $0.contains(/in (19|20) days/) }, "\(report.texts)")
            let clock = try ShiftedClock()
            bench.environment = try await clock.environment(program: "ses")
            try clock.shift(by: 18 * 86_400)
            try await bench.shows("certificate-expires", "CRITICAL")
            try clock.shift(by: 21 * 86_400)
            try await bench.shows("certificate-expired", "CRITICAL")
            try clock.shift(by: 0)
            try await make(days: 365)
            try await bench.lifts("certificate-expires")
            try await bench.lifts("certificate-expired")
            try FileManager.default.removeItem(atPath: store)
            try bench.fixture.scratch.write(Array("no certificate".utf8), to: "anchors.pem")
            try await bench.shows("certificate-unreadable", "WARNING")
            try FileManager.default.removeItem(atPath: store)
            try await make(days: 365)
            try await bench.lifts("certificate-unreadable")
        }
    }
}
