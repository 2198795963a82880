import Foundation
import Glibc
import TestSupport

/// A Dovecot of a test's own, with the mailboxes of all organisations of the test.
final class DovecotFixture: Sendable {
    private let site: Site
    private let program: RunningProgram

    /// A configuration directory, with no Dovecot running.
    struct Site {
        let scratch: ScratchDirectory
        let port: Int
        var configuration: String { scratch.file("etc") }
        var mailboxRoot: String { scratch.file("mail") }
        /// The table of mailboxes that Postfix reads.
        var mailboxes: String { configuration + "/ses-mailboxes" }

        init() throws {
            try MailServers.requireRoot()
            scratch = try ScratchDirectory()
            port = try DSSFixture.deadPort()
            try FileManager.default.createDirectory(
                atPath: configuration + "/conf.d", withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o755])
            guard chmod(scratch.path, 0o755) == 0 else { throw HarnessError("chmod: \(errno)") }
            let text = """
                base_dir = \(scratch.file("run"))
                state_dir = \(scratch.file("state"))
                protocols = pop3
                listen = 127.0.0.1
                ssl = no
                log_path = /dev/stderr
                service pop3-login {
                  inet_listener pop3 {
                    port = \(port)
                  }
                  inet_listener pop3s {
                    port = 0
                  }
                }
                !include conf.d/*.conf

                """
            try scratch.write(Array(text.utf8), to: "etc/dovecot.conf")
        }

        /// Applies the recipe: Maildirs under ``mailboxRoot``, and passwords for the Postfix with `queue`.
        func pair(withPostfixQueue queue: String, users: [String]) async throws {
            let here = ["--config-directory", configuration]
            try await MailServers.pair(
                "dovecot",
                here + [
                    "--mailbox-root", mailboxRoot, "--mailbox-user", MailServers.account, "--postfix-queue", queue,
                ])
            for user in users {
                try await MailServers.pair("dovecot", here + ["--add-user", user], input: MailHouse.password + "\n")
            }
        }
    }

    init(_ site: Site) async throws {
        self.site = site
        program = try RunningProgram(
            try MailServers.program("/usr/sbin/dovecot"), ["-F", "-c", site.configuration + "/dovecot.conf"],
            asRoot: true)
        try await MailServers.listening(on: site.port, by: program, "Dovecot")
    }

    func stop() async throws { try await program.terminate() }

    /// Waits until `count` messages stand in a mailbox, then fetches them all by POP3, as sent over the wire.
    func messages(of user: String, count: Int = 1) async throws -> [[UInt8]] {
        let parts = user.split(separator: "@")
        let maildir = site.mailboxRoot + "/\(parts[1])/\(parts[0])"
        try await eventually("\(count) messages for \(user)", within: .seconds(20)) {
            let standing = ["new", "cur"].flatMap {
                (try? FileManager.default.contentsOfDirectory(atPath: maildir + "/" + $0)) ?? []
            }
            return standing.count >= count ? () : nil
        }
        let fetched = try await RunningProgram.run(
            "/usr/bin/python3", ["-c", Self.fetch, "\(site.port)", user, MailHouse.password], asRoot: true)
        guard fetched.status == 0 else { throw HarnessError("POP3: \(fetched)") }
        let texts = try JSONDecoder().decode([Data].self, from: Data(fetched.output.utf8))
        return texts.map { [UInt8]($0) }
    }

    private static let fetch = """
        import base64, json, poplib, sys
        box = poplib.POP3("127.0.0.1", int(sys.argv[1]), timeout=20)
        box.user(sys.argv[2])
        box.pass_(sys.argv[3])
        count, _ = box.stat()
        found = [b"".join(line + b"\\r\\n" for line in box.retr(number + 1)[1]) for number in range(count)]
        box.quit()
        print(json.dumps([base64.b64encode(message).decode() for message in found]))
        """
}
