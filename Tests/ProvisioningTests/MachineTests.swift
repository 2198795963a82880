import Foundation
import Glibc
import Octets
import TestSupport
import Testing

@testable import Provisioning

@Suite("What a machine tells of itself, and files that are made")
struct MachineTests {
    private func machine(_ files: [String: String]) throws -> (ScratchDirectory, HousePlaces) {
        let scratch = try ScratchDirectory()
        for (path, text) in files {
            let whole = scratch.path + path
            try FileManager.default.createDirectory(
                atPath: String(whole[..<(whole.lastIndex(of: "/") ?? whole.endIndex)]),
                withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(fileURLWithPath: whole))
        }
        return (scratch, HousePlaces(root: scratch.path + "/"))
    }

    @Test(
        "the mail domain is that of the mail server, else of the mail name, else of the host",
        arguments: [
            (["/etc/postfix/main.cf": "# x\nmydomain = one.test\nmyhostname = mx.one.test\n"], "h", "one.test"),
            (["/etc/postfix/main.cf": "myorigin = /etc/mailname\n", "/etc/mailname": "two.test\n"], "h", "two.test"),
            (["/etc/postfix/main.cf": "mydomain = $other\n", "/etc/mailname": "three.test"], "h", "three.test"),
            (["/etc/exim4/update-exim4.conf.conf": "dc_other_hostnames='four.test:x.test'\n"], "h", "four.test"),
            (["/etc/mailname": "localhost\n"], "mail.five.test", "five.test"),
            (["/etc/hosts": "127.0.1.1 mail.six.test mail\n"], "mail", "six.test"),
            ([:], "mail", nil), (["/etc/mailname": "host.localdomain\n"], "mail", nil),
        ] as [([String: String], String, String?)])
    func domain(_ files: [String: String], _ host: String, _ expected: String?) throws {
        let (scratch, places) = try machine(files)
        #expect(MachineFacts(places, hostName: host).domain == expected)
        withExtendedLifetime(scratch) {}
    }

    @Test("mail servers are found by their configurations, and the recipe is that of the one that takes mail")
    func servers() throws {
        let (scratch, places) = try machine(["/etc/postfix/main.cf": "", "/etc/dovecot/dovecot.conf": ""])
        let facts = MachineFacts(places, hostName: "mail.example.test")
        #expect(facts.mailServers == ["Postfix", "Dovecot"] && facts.pairingRecipe == "postfix")
        #expect(facts.words.contains("Postfix found") && !facts.hasSystemd)
        withExtendedLifetime(scratch) {}
    }

    @Test("a file is made whole with its mode, and never over another")
    func newFile() throws {
        let scratch = try ScratchDirectory()
        let path = scratch.file("ses.xml")
        #expect(try NewFile(path, mode: 0o640).make(OctetString("one")))
        #expect(try !NewFile(path, mode: 0o640).make(OctetString("two")))
        #expect(try TestMaterial.octets(path) == Array("one".utf8))
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o7777 == 0o640)
        #expect(symlink("/nowhere", scratch.file("link")) == 0)
        #expect(throws: Never.self) { try #expect(!NewFile(scratch.file("link")).make(OctetString("x"))) }
        #expect(try scratch.names() == ["link", "ses.xml"])
    }
}
