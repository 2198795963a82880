import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The recipes change configurations and restore them")
    struct Recipes {
        /// The files of a directory that are no folders, by name.
        private func files(_ directory: String) throws -> [String: [UInt8]] {
            var found: [String: [UInt8]] = [:]
            for name in try FileManager.default.subpathsOfDirectory(atPath: directory) {
                var isFolder: ObjCBool = false
                let path = directory + "/" + name
                guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue else {
                    continue
                }
                found[name] = try TestMaterial.octets(path)
            }
            return found
        }

        private func options(_ site: PostfixFixture.Site, spool: SpoolFixture) throws -> [String] {
            [
                "--config-directory", site.configuration, "--incoming", site.service, "--submission", "127.0.0.1:1587",
                "--certificate", "/etc/ssl/some.pem", "--spool", spool.spool,
                "--drop-user", MailServers.accountAndGroup, "--authorized", "192.0.2.0/28,198.51.100.7",
            ]
        }

        private func value(_ arguments: [String], in site: PostfixFixture.Site) async throws -> String {
            let run = try await RunningProgram.run(
                "/usr/sbin/postconf", ["-c", site.configuration] + arguments, asRoot: true)
            return run.output.trimmingCharacters(in: .whitespacesAndNewlines)
        }

        @Test("Postfix: a dry run changes nothing, a second run neither, and undo gives back every octet")
        func postfix() async throws {
            let spool = try await SpoolFixture(SESXML(servers: ["http://127.0.0.1:1"]))
            let site = try await PostfixFixture.Site(
                host: "mail.example.test", port: 1025, settings: ["disable_mime_output_conversion = no"])
            let before = try files(site.configuration)
            let options = try options(site, spool: spool)
            let shown = try await MailServers.pair("postfix", ["--dry-run"] + options)
            #expect(shown.contains("+disable_mime_output_conversion = yes"))
            #expect(shown.contains("content_filter=ses-outgoing:unix:/run/ses-lmtp/outgoing"))
            #expect(try files(site.configuration) == before)

            try await MailServers.pair("postfix", options)
            let paired = try files(site.configuration)
            #expect(try await value(["-h", "disable_mime_output_conversion"], in: site) == "yes")
            #expect(try await MailServers.pair("postfix", options).contains("nothing to do"))
            #expect(try files(site.configuration) == paired)

            // Other options replace those of before.
            try await MailServers.pair("postfix", options + ["--outgoing-port", "10125"])
            let services = try await value(["-M"], in: site)
            #expect(services.contains("127.0.0.1:10125") && !services.contains("127.0.0.1:10025"), "\(services)")

            try await MailServers.pair("postfix", ["--undo", "--config-directory", site.configuration])
            #expect(try files(site.configuration) == before)
        }

        @Test("Postfix: undo keeps changes of others since")
        func postfixChangedSince() async throws {
            let spool = try await SpoolFixture(SESXML(servers: ["http://127.0.0.1:1"]))
            let site = try await PostfixFixture.Site(host: "mail.example.test", port: 1025, settings: ["biff = no"])
            let services = try await value(["-M"], in: site)
            try await MailServers.pair("postfix", try options(site, spool: spool))
            _ = try await value(["-e", "delay_warning_time = 4h", "disable_mime_output_conversion = no"], in: site)
            _ = try await value(["-P", "smtp/unix/smtp_helo_name=other.test"], in: site)
            try await MailServers.pair("postfix", ["--undo", "--config-directory", site.configuration])
            #expect(try await value(["-h", "delay_warning_time"], in: site) == "4h")
            #expect(try await value(["-n", "disable_mime_output_conversion"], in: site).hasSuffix("= no"))
            #expect(try await value(["-n", "ses-outgoing_destination_recipient_limit"], in: site) == "")
            let left = try await value(["-M"], in: site)
            #expect(left.contains("smtp_helo_name=other.test") && !left.contains("ses-"), "\(left)")
            #expect(left.split(separator: "\n").count == services.split(separator: "\n").count)
        }

        @Test("Dovecot: a user can be added, given another password and removed; undo keeps users and mail")
        func dovecot() async throws {
            let site = try DovecotFixture.Site()
            let postfix = try await PostfixFixture.Site(host: "mail.example.test", port: 1025, settings: [])
            let before = try files(site.configuration)
            try await site.pair(withPostfixQueue: postfix.queue, users: ["malice@example.test", "Alice@example.test"])
            let here = ["--config-directory", site.configuration]
            func users() throws -> [String] {
                String(decoding: try TestMaterial.octets(site.configuration + "/ses-users"), as: UTF8.self)
                    .split(separator: "\n").map(String.init)
            }
            let first = try users()
            #expect(first.map { $0.prefix { $0 != ":" } } == ["malice@example.test", "alice@example.test"])
            try await MailServers.pair("dovecot", here + ["--add-user", "alice@example.test"], input: "another\n")
            #expect(try users().count == 2 && (try users()) != first)
            try await MailServers.pair("dovecot", here + ["--remove-user", "alice@example.test"])
            #expect(try users() == [first[0]])
            #expect(
                try TestMaterial.octets(site.mailboxes) == Array("malice@example.test example.test/malice/\n".utf8))
            try await MailServers.pair("dovecot", here + ["--remove-user", "malice@example.test"])
            try await MailServers.pair("dovecot", here + ["--undo"])
            #expect(try files(site.configuration) == before)
        }
    }
}
