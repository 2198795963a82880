import CMSSignatures
import Foundation
import Octets
import TestSupport
import Testing

@Suite("ses-dss key")
struct KeyCommandTests {
    private static let mail = Array("Content-Type: text/plain\r\n\r\nHello\r\n".utf8)

    private func keys(_ site: SiteProgram) async throws -> [String: [String: Any]] {
        let text = try await site.succeed("key", "list", "--json")
        let report = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let keys = try #require(report["keys"] as? [[String: Any]])
        return Dictionary(uniqueKeysWithValues: keys.compactMap { key in (key["alias"] as? String).map { ($0, key) } })
    }

    /// A self-signed certificate with its key: PEM and PKCS #12.
    private func make(
        _ site: SiteProgram, _ name: String, days: String = "200", bits: String = "2048", _ extensions: String...
    ) async throws {
        var arguments = [
            "req", "-x509", "-newkey", "rsa:" + bits, "-nodes", "-keyout", site.scratch.file(name + ".key"), "-out",
            site.scratch.file(name + ".crt"), "-days", days, "-subj", "/CN=" + name,
            "-addext", "basicConstraints=critical,CA:FALSE",
        ]
        for value in extensions { arguments += ["-addext", value] }
        let made = try await RunningProgram.run("/usr/bin/openssl", arguments, asRoot: true)
        #expect(made.status == 0, "\(made)")
        try site.scratch.write(
            Array((try site.text(name + ".key") + site.text(name + ".crt")).utf8), to: name + ".pem")
        try await site.openssl(
            "pkcs12", "-export", "-in", site.scratch.file(name + ".pem"), "-out", site.scratch.file(name + ".p12"),
            "-passout", "pass:wonder")
    }

    @Test("the list names owner, users and end of each key, and keys is its short name")
    func list() async throws {
        let site = try SiteProgram()
        let alice = try #require(try await keys(site)["alice@example.test"])
        #expect(alice["kind"] as? String == "PFX" && alice["addresses"] as? [String] == ["alice@example.test"])
        #expect(alice["clients"] as? [String] == ["samples_test_client"])
        #expect((alice["daysLeft"] as? Int).map { (3_600...3_650).contains($0) } == true)
        let text = try await site.succeed("key", "list")
        #expect(text.contains("CN=Alice,O=SES demonstration") && text.contains("days left"))
        #expect(try await site.succeed("keys") == text)
    }

    @Test("a key is added from PKCS #12 and from PEM, with modes that keep others out, and comments stay")
    func add() async throws {
        let site = try SiteProgram()
        let before = try site.text("site/dss.xml").replacing(
            "  <Client id", with: "  <!-- <Key alias=\"x\"/> & nothing -->\n  <Client id")
        try site.scratch.write(Array(before.utf8), to: "site/dss.xml")
        try await make(
            site, "carol", "keyUsage=critical,digitalSignature", "extendedKeyUsage=emailProtection",
            "subjectAltName=email:carol@example.test")
        try site.scratch.write(Array("wonder\n".utf8), to: "secret")
        try await site.succeed(
            "key", "add", site.scratch.file("carol.p12"), "--alias", "carol@example.test", "--password-file",
            site.scratch.file("secret"))
        try await site.succeed("key", "add", site.scratch.file("carol.pem"), "--alias", "CarolPEM", "--no-client")
        let listed = try await keys(site)
        #expect(listed["carol@example.test"]?["clients"] as? [String] == ["samples_test_client"])
        #expect(listed["CarolPEM"]?["clients"] as? [String] == [])
        for file in try #require(listed["carol@example.test"]?["files"] as? [String]) {
            #expect(site.mode("site/" + file) == 0o600, "\(file)")
        }
        let after = try site.text("site/dss.xml")
        let added = after.split(separator: "\n").filter { !before.contains($0) }
        #expect(added.count == 3, "two keys and a grant: \(added)")
        #expect(before.split(separator: "\n").allSatisfy { after.contains($0) }, "every other line stays")
        let running = try await site.serve()
        #expect(
            try await site.sign(Self.mail, alias: "carol@example.test").text(of: "ResultMajor")?.hasSuffix("Success")
                == true)
        #expect(try await running.terminate().status == 0)
    }

    @Test("a key with a wrong or missing password is refused, and nobody is asked without a terminal")
    func passwords() async throws {
        let site = try SiteProgram()
        try await make(site, "carol", "extendedKeyUsage=emailProtection", "subjectAltName=email:carol@example.test")
        let file = site.scratch.file("carol.p12")
        #expect(try await site.refusal("key", "add", file, "--alias", "c").contains("--password-file"))
        let wrong = try await site.run(
            ["key", "add", file, "--alias", "c", "--password-file", "-"], input: "other\n")
        #expect(wrong.status == 65 && wrong.error.contains("password"), "\(wrong)")
    }

    @Test(
        "a key that nobody would accept is refused with every reason, and --force takes it",
        arguments: [
            ("2048", "emailProtection", "carol@example.test", "mallory@example.test", "is for carol@example.test"),
            ("2048", "serverAuth", "carol@example.test", "carol@example.test", "extended key usage"),
            ("1024", "emailProtection", "carol@example.test", "carol@example.test", "1024 bits"),
        ])
    func faults(_ bits: String, _ purpose: String, _ address: String, _ alias: String, _ reason: String) async throws {
        let site = try SiteProgram()
        try await make(
            site, "carol", bits: bits, "keyUsage=critical,digitalSignature", "extendedKeyUsage=" + purpose,
            "subjectAltName=email:" + address)
        let before = try site.text("site/dss.xml")
        let words = try await site.refusal("key", "add", site.scratch.file("carol.pem"), "--alias", alias)
        #expect(words.contains(reason) && words.contains("--force"), "\(words)")
        #expect(try site.text("site/dss.xml") == before)
        try await site.succeed("key", "add", site.scratch.file("carol.pem"), "--alias", alias, "--force")
        #expect(try await keys(site)[alias] != nil)
    }

    @Test("a key that has expired, and a certificate of another key, are refused")
    func mismatch() async throws {
        let site = try SiteProgram()
        try await make(site, "a", "subjectAltName=email:a@example.test")
        try await make(site, "b", "subjectAltName=email:b@example.test")
        try site.scratch.write(Array((try site.text("a.key") + site.text("b.crt")).utf8), to: "mixed.pem")
        let mixed = try await site.refusal("key", "add", site.scratch.file("mixed.pem"), "--alias", "b@example.test")
        #expect(mixed.contains("no certificate here is of this private key"), "\(mixed)")
        let now = Int(Date().timeIntervalSince1970)
        let validity = now - 200_000...now - 100_000
        let old = try DemoAuthority(commonName: "Old", validity: validity)
            .issue(commonName: "old", for: .mail(address: "old@example.test"), validity: validity)
        let file = try site.scratch.write(
            try PKCS12.export(old, password: "", friendlyName: "old"), to: "old.p12")
        let expired = try await site.refusal("key", "add", file, "--alias", "old@example.test")
        #expect(expired.contains("expired on"), "\(expired)")
    }

    @Test(
        "a request has the extensions of its use and is signed with its key, which waits with mode 0600",
        arguments: ["rsa-3072", "p-256"])
    func request(_ kind: String) async throws {
        let site = try SiteProgram()
        for (purpose, expected, absent) in [
            ("mail", "E-mail Protection", "1.3.6.1.5.5.7.3.36"),
            ("document", "1.3.6.1.5.5.7.3.36", "E-mail Protection"),
            ("organisation", "E-mail Protection, 1.3.6.1.5.5.7.3.36", "TLS"),
        ] {
            let alias = purpose + "@example.test"
            let pem = try await site.succeed(
                "key", "request", "--alias", alias, "--for", purpose, "--kind", kind, "--name", "Dora",
                "--organisation", "Häuser & Co", "--country", "DE")
            let file = try site.scratch.write(Array(pem.utf8), to: purpose + ".csr")
            let words = try await site.openssl("req", "-in", file, "-verify", "-noout", "-text", "-nameopt", "utf8")
            #expect(words.contains("verify OK") && words.contains(expected) && !words.contains(absent), "\(words)")
            #expect(words.contains("Digital Signature, Non Repudiation") && words.contains("email:" + alias))
            #expect(words.contains(kind == "p-256" ? "256 bit" : "3072 bit"))
            #expect(site.mode("site/keys/pending/\(alias).key") == 0o600)
            #expect(try await site.refusal("key", "request", "--alias", alias).contains("waits already"))
        }
    }

    @Test("the certificate of a request becomes the key: with key add for a new alias, with key renew for one in use")
    func answered() async throws {
        let site = try SiteProgram()
        let authority = try await site.authority()
        for (alias, verb) in [("dora@example.test", "add"), ("bob@example.test", "renew")] {
            let pem = try await site.succeed("key", "request", "--alias", alias, "--kind", "p-256")
            let request = try site.scratch.write(Array(pem.utf8), to: "request.csr")
            let certificate = site.scratch.file("answer.crt")
            try await site.openssl(
                "x509", "-req", "-in", request, "-CA", authority.certificate, "-CAkey", authority.key,
                "-copy_extensions", "copyall", "-days", "100", "-out", certificate)
            if verb == "add" {
                try await site.succeed("key", "add", certificate, "--alias", alias)
            } else {
                try await site.succeed("key", "renew", alias, certificate)
            }
            #expect(try await keys(site)[alias]?["key"] as? String == "EC P-256")
            #expect(site.mode("site/keys/pending/\(alias).key") == 0, "nothing waits any more")
        }
        #expect(site.mode("site/keys/old/bob@example.test.p12") == 0o600, "the former key is kept aside")
        #expect(
            try await site.refusal("key", "renew", "alice@example.test", site.scratch.file("answer.crt"))
                .contains("neither for the key that is in use"))
    }

    @Test("a key is removed with its grants, and one that a profile uses only by force")
    func remove() async throws {
        let site = try SiteProgram()
        #expect(try await site.refusal("key", "remove", "bob@example.test").contains("--yes"), "nobody to ask")
        try await site.succeed("key", "remove", "bob@example.test", "--yes")
        #expect(try await keys(site)["bob@example.test"] == nil)
        #expect(!(try site.text("site/dss.xml")).contains("bob@example.test"))
        #expect(site.mode("site/keys/old/bob@example.test.p12") == 0o600)
        let text = try site.text("site/dss.xml").replacing(
            "format=\"smime\"", with: "format=\"smime\" key=\"alice@example.test\"")
        try site.scratch.write(Array(text.utf8), to: "site/dss.xml")
        let refused = try await site.refusal("key", "remove", "alice@example.test", "--yes")
        #expect(refused.contains("adss:signing:profile:007"), "\(refused)")
        try await site.succeed("key", "remove", "alice@example.test", "--yes", "--force")
        #expect(try await site.succeed("check").contains("can be used"))
    }

    @Test("the demonstration's authority issues, renews and revokes, and what a revoked key signed is not trusted")
    func trial() async throws {
        let site = try SiteProgram()
        let running = try await site.serve()
        let issued = try await site.succeed("key", "issue", "--name", "Carol", "--alias", "carol@example.test")
        #expect(issued.contains("for trials only") && issued.contains("process \(running.pid)"), "\(issued)")
        func signed() async throws -> RunningServer.Answer {
            try await eventually("carol signs", within: .seconds(30)) {
                let answer = try await site.sign(Self.mail, alias: "carol@example.test")
                return answer.text(of: "ResultMajor")?.hasSuffix("Success") == true ? answer : nil
            }
        }
        let signature = try #require(try await signed().text(of: "Base64Signature"))
        try await site.succeed("key", "revoke", "carol@example.test", "--reason", "keyCompromise", "--yes")
        let list = site.site + "/ca.crl"
        let words = try await site.openssl("crl", "-in", list, "-CAfile", site.site + "/ca.pem", "-noout", "-text")
        #expect(words.contains("verify OK") && words.contains("Key Compromise"), "\(words)")
        #expect(words.contains("CRL Number") && words.contains("Authority Key Identifier"))
        let cms = try site.scratch.write(try Base64.decode(signature), to: "signature.der")
        let content = try site.scratch.write(Self.mail, to: "content")
        let bundle = try site.scratch.write(
            try TestMaterial.octets(site.site + "/ca.pem") + TestMaterial.octets(list), to: "bundle.pem")
        let judged = try await RunningProgram.run(
            "/usr/bin/openssl",
            [
                "cms", "-verify", "-binary", "-inform", "DER", "-in", cms, "-content", content, "-CAfile", bundle,
                "-crl_check", "-out", "/dev/null",
            ], asRoot: true)
        #expect(judged.error.contains("certificate revoked"), "OpenSSL's command: \(judged)")
        let verified = try await eventually("the list is in force", within: .seconds(30)) {
            let request = SignedMail.clearSigned(signature, from: "carol@example.test")
            let answer = try await site.verify(
                Array(
                    String(decoding: request, as: UTF8.self).replacing(
                        SignedMail.entity, with: String(decoding: Self.mail, as: UTF8.self)
                    ).utf8))
            return answer.body.contains("revoked") ? answer : nil
        }
        #expect(verified.text(of: "ResultMinor")?.hasSuffix("IncorrectSignature") == true, "\(verified)")
        let again = try await site.succeed("key", "revoke", "carol@example.test", "--yes")
        #expect(again.contains("had been revoked before"))
        try await site.succeed("key", "crl", "--days", "7")
        try await site.succeed("key", "renew", "bob@example.test")
        #expect(try await running.terminate().status == 0)
    }

    @Test("keytool reads a key that the demonstration's authority issued")
    func keytool() async throws {
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/keytool") else { return }
        let site = try SiteProgram()
        try await site.succeed("key", "issue", "--name", "Carol", "--alias", "carol@example.test", "--kind", "p-256")
        let files = try #require(try await keys(site)["carol@example.test"]?["files"] as? [String])
        let password = try site.text("site/" + files[1]).trimmingCharacters(in: .newlines)
        let listed = try await RunningProgram.run(
            "/usr/bin/keytool",
            ["-list", "-v", "-keystore", site.site + "/" + files[0], "-storetype", "PKCS12", "-storepass", password],
            asRoot: true)
        #expect(listed.status == 0 && listed.output.contains("PrivateKeyEntry"), "\(listed)")
        #expect(listed.output.contains("Certificate chain length: 2"))
    }
}
