import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

extension EndToEnd {
    @Suite("ses-relay")
    struct RelayProgram {
        private let message = "From: a@example.test\nBcc: hidden@x.test\nSubject: Hello\n\n.dotted\nbody\n"

        @Test("once hands over waiting mail: CRLF, dots kept, no Bcc, one Received")
        func once() async throws {
            let server = try await RecordingMailServer()
            let fixture = try await RelayFixture(RelayFixture.gateway(server.port))
            try fixture.put(message, to: ["b@x.test", "hidden@x.test"])
            let finished = try await fixture.once()
            #expect(finished.status == 0, "\(finished)")
            let mail = try #require(try server.mails().first)
            #expect(mail.sender == "a@example.test" && mail.recipients == ["b@x.test", "hidden@x.test"])
            let lines = mail.text.components(separatedBy: "\r\n")
            #expect(lines.first?.hasPrefix("Received: by ") == true)
            #expect(mail.text.hasSuffix("\r\nFrom: a@example.test\r\nSubject: Hello\r\n\r\n.dotted\r\nbody\r\n"))
            #expect(!mail.text.contains("Bcc") && !mail.text.contains("X-SES") && !mail.text.contains("Return-Path"))
            #expect(try fixture.counts().isEmpty)
            #expect(try fixture.journal().contains { $0.contains("\"ev\":\"sent\"") })
        }

        @Test("once exits with 75 and says why if it leaves mail that was due; mail that is not due yet does not count")
        func leaves() async throws {
            let server = try ScriptedMailServer()
            let fixture = try await RelayFixture(RelayFixture.gateway(server.port))
            try fixture.put(message, to: ["b@x.test"])
            for (path, number) in [("/relay/publish", EACCES), ("/delivered/new", EPERM), ("/relay/work", EUCLEAN)] {
                let fault = try LastingFault("rename", on: path, number)
                try fault.begin()
                let finished = try await fixture.once(environment: try await fault.environment(program: "ses-relay"))
                // The probe at the start may see it first, and calls missing rights a fault of the configuration.
                #expect(
                    [74, 75, 78].contains(finished.status) && finished.error.contains(String(cString: strerror(number)))
                )
            }
            #expect(server.mails.isEmpty)
            let name = try #require(try fixture.names(in: "delivered/new").first)
            #expect(chmod(fixture.spool + "/delivered/new/" + name, 0) == 0)
            let finished = try await fixture.once()
            #expect(finished.status == 75 && finished.error.contains("not readable"), "\(finished)")
            #expect(chmod(fixture.spool + "/delivered/new/" + name, 0o640) == 0)
            #expect(try await fixture.once().status == 0)
            #expect(server.mails.count == 1)
            let deferring = try ScriptedMailServer { $0 == .rcpt("b") ? .say("451 4.2.1 later") : nil }
            try fixture.configure(
                "<gateway>127.0.0.1</gateway><gatewayPort>\(deferring.port)</gatewayPort><TLS level=\"off\"/>")
            try fixture.put(message, to: ["b@x.test"])
            #expect(try await fixture.once().status == 0)
            #expect(try fixture.counts() == ["relay/deferred": 1])
        }

        @Test("status itself finds what a process cannot report: mail that is never taken, and a process that hangs")
        func statusByFacts() async throws {
            let server = try ScriptedMailServer()
            let fixture = try await RelayFixture(RelayFixture.gateway(server.port))
            #expect(try await fixture.status().isHealthy)
            try fixture.put(message, to: ["b@x.test"])
            var status = try await eventually("nobody takes it") {
                let status = try await fixture.status(["--max-age", "1s"])
                return status.isHealthy ? nil : status
            }
            #expect(status.reasons.contains { $0.contains("no ses-relay is running, and 1 message waits for it") })
            #expect(status.reasons.contains { $0.contains("delivered holds 1 that should have been taken") })
            let daemon = try await fixture.start()
            try await eventually("it was taken") { server.mails.count == 1 ? () : nil }
            try await eventually("healthy") { try await fixture.status().isHealthy ? () : nil }
            daemon.signal(SIGSTOP)
            try await eventually("its silence is seen", within: .seconds(40)) {
                status = try await fixture.status()
                return status.reasons.contains { $0.contains("has not said for") } ? () : nil
            }
            daemon.signal(SIGCONT)
            try await eventually("healthy again") { try await fixture.status().isHealthy ? () : nil }
            try await daemon.terminate()
        }

        @Test("run takes arriving mail at once, and ends in order; connections are reused")
        func run() async throws {
            let server = try ScriptedMailServer()
            let fixture = try await RelayFixture(RelayFixture.gateway(server.port))
            let daemon = try await fixture.start()
            for number in 0..<20 {
                try fixture.put(message, to: ["n\(number)@x.test"])
                try await eventually("message \(number) was taken") { server.mails.count > number ? () : nil }
            }
            #expect(server.connections <= 2)
            let ended = try await daemon.terminate()
            #expect(ended.status == 0, "\(ended)")
            #expect(try fixture.counts().isEmpty)
            #expect(try fixture.names(in: "relay").allSatisfy { !$0.hasSuffix(".json") })
        }

        @Test("a deferred message is found again by the next process, and is sent when it is due")
        func restart() async throws {
            let dead = try DSSFixture.deadPort()
            let fixture = try await RelayFixture(RelayFixture.gateway(dead))
            try fixture.put(message, to: ["b@x.test"])
            #expect(try await fixture.once().status == 0)
            #expect(try fixture.counts() == ["relay/deferred": 1])
            // A dead gateway is left alone for half a minute, which a name can shorten.
            let name = try #require(try fixture.names(in: "relay/deferred").first)
            let due = try #require(SpoolFile.part("D", of: name))
            let folder = fixture.spool + "/relay/deferred/"
            try FileManager.default.moveItem(
                atPath: folder + name, toPath: folder + name.replacingOccurrences(of: "D=" + due, with: "D=0"))
            let server = try ScriptedMailServer()
            try fixture.configure(RelayFixture.gateway(server.port))
            let daemon = try await fixture.start()
            try await eventually("it was taken") { server.mails.count == 1 ? () : nil }
            try await daemon.terminate()
            #expect(try fixture.counts().isEmpty)
        }

        @Test("SIGHUP re-reads: a good file is used, a bad one leaves the old in force")
        func reload() async throws {
            let first = try ScriptedMailServer()
            let second = try ScriptedMailServer()
            let fixture = try await RelayFixture(RelayFixture.gateway(first.port))
            let daemon = try await fixture.start()
            try fixture.configure("<gateway>a b</gateway>")
            daemon.signal(SIGHUP)
            _ = try await daemon.line(containing: "configuration not taken")
            try fixture.put(message, to: ["b@x.test"])
            try await eventually("the first has it") { first.mails.count == 1 ? () : nil }
            try fixture.configure(RelayFixture.gateway(second.port))
            daemon.signal(SIGHUP)
            _ = try await daemon.line(containing: "configuration re-read")
            try fixture.put(message, to: ["c@x.test"])
            try await eventually("the second has it") { second.mails.count == 1 ? () : nil }
            #expect(try await daemon.terminate().status == 0)
        }

        @Test("a recipient who is refused while others get the message is sent to later, and is not a possible repeat")
        func refusedBeside() async throws {
            let refusals = Mutex(0)
            let server = try ScriptedMailServer { step in
                guard step == .rcpt("later") else { return nil }
                let isFirst = refusals.withLock { count in
                    count += 1
                    return count == 1
                }
                return isFirst ? .say("450 4.2.1 later") : nil
            }
            let fixture = try await RelayFixture(RelayFixture.gateway(server.port))
            try fixture.put(message, to: ["ok@x.test", "later@x.test"])
            try await fixture.toEnd()
            #expect(server.mails.map(\.recipients) == [["ok"], ["later"]])
            #expect(try fixture.possibleRepeats().isEmpty)
        }

        @Test("SIGHUP changes the number of deliveries at a time, up and down", .timeLimit(.minutes(2)))
        func width() async throws {
            let gate = Gate()
            let server = try ScriptedMailServer { step in
                if step == .content { gate.pass() }
                return nil
            }
            func body(_ threads: Int) -> String {
                RelayFixture.gateway(server.port) + "<MaxConnections>100</MaxConnections>"
                    + "<deliveryThreads>\(threads)</deliveryThreads>"
            }
            let fixture = try await RelayFixture(body(2))
            let daemon = try await fixture.start()
            func reread(_ threads: Int, _ times: Int) async throws {
                try fixture.configure(body(threads))
                daemon.signal(SIGHUP)
                try await eventually("the configuration is re-read") {
                    daemon.text(.error).components(separatedBy: "configuration re-read").count > times ? () : nil
                }
            }
            for number in 0..<80 { try fixture.put(message, from: "", to: ["n\(number)@x.test"]) }
            try await eventually("two are under way") { gate.inside == 2 ? () : nil }
            try await reread(60, 1)
            // More than there were threads for at the start.
            try await eventually("sixty are under way", within: .seconds(30)) { gate.inside == 60 ? () : nil }
            #expect(gate.most == 60)
            try await reread(3, 2)
            gate.forget()
            gate.open(60)
            try await eventually("the sixty are through and three under way", within: .seconds(30)) {
                server.mails.count == 60 && gate.inside == 3 ? () : nil
            }
            gate.open(20)
            try await eventually("all have gone", within: .seconds(30)) { server.mails.count == 80 ? () : nil }
            #expect(gate.most == 3)
            #expect(try await daemon.terminate().status == 0)
            #expect(try fixture.counts().isEmpty)
        }

        @Test("status counts waiting mail and is unhealthy with a route that is not answering or a file in failed")
        func status() async throws {
            let dead = try DSSFixture.deadPort()
            let fixture = try await RelayFixture(RelayFixture.gateway(dead))
            let idle = try await fixture.run(["status", "--json"])
            #expect(idle.status == 0, "\(idle)")
            let daemon = try await fixture.start()
            try fixture.put(message, to: ["b@x.test"])
            let report = try await eventually("the route is not answering") { () -> String? in
                let run = try await fixture.run(["status", "--json"])
                return run.status == 2 && run.output.contains("is not answering") ? run.output : nil
            }
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(report.utf8)) as? [String: Any])
            #expect(object["v"] as? Int == 2 && object["status"] as? String == "CRITICAL")
            let folders = try #require(object["folders"] as? [String: [String: Any]])
            #expect(folders["deferred"]?["count"] as? Int == 1)
            #expect((object["processes"] as? [[String: Any]])?.count == 1)
            try await daemon.terminate()
        }

        @Test("check reports all faults with their lines, exit 78")
        func check() async throws {
            let fixture = try await RelayFixture("<gateway>a b</gateway>\n<gatewayPort>x</gatewayPort>")
            let bad = try await fixture.run(["check"])
            #expect(bad.status == 78)
            #expect(bad.output.contains("relay.xml:2: ") && bad.output.contains("relay.xml:3: "))
            try fixture.configure(RelayFixture.gateway(25))
            #expect(try await fixture.run(["check", "--json"]).status == 0)
            #expect(try await fixture.run(["once"]).status == 0)
        }

        @Test("a faulty configuration or a missing spool ends it with 78")
        func refusals() async throws {
            let fixture = try await RelayFixture("<Nonsense/>")
            #expect(try await fixture.once().status == 78)
            try fixture.configure(RelayFixture.gateway(25))
            let absent = try await RunningProgram.run(
                try Programs.path("ses-relay"),
                ["once", "--config", fixture.configurationPath, "--spool", fixture.scratch.file("absent")])
            #expect(absent.status == 78 && absent.error.contains("absent"))
        }

        @Test("root is refused without --allow-root", .enabled(if: geteuid() == 0, "needs root"))
        func root() async throws {
            let fixture = try await RelayFixture(RelayFixture.gateway(25))
            let arguments = ["once", "--config", fixture.configurationPath]
            let program = try Programs.path("ses-relay")
            let refused = try await RunningProgram.run(program, arguments, asRoot: true)
            #expect(refused.status == 77 && refused.error.contains("--allow-root"))
            #expect(try await RunningProgram.run(program, arguments + ["--allow-root"], asRoot: true).status == 0)
        }

        @Test("sendmail gets the envelope by arguments and the message, and its exit code counts")
        func sendmail() async throws {
            let fixture = try await RelayFixture("")
            let script = """
                #!/bin/sh
                { printf '<%s>' "$@"; echo; cat; } >> \(fixture.scratch.path)/got.$$
                case "$*" in *nouser*) exit 67;; *later*) exit 75;; esac
                exit 0
                """
            let path = try fixture.scratch.write(Array(script.utf8), to: "sendmail")
            #expect(chmod(path, 0o755) == 0)
            try fixture.configure("<Sendmail path=\"\(path)\"/><delayTime>1 hour</delayTime>")
            try fixture.put(message, to: ["b@x.test", "-oops@x.test"])
            try fixture.put(message, from: "", to: ["nouser@x.test"])
            try fixture.put(message, from: "", to: ["later@x.test"])
            #expect(try await fixture.once().status == 0)
            #expect(try fixture.counts() == ["failed": 1, "relay/deferred": 1])
            let got = try FileManager.default.contentsOfDirectory(atPath: fixture.scratch.path)
                .filter { $0.hasPrefix("got.") }
                .map { String(decoding: try TestMaterial.octets(fixture.scratch.file($0)), as: UTF8.self) }
            #expect(got.count == 3)
            let first = try #require(got.first { $0.contains("b@x.test") })
            #expect(first.hasPrefix("<-G><-i><-f><a@example.test><--><b@x.test><-oops@x.test>\nReceived: by "))
            #expect(first.hasSuffix("\nSubject: Hello\n\n.dotted\nbody\n") && !first.contains("\r"))
            #expect(got.contains { $0.hasPrefix("<-G><-i><-f><<>><--><nouser@x.test>\n") })
        }

        @Test("a server that says nothing holds up no other route", .timeLimit(.minutes(2)))
        func silentRoute() async throws {
            let silent = try SilentServer()
            let server = try ScriptedMailServer()
            let fixture = try await RelayFixture(
                """
                <Route name="silent" toDomain="silent.test"><gateway>127.0.0.1</gateway>
                  <gatewayPort>\(silent.port)</gatewayPort><TLS level="off"/><Timeout connect="60" reply="60"/></Route>
                """ + RelayFixture.gateway(server.port))
            for number in 0..<120 {
                try fixture.put(message, from: "", to: ["n\(number)@silent.test"])
                try fixture.put(message, from: "", to: ["n\(number)@x.test"])
            }
            let daemon = try await fixture.start()
            try await eventually("all of the other route have it", within: .seconds(60)) {
                server.mails.count == 120 ? () : nil
            }
            try await eventually("what is done is put away", within: .seconds(60)) {
                try fixture.counts().values.reduce(0, +) == 120 ? () : nil
            }
            try await daemon.crash()
        }

        @Test("once continues until all have had their turn, also if a server takes one at a time")
        func turns() async throws {
            let server = try ScriptedMailServer()
            let narrow = try ScriptedMailServer()
            let fixture = try await RelayFixture(
                """
                <Route name="narrow" toDomain="narrow.test"><gateway>127.0.0.1</gateway>
                  <gatewayPort>\(narrow.port)</gatewayPort><TLS level="off"/><MaxConnections>1</MaxConnections></Route>
                """ + RelayFixture.gateway(server.port))
            for number in 0..<300 {
                try fixture.put(message, from: "", to: ["n\(number)@narrow.test", "n\(number)@x.test"])
            }
            let finished = try await fixture.once()
            #expect(finished.status == 0)
            #expect(narrow.mails.count == 300 && server.mails.count == 300)
            #expect(narrow.connections <= 2)
            #expect(try fixture.counts().isEmpty)
        }

        @Test("metrics are written for the node exporter")
        func metrics() async throws {
            let server = try ScriptedMailServer()
            let fixture = try await RelayFixture("")
            let path = fixture.scratch.file("ses-relay.prom")
            try fixture.configure(RelayFixture.gateway(server.port) + "<MetricsFile>\(path)</MetricsFile>")
            try fixture.put(message, to: ["b@x.test", "c@x.test"])
            #expect(try await fixture.once().status == 0)
            let text = String(decoding: try TestMaterial.octets(path), as: UTF8.self)
            #expect(text.contains("\nses_relay_sent_recipients_total 2\n"))
            #expect(text.contains("# TYPE ses_relay_possible_repeats_total counter\n"))
        }
    }
}

/// Holds back those who come to it, until they are let out.
private final class Gate: Sendable {
    private let state = Mutex((inside: 0, most: 0))
    private let leave = DispatchSemaphore(value: 0)

    var inside: Int { state.withLock { $0.inside } }
    /// The most that were inside when one came.
    var most: Int { state.withLock { $0.most } }

    /// Counts ``most`` anew.
    func forget() { state.withLock { $0.most = 0 } }

    func pass() {
        state.withLock { state in
            state.inside += 1
            state.most = max(state.most, state.inside)
        }
        leave.wait()
        state.withLock { $0.inside -= 1 }
    }

    /// Lets out so many, those who come later among them.
    func open(_ count: Int) {
        for _ in 0..<count { leave.signal() }
    }
}
