import Foundation
import Glibc
import TestSupport
import Testing

/// A machine of its own below a scratch directory, for `ses setup --root`.
struct TrialMachine {
    let scratch: ScratchDirectory
    var root: String { scratch.path }
    var ses: String { root + "/etc/ses/ses.xml" }
    var relay: String { root + "/etc/ses/relay.xml" }
    var spool: String { root + "/var/spool/ses" }
    var dss: String { root + "/var/lib/ses-dss" }

    /// - Parameter files: Files of the machine, by their absolute paths.
    init(_ files: [String: String] = [:]) throws {
        scratch = try ScratchDirectory()
        try SpoolFixture.own(scratch.path)
        for (path, text) in files {
            let whole = scratch.path + path
            try FileManager.default.createDirectory(
                atPath: URL(fileURLWithPath: whole).deletingLastPathComponent().path, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(fileURLWithPath: whole))
        }
        // What setup makes belongs to the account that runs it.
        for folder in ["/etc", "/var"] where FileManager.default.fileExists(atPath: scratch.path + folder) {
            try SpoolFixture.own(scratch.path + folder)
        }
        // Each program looks for the others beside itself.
        for program in ["ses", "ses-dss", "ses-relay"] { _ = try Programs.path(program) }
    }

    func setup(_ options: [String], yes: Bool = true) async throws -> RunningProgram.Finished {
        try await RunningProgram.run(
            try Programs.path("ses"), ["setup", "--root", root] + (yes ? ["--yes"] : []) + options,
            within: .seconds(120))
    }

    func text(_ path: String) throws -> String { String(decoding: try TestMaterial.octets(path), as: UTF8.self) }
}

extension EndToEnd {
    @Suite("ses setup")
    struct SetUp {
        @Test("from nothing to a signed mail at the next hop, without a question; a second run changes nothing")
        func whole() async throws {
            let machine = try TrialMachine()
            let server = try await RecordingMailServer()
            let arguments = ["--domain", "firm.test", "--next-hop", "127.0.0.1:\(server.port)"]
            let made = try await machine.setup(arguments)
            #expect(made.status == 0, "\(made)")
            #expect(made.output.contains("verified: trusted"), "\(made)")
            #expect(made.output.contains("dropped, signed, committed, relayed"), "\(made)")
            #expect(made.output.contains("ses-pair") && made.output.contains("ses doctor"))
            let mail = try #require(try server.mails().first)
            #expect(mail.recipients == ["postmaster@firm.test"])
            let judged = try await OpenSSL.verify(Array(mail.content), anchor: machine.dss + "/ca.pem")
            #expect(judged.status == 0, "\(judged)")
            for path in [machine.ses, machine.relay] {
                var status = stat()
                #expect(stat(path, &status) == 0 && status.st_mode & 0o7777 == 0o640)
            }
            // Nothing goes on running.
            #expect(!FileManager.default.fileExists(atPath: machine.dss + "/socket"))

            let before = try [machine.ses, machine.relay, machine.dss + "/dss.xml"].map { try machine.text($0) }
            let again = try await machine.setup(["--domain", "other.test", "--no-test"])
            #expect(again.status == 1, "\(again)")
            #expect(again.output.contains("kept") && again.output.contains("domain firm.test, 3 workflows"), "\(again)")
            #expect(try [machine.ses, machine.relay, machine.dss + "/dss.xml"].map { try machine.text($0) } == before)
            let names = try FileManager.default.contentsOfDirectory(atPath: machine.root + "/etc/ses").sorted()
            #expect(names == ["relay.xml", "ses.xml"])
        }

        @Test("before the mail server is paired, the test mail waits for it and setup is content")
        func unpaired() async throws {
            let machine = try TrialMachine(["/etc/mailname": "firm.test\n", "/etc/postfix/main.cf": ""])
            let made = try await machine.setup(["--next-hop", "127.0.0.1:\(try DSSFixture.deadPort())"])
            #expect(made.status == 0, "\(made)")
            #expect(made.output.contains("Postfix found"))
            #expect(made.output.contains("waits for it"), "\(made)")
            #expect(made.output.contains("ses-pair postfix --dry-run"))
            #expect(try machine.text(machine.ses).contains("<DomainName>firm.test</DomainName>"))
        }

        @Test("it asks five questions on a terminal, takes the guesses, and asks again what it cannot read")
        func dialogue() async throws {
            let machine = try TrialMachine(["/etc/mailname": "guess.test\n"])
            let answers = ["", "no address", "boss@guess.test", "embedded", "", "no"].joined(separator: "\n")
            // The system's Python: the user who runs the programs may not reach the one of the set-up.
            let shown = try await RunningProgram.run(
                "/usr/bin/python3",
                [
                    TestMaterial.fixtures + "/python/on_terminal.py", try Programs.path("ses"), "setup", "--root",
                    machine.root, "--no-test",
                ], environment: ["ANSWERS": answers])
            #expect(shown.status == 0, "\(shown)")
            let questions = shown.output.split(separator: "\n").filter {
                $0.wholeMatch(of: /[1-9]\. .*\[.*\] .*/) != nil
            }
            #expect(Set(questions.map { $0.prefix(2) }).count == 5 && questions.count == 6, "\(shown)")
            #expect(shown.output.contains("this is no mail address; write one such as"))
            let text = try machine.text(machine.ses)
            #expect(text.contains("<AdminEmailAddress>boss@guess.test</AdminEmailAddress>"))
            #expect(text.contains("*@guess.test") && !text.contains("<Incoming>"))
        }

        @Test("another DSS server is used as it is named, and makes no keys here")
        func remote() async throws {
            let machine = try TrialMachine()
            let server = try await DSSFixture.shared
            let sink = try await RecordingMailServer()
            let made = try await machine.setup([
                "--domain", "example.test", "--signing-server", server.address + "/adss/signing/dss", "--client",
                "samples_test_client", "--profile", "adss:signing:profile:007", "--key",
                "samples_test_signing_certificate", "--next-hop", "127.0.0.1:\(sink.port)",
            ])
            #expect(made.status == 0, "\(made)")
            #expect(!FileManager.default.fileExists(atPath: machine.dss))
            #expect(try machine.text(machine.ses).contains(server.address + "/adss/verification/dss"))
            #expect(try sink.mails().count == 1)
        }

        @Test("a signing server that does not answer is told, the files stay, and the exit status says it")
        func silent() async throws {
            let machine = try TrialMachine()
            let port = try DSSFixture.deadPort()
            let made = try await machine.setup([
                "--domain", "firm.test", "--signing-server", "http://127.0.0.1:\(port)/adss/signing/dss", "--client",
                "us",
            ])
            #expect(made.status == 1 && made.output.contains("FAILED"), "\(made)")
            #expect(made.output.contains("ses check --probe"), "\(made)")
            #expect(FileManager.default.fileExists(atPath: machine.ses))
        }
    }
}
