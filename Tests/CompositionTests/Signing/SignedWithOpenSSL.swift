import Foundation
import Octets
import TestSupport

/// A key of OpenSSL's, with which its command line signs as a signing server would.
struct SignedWithOpenSSL {
    private let scratch: ScratchDirectory
    var certificate: String { scratch.file("cert.pem") }

    init() async throws {
        scratch = try ScratchDirectory()
        try await openssl([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", scratch.file("key.pem"), "-out", certificate,
            "-days", "2", "-subj", "/CN=Alice", "-addext", "subjectAltName=email:alice@example.test",
        ])
    }

    /// A detached signature over exactly `entity`.
    func sign(_ entity: OctetString) async throws -> OctetString {
        let path = try scratch.write(entity, to: UUID().uuidString)
        try await openssl([
            "cms", "-sign", "-binary", "-in", path, "-signer", certificate, "-inkey", scratch.file("key.pem"),
            "-outform", "DER", "-out", path + ".der", "-md", "sha256",
        ])
        return OctetString(try TestMaterial.octets(path + ".der"))
    }

    /// A finished S/MIME entity over exactly `entity`.
    func finish(_ entity: OctetString, opaque: Bool = false) async throws -> OctetString {
        let path = try scratch.write(entity, to: UUID().uuidString)
        try await openssl(
            [
                "cms", "-sign", "-binary", "-crlfeol", "-in", path, "-signer", certificate, "-inkey",
                scratch.file("key.pem"), "-outform", "SMIME", "-out", path + ".eml",
            ] + (opaque ? ["-nodetach"] : []))
        return OctetString(try TestMaterial.octets(path + ".eml"))
    }

    /// Returns the signed content of `message` as OpenSSL finds it; throws if it does not verify.
    func verified(_ message: OctetString) async throws -> OctetString {
        let path = try scratch.write(message, to: UUID().uuidString)
        try await openssl([
            "cms", "-verify", "-in", path, "-CAfile", certificate, "-purpose", "any", "-out", path + ".out",
        ])
        return OctetString(try TestMaterial.octets(path + ".out"))
    }

    private func openssl(_ arguments: [String]) async throws {
        let run = try await RunningProgram.run("/usr/bin/openssl", arguments, asRoot: true)
        guard run.status == 0 else { throw HarnessError("openssl \(arguments.joined(separator: " ")): \(run)") }
    }
}
