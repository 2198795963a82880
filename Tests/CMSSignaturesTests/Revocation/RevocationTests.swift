import CMSSignatures
import Foundation
import Octets
import TestSupport
import Testing

@Suite("Revocation")
struct RevocationTests {
    /// A CA of OpenSSL's command with one key, and a list that does or does not have its certificate.
    private struct Authority {
        let key: SigningKey
        let anchor: Certificate
        let good: [RevocationList]
        let revoking: [RevocationList]

        init() async throws {
            let scratch = try ScratchDirectory()
            func openssl(_ arguments: String...) async throws {
                let run = try await RunningProgram.run("/usr/bin/openssl", arguments, asRoot: true)
                guard run.status == 0 else { throw HarnessError("openssl \(arguments): \(run)") }
            }
            let configuration = """
                [ca]
                default_ca = own
                [own]
                database = \(scratch.file("index"))
                certificate = \(scratch.file("ca.crt"))
                private_key = \(scratch.file("ca.key"))
                default_md = sha256
                default_crl_days = 1
                [extensions]
                keyUsage = digitalSignature
                extendedKeyUsage = emailProtection
                subjectAltName = email:alice@example.test
                crlDistributionPoints = URI:http://localhost/none.crl
                """
            let file = try scratch.write(Array(configuration.utf8), to: "configuration")
            try await openssl(
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Revoker", "-addext",
                "keyUsage=keyCertSign,cRLSign", "-keyout", scratch.file("ca.key"), "-out", scratch.file("ca.crt"))
            try await openssl(
                "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Alice", "-keyout", scratch.file("key"), "-out",
                scratch.file("request"))
            try await openssl(
                "x509", "-req", "-in", scratch.file("request"), "-CA", scratch.file("ca.crt"), "-CAkey",
                scratch.file("ca.key"), "-set_serial", "0x1234", "-days", "2", "-extfile", file, "-extensions",
                "extensions", "-out", scratch.file("certificate"))
            try await openssl(
                "pkcs12", "-export", "-inkey", scratch.file("key"), "-in", scratch.file("certificate"), "-passout",
                "pass:x", "-out", scratch.file("p12"))
            try scratch.write([], to: "index")
            try await openssl("ca", "-config", file, "-gencrl", "-out", scratch.file("good.crl"))
            try scratch.write(
                Array("R\t400101000000Z\t200101000000Z,keyCompromise\t1234\tunknown\t/CN=Alice\n".utf8), to: "index")
            try await openssl("ca", "-config", file, "-gencrl", "-out", scratch.file("revoking.crl"))
            func octets(_ name: String) throws -> OctetString {
                OctetString(try TestMaterial.octets(scratch.file(name)))
            }
            key = try PKCS12.load(try octets("p12"), password: "x")
            anchor = try #require(try Certificate.readAll(try octets("ca.crt")).first)
            good = try RevocationList.readAll(try octets("good.crl"))
            revoking = try RevocationList.readAll(try octets("revoking.crl"))
        }

        func verification(_ lists: [RevocationList], _ revocation: TrustPolicy.Revocation) throws -> CMSVerification {
            let now = Int(Date().timeIntervalSince1970)
            let content = OctetString("content")
            let signature = try CMSSigner(key: key).sign(detached: content, signingTime: now)
            let policy = TrustPolicy(anchors: [anchor], revocationLists: lists, revocation: revocation)
            return try CMSVerifier(policy: policy, use: .mail).verify(signature, content: content, now: now)
        }
    }

    @Test("by a list is not trusted; without the list, or without asking, it is unknown")
    func revoked() async throws {
        let authority = try await Authority()
        for revocation in [TrustPolicy.Revocation.present, .require] {
            let revoked = try authority.verification(authority.revoking, revocation)
            #expect(revoked.verdict == .notTrusted)
            #expect(revoked.details.map(\.kind) == [.revocationStatus])
            #expect(try authority.verification(authority.good, revocation).verdict == .trusted)
            let unknown = try authority.verification([], revocation)
            #expect(unknown.verdict == .indeterminate, "the certificate names a list that is not at hand")
            #expect(unknown.details.allSatisfy { $0.kind == .revocationStatus })
        }
        #expect(try authority.verification([], .none).verdict == .trusted)
        #expect(try authority.verification(authority.revoking, .none).verdict == .trusted)
    }
}
