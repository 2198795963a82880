import Foundation
import TestSupport

/// Mail that several suites need and that takes programs to make.
enum Samples {
    /// The demo key of Alice, as `ses-dss init` names it.
    static let aliceKey = "alice@example.test"

    /// A mail that the programs themselves signed with Alice's key.
    static var signedByAlice: [UInt8] { get async throws { try await signing.value } }

    private static let signing = Task {
        let server = try await DSSFixture.shared
        var configuration = SESXML(servers: [server.address])
        configuration.outgoing = SESXML.sign(alias: aliceKey)
        let fixture = try await SpoolFixture(configuration)
        try await fixture.drop(MailSamples.plain(body: "The price is 100 euro.\r\nYours, Alice\r\n"), to: .outgoing)
        try await fixture.process()
        return try fixture.onlyFile(in: "delivered").message
    }

    /// The signed mail with one word of its text changed.
    static var tampered: [UInt8] {
        get async throws { try MailSamples.changed(try await signedByAlice, "100 euro", to: "900 euro") }
    }

    /// A mail signed for Alice by a certification authority that the demo server does not know.
    static var signedByStranger: [UInt8] { get async throws { try await signingAsStranger.value } }

    private static let signingAsStranger = Task {
        let scratch = try ScratchDirectory()
        func openssl(_ arguments: [String]) async throws {
            let run = try await RunningProgram.run("/usr/bin/openssl", arguments, asRoot: true)
            guard run.status == 0 else { throw HarnessError("openssl \(arguments): \(run)") }
        }
        let (key, certificate) = (scratch.file("key.pem"), scratch.file("certificate.pem"))
        let (authorityKey, authority) = (scratch.file("authority-key.pem"), scratch.file("authority.pem"))
        let request = scratch.file("request.pem")
        try await openssl([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", authorityKey, "-out", authority, "-days", "30",
            "-subj", "/CN=Unknown Authority",
        ])
        try await openssl([
            "req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", "/CN=Alice",
        ])
        let extensions = try scratch.write(
            Array(
                """
                subjectAltName=email:\(MailSamples.alice)
                keyUsage=digitalSignature
                extendedKeyUsage=emailProtection
                basicConstraints=CA:FALSE
                """.utf8), to: "extensions.cnf")
        try await openssl([
            "x509", "-req", "-in", request, "-CA", authority, "-CAkey", authorityKey, "-CAcreateserial", "-days", "30",
            "-extfile", extensions, "-out", certificate,
        ])
        let entity = try scratch.write(
            Array("Content-Type: text/plain; charset=utf-8\r\n\r\nThe price is 100 euro.\r\n".utf8), to: "entity")
        let signed = scratch.file("signed.eml")
        try await openssl([
            "cms", "-sign", "-in", entity, "-crlfeol", "-signer", certificate, "-inkey", key, "-md", "sha256", "-out",
            signed,
            "-from", MailSamples.alice, "-to", MailSamples.bob, "-subject", "Signed by a stranger",
        ])
        // OpenSSL writes the outer fields with bare line feeds.
        return try TestMaterial.octets(signed).filter { $0 != 0x0D }.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] }
    }
}
