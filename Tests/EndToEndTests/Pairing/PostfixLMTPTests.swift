import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Postfix, paired by the recipe, and ses-lmtp, with no other program beside them.
    @Suite("Postfix delivers over LMTP")
    struct PostfixOverLMTP {
        private struct Pair {
            let spool: SpoolFixture
            let lmtp: LMTPFixture
            let postfix: PostfixFixture

            init(_ options: [String] = []) async throws {
                spool = try await SpoolFixture(SESXML(servers: ["http://127.0.0.1:9"]))
                lmtp = try await LMTPFixture(spool: spool.spool, options: options)
                let site = try await PostfixFixture.Site(
                    host: "mail.example.test", port: try DSSFixture.deadPort(),
                    settings: [
                        "virtual_mailbox_domains = example.test", "virtual_mailbox_maps = static:x/",
                        // A retry must not wait.
                        "minimal_backoff_time = 1s", "maximal_backoff_time = 1s", "queue_run_delay = 1s",
                    ])
                try await MailServers.pair(
                    "postfix",
                    [
                        "--config-directory", site.configuration, "--incoming", site.service, "--submission",
                        "127.0.0.1:\(try DSSFixture.deadPort())", "--outgoing-port", "\(try DSSFixture.deadPort())",
                        "--incoming-port", "\(try DSSFixture.deadPort())", "--certificate", "/nonexistent.pem",
                        "--spool", spool.spool, "--drop-user", MailServers.accountAndGroup, "--lmtp", lmtp.directory,
                    ])
                postfix = try await PostfixFixture(site)
            }

            func send(_ options: String, _ recipients: [String]) async throws {
                _ = try await TestPython.run(
                    "endtoend/dsn_client.py", ["\(postfix.port)", "carol@partner.test", options] + recipients)
            }

            func messages() throws -> [(name: String, text: String)] {
                try spool.names(in: "incoming/new").map { name in
                    let octets = try TestMaterial.octets("\(spool.spool)/incoming/new/\(name)")
                    return (name, String(decoding: octets, as: UTF8.self))
                }
            }

            func stop() async throws {
                try await postfix.stop()
                try await lmtp.program.terminate()
            }
        }

        @Test("all recipients in one file, with what the sender wants to be told and the queue id, long lines unbroken")
        func envelope() async throws {
            let pair = try await Pair()
            try await pair.send(
                "RET=HDRS ENVID=deal+2B1",
                [
                    "bob@example.test=NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Sales+2Bx@example.test",
                    "dora@example.test=NOTIFY=FAILURE,SUCCESS",
                ])
            let message = try await eventually("one message\n\(pair.postfix.log)") { try pair.messages().first?.text }
            try await eventually("an empty queue") { try await pair.postfix.waiting() == 0 ? () : nil }
            #expect(try pair.messages().count == 1)
            let block = try #require(message.components(separatedBy: "X-SES-End: 1\r\n").first)
            #expect(block.contains("Return-Path: <carol@partner.test>\r\n"))
            #expect(block.contains("Envelope-To: bob@example.test, dora@example.test\r\n"), "\(block)")
            #expect(block.contains("X-SES-Notify: SUCCESS,FAILURE\r\n"))
            #expect(block.contains("X-SES-Return: HDRS\r\n"))
            #expect(block.contains("X-SES-Envelope-Id: deal+2B1\r\n"))
            #expect(block.contains("rfc822;Sales+2Bx@example.test bob@example.test\r\n"), "\(block)")
            #expect(message.hasSuffix("\r\n\r\n..\r\n" + String(repeating: "long ", count: 300) + "\r\n"))
            let queueID = try #require(block.firstMatch(of: /X-SES-Queue-Id: (\w+)\r\n/)?.1)
            let entry = try #require(block.firstMatch(of: /X-SES-Entry: (\w+)\r\n/)?.1)
            // One line of Postfix's log has both.
            let lines = pair.postfix.log.split(separator: "\n")
            #expect(
                lines.contains {
                    $0.contains("\(queueID):") && $0.contains("entry \(entry)") && $0.contains("status=sent")
                })
            try await pair.stop()
        }

        @Test("above the mark a message stays in Postfix's queue, and comes in when there is room")
        func full() async throws {
            let pair = try await Pair(["--max-waiting", "2"])
            for number in 0..<3 {
                try await pair.send("", ["bob@example.test="])
                if number < 2 {
                    try await eventually("message \(number)\n\(pair.postfix.log)") {
                        try pair.messages().count == number + 1 ? () : nil
                    }
                }
            }
            try await eventually("a refusal for now\n\(pair.postfix.log)") {
                pair.postfix.log.contains("status=deferred") && pair.postfix.log.contains("452 4.3.1") ? () : nil
            }
            #expect(try pair.messages().count == 2)
            #expect(try await pair.postfix.waiting() == 1)
            for (name, _) in try pair.messages() {
                try FileManager.default.removeItem(atPath: "\(pair.spool.spool)/incoming/new/\(name)")
            }
            try await eventually("the third message\n\(pair.postfix.log)", within: .seconds(60)) {
                try await pair.postfix.flush()
                return try pair.messages().count == 1 ? () : nil
            }
            try await eventually("an empty queue") { try await pair.postfix.waiting() == 0 ? () : nil }
            try await pair.stop()
        }
    }
}
