import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    @Suite("A sender's notification request (RFC 3461), from ses drop to the next server")
    struct Notifications {
        private let message = "From: a@example.test\nSubject: Hello\nMessage-ID: <m@example.test>\n\nbody\n"
        private let wishes = ["X-SES-Notify: SUCCESS,FAILURE", "X-SES-Return: HDRS", "X-SES-Envelope-Id: id+20one"]

        private func gateway() async throws -> SpoolFixture {
            var configuration = SESXML(servers: [try await DSSFixture.shared.address])
            configuration.outgoing = SESXML.sign(alias: Samples.aliceKey)
            return try await SpoolFixture(configuration)
        }

        private func wishes(of file: SpoolFile) -> [String?] {
            ["X-SES-Notify", "X-SES-Return", "X-SES-Envelope-Id"].map { file.envelopeField($0) }
        }

        @Test("drop takes it as sendmail does, and a message without one has nothing of it")
        func drop() async throws {
            for (options, kept) in [
                (["-N", "success,FAILURE", "-R", "hdrs", "-V", "-id+2B1"], ["SUCCESS,FAILURE", "HDRS", "-id+2B1"]),
                (["-Nnever", "-Rfull", "-Vid"], ["NEVER", "FULL", "id"]),
                // A mail server's macro for what it does not have.
                (["-N", "", "-R", "", "-V", ""], [nil, nil, nil]),
                ([], [nil, nil, nil]),
            ] as [([String], [String?])] {
                let fixture = try await gateway()
                try await fixture.drop(MailSamples.plain(), to: .outgoing, options: options)
                #expect(wishes(of: try fixture.onlyFile(in: "outgoing")) == kept, "\(options)")
            }
        }

        @Test(
            "drop exits with 64 for an invalid request, with the expected form, and takes nothing",
            arguments: [
                ("-N", "always"), ("-N", "never,success"), ("-N", "success, failure"), ("-N", "never\nBcc: x@y.test"),
                ("-R", "headers"), ("-R", "full\r\nX-SES-End: 1"), ("-V", "a b"), ("-V", "a=b"), ("-V", "+0A"),
                ("-V", "a\nX-SES-Outcome: released"), ("-V", String(repeating: "x", count: 101)),
            ])
        func refused(_ option: String, _ value: String) async throws {
            let fixture = try await gateway()
            let run = try await fixture.ses(
                [
                    "drop", "--spool", fixture.spool, "--to", "outgoing", option, value, "-f", "a@example.test", "--",
                    "b@x.test",
                ], input: MailSamples.plain())
            #expect(run.status == 64, "\(run)")
            #expect(run.error.contains("\(option) ") && run.error.contains("expected "), "\(run)")
            #expect(try fixture.counts().isEmpty)
        }

        @Test("it stays with the message when it is signed, and when it had to wait for the server")
        func signed() async throws {
            let fixture = try await gateway()
            var configuration = SESXML(servers: ["http://127.0.0.1:\(try DSSFixture.deadPort())"])
            configuration.outgoing = SESXML.sign(alias: Samples.aliceKey)
            try fixture.configure(configuration)
            try await fixture.drop(
                MailSamples.plain(), to: .outgoing, options: ["-N", "delay", "-R", "full", "-V", "one"])
            try await fixture.process()
            #expect(try fixture.counts() == ["retry/new": 1])
            let waiting = try #require(try fixture.names(in: "retry/new").first)
            let due = try #require(SpoolFile.part("D", of: waiting))
            let folder = fixture.spool + "/retry/new/"
            try FileManager.default.moveItem(
                atPath: folder + waiting, toPath: folder + waiting.replacingOccurrences(of: "D=" + due, with: "D=0"))
            configuration = SESXML(servers: [try await DSSFixture.shared.address])
            configuration.outgoing = SESXML.sign(alias: Samples.aliceKey)
            try fixture.configure(configuration)
            try await fixture.process()
            let file = try fixture.onlyFile(in: "delivered")
            #expect(file.envelopeField("X-SES-Outcome") == "signed")
            #expect(wishes(of: file) == ["DELAY", "FULL", "one"])
            // It is the envelope's, and no part of the message.
            #expect(!file.text.contains("X-SES-Notify") && !file.text.contains("X-SES-Return"))
        }

        @Test("notices ask for none, and a message's own claims are not believed")
        func notices() async throws {
            let fixture = try await gateway()
            let forged = ["X-SES-Notify: SUCCESS", "X-SES-Envelope-Id: forged", "X-SES-Return: HDRS"]
            // No recipients are named: the administrator is told.
            try fixture.place(
                MailSamples.plain(to: "undisclosed-recipients:;", fields: forged), in: "outgoing", named: "letter.eml")
            try await fixture.drop(MailSamples.plain(fields: forged), to: .outgoing)
            let daemon = try await fixture.watch()
            let notice = try #require(try await fixture.arrived(in: "admin").first)
            #expect(wishes(of: notice) == ["NEVER", nil, nil])
            let signed = try #require(try await fixture.arrived(in: "delivered").first)
            #expect(wishes(of: signed) == [nil, nil, nil])
            #expect(!signed.text.contains("forged"))
            try await daemon.terminate()
        }

        @Test("the relay passes it to a server that offers DSN, and nothing of it to another or without a request")
        func said() async throws {
            for capabilities in [ScriptedMailServer.capabilities, ["SIZE 1000000", "8BITMIME", "PIPELINING"]] {
                let server = try ScriptedMailServer(capabilities: capabilities)
                let fixture = try await RelayFixture(RelayFixture.gateway(server.port))
                try fixture.put(message, to: ["b@x.test", "c@x.test"], fields: wishes)
                try await fixture.once()
                let said = server.lines.filter { $0.hasPrefix("MAIL") || $0.hasPrefix("RCPT") }
                if capabilities.contains("DSN") {
                    #expect(said.first?.hasSuffix(" RET=HDRS ENVID=id+20one") == true, "\(said)")
                    #expect(
                        said.dropFirst() == [
                            "RCPT TO:<b@x.test> NOTIFY=SUCCESS,FAILURE", "RCPT TO:<c@x.test> NOTIFY=SUCCESS,FAILURE",
                        ])
                    #expect(server.mails.count == 1)
                } else {
                    let bare = said.allSatisfy { line in
                        !["NOTIFY", "RET=", "ENVID", "ORCPT"].contains { line.contains($0) }
                    }
                    #expect(bare, "\(said)")
                    // This server will not tell of success, so the relay does.
                    try await fixture.once()
                    let report = try #require(server.mails.last { $0.recipients == ["a"] })
                    #expect(report.mailLine.hasPrefix("MAIL FROM:<>"))
                    #expect(report.text.components(separatedBy: "Action: relayed\r\n").count == 3)
                    #expect(report.text.contains("Original-Envelope-Id: id one\r\n"))
                    #expect(server.mails.count == 2)
                }
                try fixture.put(message, to: ["d@x.test"])
                try await fixture.once()
                #expect(server.lines.contains("RCPT TO:<d@x.test>"))
                #expect(server.mails.last?.mailLine.contains("ENVID") == false)
                #expect(try fixture.counts().isEmpty)
            }
        }

        @Test("sendmail gets it if the configuration says that it knows it, otherwise the relay reports success")
        func sendmail() async throws {
            for takes in [true, false] {
                let fixture = try await RelayFixture("")
                let script = "#!/bin/sh\n{ printf '<%s>' \"$@\"; echo; cat; } >> \(fixture.scratch.path)/got.$$\n"
                let path = try fixture.scratch.write(Array(script.utf8), to: "sendmail")
                #expect(chmod(path, 0o755) == 0)
                try fixture.configure("<Sendmail path=\"\(path)\"\(takes ? " dsn=\"true\"" : "")/>")
                try fixture.put(message, to: ["b@x.test"], fields: wishes)
                for _ in 0..<2 { #expect(try await fixture.once().status == 0) }
                let got = try FileManager.default.contentsOfDirectory(atPath: fixture.scratch.path)
                    .filter { $0.hasPrefix("got.") }
                    .map { String(decoding: try TestMaterial.octets(fixture.scratch.file($0)), as: UTF8.self) }
                let command = try #require(got.first { $0.contains("<b@x.test>\n") }?.split(separator: "\n").first)
                let options = takes ? "<-Nsuccess,failure><-Rhdrs><-Vid+20one>" : ""
                #expect(command == "<-G><-i><-f><a@example.test>\(options)<--><b@x.test>")
                #expect(got.count == (takes ? 1 : 2))
                #expect(got.contains { $0.contains("Action: relayed") } == !takes)
                #expect(try fixture.counts().isEmpty)
            }
        }

        /// Returns the faults in the reports after a kill at `point` and all the starts that follow.
        private func faults(_ template: RelayFixture, at point: Int, _ action: FaultPoint.Action) async throws
            -> [String]
        {
            let server = try ScriptedMailServer(capabilities: []) { $0 == .rcpt("fail") ? .say("550 5.1.1 no") : nil }
            let fixture = try await RelayFixture(copying: template, RelayFixture.gateway(server.port))
            try await fixture.once(
                environment: try await FaultPoint.environment(program: "ses-relay", point: point, action: action))
            try await fixture.toEnd()
            let noted = try fixture.possibleRepeats()
            let reports = server.mails.filter { $0.recipients == ["a"] }.map(\.text)
            return [("ok@x.test", "relayed"), ("ok2@x.test", "relayed"), ("fail@x.test", "failed")].compactMap {
                address, action in
                let count = reports.count {
                    $0.contains("Final-Recipient: rfc822; \(address)\r\nAction: \(action)\r\n")
                }
                // A report is a message, and can be repeated like one.
                return count == 1 || (count == 2 && noted["a@example.test"] != nil)
                    ? nil : "call \(point) \(action): \(count) reports of \(address)"
            }
        }

        @Test("a relay killed at any change of a file tells the sender of each recipient once")
        func killed() async throws {
            let template = try await RelayFixture(RelayFixture.gateway(25))
            try template.put(message, to: ["ok@x.test", "fail@x.test", "ok2@x.test"], fields: wishes)
            let server = try ScriptedMailServer(capabilities: []) { $0 == .rcpt("fail") ? .say("550 5.1.1 no") : nil }
            let counting = try await RelayFixture(copying: template, RelayFixture.gateway(server.port))
            let log = counting.scratch.file("calls")
            try await counting.once(environment: try await FaultPoint.environment(program: "ses-relay", log: log))
            let calls = try FaultPoint.calls(in: log)
            let all = calls[(try #require(calls.firstIndex { $0.target.contains("/relay/work/") }))...].map(\.number)
            let limit = EndToEnd.isSecondLevel ? all.count : min(all.count, 16)
            #expect(limit >= 10)
            for index in 0..<limit {
                let action: FaultPoint.Action = index.isMultiple(of: 2) ? .killBefore : .killAfter
                let found = try await faults(template, at: all[index * all.count / limit], action)
                #expect(found == [])
            }
        }
    }
}
