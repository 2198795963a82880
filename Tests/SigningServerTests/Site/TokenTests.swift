import Foundation
import Glibc
import Octets
import TestSupport
import Testing

/// A SoftHSM token with an RSA and an EC key, whose certificates the site's authority issued.
private final class Token {
    let site: SiteProgram
    let scratch: ScratchDirectory
    let module: String
    private static let softHSM = "/usr/lib/softhsm/libsofthsm2.so"
    static var isAvailable: Bool {
        FileManager.default.fileExists(atPath: softHSM)
            && FileManager.default.isExecutableFile(atPath: "/usr/bin/pkcs11-tool")
    }
    static let names = ["rsa", "ec"]

    init(isBlocking: Bool = false) async throws {
        scratch = try ScratchDirectory()
        try FileManager.default.createDirectory(atPath: scratch.file("tokens"), withIntermediateDirectories: false)
        try scratch.write(
            Array("directories.tokendir = \(scratch.file("tokens"))\nlog.level = ERROR\n".utf8), to: "softhsm.conf")
        var module = Self.softHSM
        if isBlocking {
            module = scratch.file("blocking.so")
            let made = try await RunningProgram.run(
                "/usr/bin/env",
                [
                    "clang", "-shared", "-fPIC", "-I/usr/include/p11-kit-1", "-o", module,
                    TestMaterial.fixtures + "/pkcs11/blocking.c", "-ldl",
                ], environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"], asRoot: true)
            guard made.status == 0 else { throw HarnessError("clang: \(made)") }
        }
        self.module = module
        site = try SiteProgram(environment: [
            "SOFTHSM2_CONF": scratch.file("softhsm.conf"), "BLOCKING_SWITCH": scratch.file("blocked"),
        ])
        try await tool(
            "softhsm2-util", "--init-token", "--free", "--label", "house", "--pin", "1234", "--so-pin", "5678")
        try scratch.write(Array("1234\n".utf8), to: "pin")
        guard chmod(scratch.file("pin"), 0o600) == 0 else { throw HarnessError("chmod: \(errno)") }
        for (number, name) in Self.names.enumerated() {
            try await pkcs11(
                "--keypairgen", "--key-type", name == "rsa" ? "rsa:2048" : "EC:prime256v1", "--id", "0\(number + 1)",
                "--label", name)
            try await certify(name, "0\(number + 1)")
        }
    }

    @discardableResult
    private func tool(_ program: String, _ arguments: String...) async throws -> String {
        try await tool(program, arguments)
    }

    private func tool(_ program: String, _ arguments: [String]) async throws -> String {
        let finished = try await RunningProgram.run(
            "/usr/bin/" + program, arguments, environment: ["SOFTHSM2_CONF": scratch.file("softhsm.conf")], asRoot: true
        )
        guard finished.status == 0 else { throw HarnessError("\(program) \(arguments): \(finished)") }
        return finished.output
    }

    @discardableResult
    func pkcs11(_ arguments: String...) async throws -> String {
        try await tool(
            "pkcs11-tool", ["--module", Self.softHSM, "--token-label", "house", "--login", "--pin", "1234"] + arguments)
    }

    /// Lets the site's authority issue a certificate for a key of the token, and puts it into the token too.
    private func certify(_ name: String, _ id: String) async throws {
        let authority = try await site.authority()
        func file(_ ending: String) -> String { scratch.file(name + ending) }
        try await pkcs11("--read-object", "--type", "pubkey", "--id", id, "-o", file(".pub"))
        try await site.openssl("pkey", "-pubin", "-inform", "DER", "-in", file(".pub"), "-out", file(".pem"))
        try await site.openssl(
            "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", file(".dummy"), "-subj", "/CN=Token " + name,
            "-out", file(".csr"))
        try scratch.write(
            Array(
                ("keyUsage=critical,digitalSignature,nonRepudiation\nextendedKeyUsage=emailProtection\n"
                    + "subjectAltName=email:\(name)@example.test\n").utf8), to: name + ".ext")
        try await site.openssl(
            "x509", "-req", "-in", file(".csr"), "-force_pubkey", file(".pem"), "-CA", authority.certificate, "-CAkey",
            authority.key, "-extfile", file(".ext"), "-days", "90", "-out", file(".crt"))
        try await site.openssl("x509", "-in", file(".crt"), "-outform", "DER", "-out", file(".der"))
        try await pkcs11("--write-object", file(".der"), "--type", "cert", "--id", id, "--label", name)
    }

    /// Adds both keys; the certificate of the second is taken from the token.
    func add() async throws {
        for name in Self.names {
            var arguments = [
                "key", "add", "pkcs11:token=house;object=\(name)", "--alias", name + "@example.test", "--module",
                module,
                "--pin-file", scratch.file("pin"),
            ]
            if name == "rsa" { arguments += ["--certificate", scratch.file("rsa.crt")] }
            let finished = try await site.run(arguments)
            guard finished.status == 0 else { throw HarnessError("\(finished)") }
        }
    }
}

@Suite(
    "Keys in a token", .serialized,
    .enabled(if: Token.isAvailable, "needs SoftHSM and pkcs11-tool: scripts/setup --test"))
struct TokenTests {
    private static let mail = Array("Content-Type: text/plain\r\n\r\nHello\r\n".utf8)
    private static let xml = Array("<?xml version=\"1.0\"?>\n<invoice><total>100</total></invoice>\n".utf8)

    private func isSuccess(_ answer: RunningServer.Answer) -> Bool {
        answer.text(of: "ResultMajor")?.hasSuffix("Success") == true
    }

    @Test("mail, PDF and XML are signed by an RSA and an EC key, and OpenSSL, poppler and xmlsec1 agree")
    func formats() async throws {
        let token = try await Token()
        try await token.add()
        let running = try await token.site.serve()
        for name in Token.names {
            let alias = name + "@example.test"
            let signed = try await token.site.sign(Self.mail, alias: alias)
            let cms = try token.scratch.write(
                try Base64.decode(try #require(signed.text(of: "Base64Signature"), "\(signed)")), to: "signature")
            let content = try token.scratch.write(Self.mail, to: "content")
            try await token.site.openssl(
                "cms", "-verify", "-binary", "-inform", "DER", "-in", cms, "-content", content, "-CAfile",
                token.site.site + "/ca.pem", "-out", "/dev/null")
            let pdf = try await token.site.sign(PDFSamples.plain(), profile: "006", alias: alias)
            let document = try token.scratch.write(
                try Base64.decode(try #require(pdf.text(of: "Base64Data"), "\(pdf)")), to: "signed.pdf")
            let poppler = try await RunningProgram.run("/usr/bin/pdfsig", ["-nocert", document], asRoot: true)
            #expect(poppler.output.contains("Signature is Valid"), "\(poppler)")
            let xml = try await token.site.sign(Self.xml, profile: "009", alias: alias)
            let invoice = try token.scratch.write(
                try Base64.decode(try #require(xml.text(of: "Base64Data"), "\(xml)")), to: "signed.xml")
            let xmlsec = try await RunningProgram.run(
                "/usr/bin/xmlsec1",
                [
                    "--verify", "--id-attr:Id", "SignedProperties", "--trusted-pem", token.site.site + "/ca.pem",
                    invoice,
                ], asRoot: true)
            #expect(xmlsec.status == 0, "\(xmlsec)")
        }
        #expect(try await token.site.succeed("key", "list").contains("PKCS#11"))
        #expect(try await running.terminate().status == 0)
    }

    @Test("a token that is away gives \"again later\", and signs again once it is back; the server starts without it")
    func away() async throws {
        let token = try await Token()
        try await token.add()
        let running = try await token.site.serve()
        #expect(isSuccess(try await token.site.sign(Self.mail, alias: "rsa@example.test")))
        let (here, elsewhere) = (token.scratch.file("tokens"), token.scratch.file("away"))
        try #require(rename(here, elsewhere) == 0)
        for _ in 0..<2 {
            let answer = try await token.site.sign(Self.mail, alias: "rsa@example.test")
            #expect(answer.text(of: "ResultMajor")?.hasSuffix("ResponderError") == true, "\(answer)")
            #expect(
                answer.text(of: "ResultMinor")?.hasSuffix("GeneralError") == true, "no permanent refusal: \(answer)")
        }
        #expect(isSuccess(try await token.site.sign(Self.mail, alias: "alice@example.test")), "a key in a file")
        try #require(rename(elsewhere, here) == 0)
        #expect(isSuccess(try await token.site.sign(Self.mail, alias: "rsa@example.test")))
        #expect(isSuccess(try await token.site.sign(Self.mail, alias: "ec@example.test")))
        #expect(try await running.terminate().status == 0)
        // The certificate of the one is in a file; that of the other is in the token, and must be named first.
        let alone = try token.site.text("site/dss.xml").split(separator: "\n").filter {
            !$0.contains("ec@example.test")
        }
        try token.site.scratch.write(Array(alone.joined(separator: "\n").utf8), to: "site/dss.xml")
        try #require(rename(here, elsewhere) == 0)
        let again = try await token.site.serve()
        #expect(isSuccess(try await token.site.sign(Self.mail, alias: "alice@example.test")))
        #expect(!isSuccess(try await token.site.sign(Self.mail, alias: "rsa@example.test")))
        try #require(rename(elsewhere, here) == 0)
        #expect(isSuccess(try await token.site.sign(Self.mail, alias: "rsa@example.test")))
        #expect(try await again.terminate().status == 0)
    }

    @Test("a token that does not answer holds up no other key, and its queue has an end", .timeLimit(.minutes(3)))
    func blocked() async throws {
        let token = try await Token(isBlocking: true)
        try await token.add()
        let running = try await token.site.serve()
        #expect(isSuccess(try await token.site.sign(Self.mail, alias: "rsa@example.test")))
        let block = try token.scratch.write([], to: "blocked")
        let site = token.site
        let outcomes = try await withThrowingTaskGroup(of: RunningServer.Answer.self) { group in
            // More than all threads of the signing work.
            for _ in 0..<40 {
                group.addTask { try await site.sign(Self.mail, alias: "rsa@example.test", limit: 60) }
            }
            // Those beyond the queue are answered at once: the others are in the token by then.
            var answers: [RunningServer.Answer] = []
            while answers.count < 20, let answer = try await group.next() { answers.append(answer) }
            #expect(answers.allSatisfy { $0.body.contains("does not answer in time") }, "\(answers)")
            for _ in 0..<10 {
                #expect(isSuccess(try await site.sign(Self.mail, alias: "alice@example.test", limit: 10)))
            }
            try #require(unlink(block) == 0)
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.count == 20 && outcomes.allSatisfy(isSuccess), "\(outcomes)")
        #expect(try await running.terminate().status == 0)
    }

    @Test("a PIN that others can read, a wrong one, one in the URI, and a key that is not there are refused")
    func refusals() async throws {
        let token = try await Token()
        func words(_ address: String, _ pin: String) async throws -> String {
            try await token.site.refusal(
                "key", "add", address, "--alias", "x", "--module", token.module, "--pin-file", pin)
        }
        let pin = token.scratch.file("pin")
        #expect(try await words("pkcs11:token=house;object=none", pin).contains("no private key"))
        #expect(try await words("pkcs11:token=other;object=rsa", pin).contains("is not there"))
        #expect(try await words("pkcs11:token=house", pin).contains("add id= or object="))
        #expect(try await words("pkcs11:token=house;object=rsa?pin-value=1234", pin).contains("name a file"))
        #expect(try await words("pkcs11:%zz", pin).contains("RFC 7512"))
        let wrong = try token.scratch.write(Array("9999\n".utf8), to: "wrong")
        try #require(chmod(wrong, 0o600) == 0)
        #expect(try await words("pkcs11:token=house;object=rsa", wrong).contains("does not take the PIN"))
        try #require(chmod(pin, 0o644) == 0)
        #expect(try await words("pkcs11:token=house;object=rsa", pin).contains("others can read it"))
    }
}
