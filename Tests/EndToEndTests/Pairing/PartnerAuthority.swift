import Foundation
import TestSupport

/// Another organisation with a certification authority of its own, and Carol who signs there.
final class PartnerAuthority: Sendable {
    static let carol = "carol@elsewhere.test"

    private let scratch: ScratchDirectory
    /// PEM.
    let certificate: String

    init() async throws {
        scratch = try ScratchDirectory()
        certificate = scratch.file("authority.pem")
        try await openssl([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", scratch.file("authority-key.pem"), "-out",
            certificate, "-days", "30", "-subj", "/CN=Partner Authority",
        ])
        try await openssl([
            "req", "-newkey", "rsa:2048", "-nodes", "-keyout", scratch.file("key.pem"), "-out",
            scratch.file("request.pem"), "-subj", "/CN=Carol",
        ])
        let extensions = """
            subjectAltName=email:\(Self.carol)
            keyUsage=digitalSignature
            extendedKeyUsage=emailProtection
            basicConstraints=CA:FALSE
            """
        try await openssl([
            "x509", "-req", "-in", scratch.file("request.pem"), "-CA", certificate, "-CAkey",
            scratch.file("authority-key.pem"), "-CAcreateserial", "-days", "30", "-extfile",
            try scratch.write(Array(extensions.utf8), to: "extensions.cnf"), "-out", scratch.file("certificate.pem"),
        ])
    }

    /// A mail from Carol, signed with CRLF line ends.
    func signed(to recipient: String, subject: String, text: String) async throws -> [UInt8] {
        let entity = "Content-Type: text/plain; charset=utf-8\r\n\r\n\(text)\r\n"
        let signed = scratch.file("signed.eml")
        try await openssl([
            "cms", "-sign", "-in", try scratch.write(Array(entity.utf8), to: "entity"), "-crlfeol", "-signer",
            scratch.file("certificate.pem"), "-inkey", scratch.file("key.pem"), "-md", "sha256", "-out", signed,
        ])
        let head =
            "From: Carol <\(Self.carol)>\r\nTo: \(recipient)\r\nSubject: \(subject)\r\n"
            + "Message-ID: <\(UUID().uuidString.lowercased())@elsewhere.test>\r\nDate: Mon, 5 Jan 2026 11:00:00 +0000\r\n"
        // OpenSSL writes the outer fields with bare line feeds.
        let body = try TestMaterial.octets(signed).filter { $0 != 0x0D }.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] }
        return Array(head.utf8) + body
    }

    private func openssl(_ arguments: [String]) async throws {
        let run = try await RunningProgram.run("/usr/bin/openssl", arguments, asRoot: true)
        guard run.status == 0 else { throw HarnessError("openssl \(arguments): \(run)") }
    }
}
