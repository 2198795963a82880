import CMSSignatures
import Foundation
import Octets
import TestSupport
import Testing

@Suite("ses-dss trust")
struct TrustCommandTests {
    /// A mail of a signer whose authority the site does not know.
    private struct Stranger {
        let authority: DemoAuthority
        let mail: [UInt8]
        var fingerprint: String { authority.certificate.fingerprint }

        init() throws {
            let now = Int(Date().timeIntervalSince1970)
            let validity = now - 3_600...now + 100 * 86_400
            authority = try DemoAuthority(commonName: "Partner CA", validity: validity)
            let key = try authority.issue(
                commonName: "Bob", for: .mail(address: "bob@partner.test"), validity: validity)
            let content = OctetString(SignedMail.entity)
            let cms = try CMSSigner(key: key).sign(detached: content, signingTime: now)
            mail = SignedMail.clearSigned(Base64.encode(cms.array), from: "bob@partner.test")
        }
    }

    @Test("the reason for an unknown signer names its authority and the command, and the command makes it trusted")
    func unknown() async throws {
        let site = try SiteProgram()
        let stranger = try Stranger()
        let running = try await site.serve()
        let before = try await site.verify(stranger.mail)
        #expect(before.text(of: "ResultMajor")?.hasSuffix("InsufficientInformation") == true, "\(before)")
        let reason = try #require(before.text(of: "ResultMessage"), "\(before)")
        #expect(reason.contains("CN=Partner CA") && reason.contains("ses-dss trust add --from"), "\(reason)")
        let file = try site.scratch.write(stranger.mail, to: "mail.eml")
        let asked = try await site.run(["trust", "add", "--from", file])
        #expect(asked.status == 64 && asked.output.contains(stranger.fingerprint), "it is shown, not taken: \(asked)")
        let done = try await site.succeed("trust", "add", "--from", file, "--yes")
        #expect(done.contains(stranger.fingerprint) && done.contains("process \(running.pid)"), "\(done)")
        _ = try await eventually("trusted", within: .seconds(30)) {
            try await site.verify(stranger.mail).text(of: "ResultMinor")?.hasSuffix("OnAllDocuments") == true ? () : nil
        }
        let listed = try await site.succeed("trust", "list", "--json")
        #expect(listed.contains("CN=Partner CA,O=SES demonstration") && listed.contains("\"role\" : \"Anchor\""))
        try await site.succeed("trust", "remove", String(stranger.fingerprint.prefix(14)), "--yes")
        _ = try await eventually("no longer trusted", within: .seconds(30)) {
            try await site.verify(stranger.mail).body.contains("InsufficientInformation") ? () : nil
        }
        #expect(try await running.terminate().status == 0)
    }

    @Test("nothing of a mail whose signature is broken is trusted")
    func broken() async throws {
        let site = try SiteProgram()
        let mail = String(decoding: try Stranger().mail, as: UTF8.self).replacing("Hello", with: "Hallo")
        let file = try site.scratch.write(Array(mail.utf8), to: "mail.eml")
        let before = try site.text("site/dss.xml")
        #expect(try await site.refusal("trust", "add", "--from", file, "--yes").contains("the signature is no good"))
        #expect(try await site.refusal("trust", "add", "--from", site.path, "--yes").contains("no signature"))
        #expect(try site.text("site/dss.xml") == before)
    }

    @Test("PEM, DER and the system's bundle are taken, twice does no harm, and an intermediate is no anchor")
    func files() async throws {
        let site = try SiteProgram()
        let stranger = try Stranger()
        let der = try site.scratch.write(stranger.authority.certificate.der, to: "ca.der")
        let pem = try site.scratch.write(Array(stranger.authority.certificate.pem.utf8), to: "ca.pem")
        try await site.succeed("trust", "add", der, "--yes")
        #expect(try await site.succeed("trust", "add", pem, "--yes").contains("trusted already"))
        try await site.succeed("trust", "add", pem, "--intermediate", "--yes")
        let text = try site.text("site/dss.xml")
        #expect(text.ranges(of: "<Anchor>trust/").count == 1 && text.contains("<Intermediate>trust/"))
        if FileManager.default.fileExists(atPath: "/etc/ssl/certs/ca-certificates.crt") {
            try await site.succeed("trust", "add", "--system", "--yes")
            #expect(try await site.succeed("trust", "list").contains("more in /etc/ssl/certs/ca-certificates.crt"))
            try await site.succeed("trust", "remove", "/etc/ssl/certs/ca-certificates.crt", "--yes")
        }
        #expect(try await site.refusal("trust", "remove", "0123456789", "--yes").contains("nothing that is trusted"))
        #expect(
            try await site.refusal("trust", "add", pem, "--profile", "x", "--yes").contains("no verification profile"))
    }
}
