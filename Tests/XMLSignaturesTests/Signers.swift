import CMSSignatures
import Foundation
import Octets
import TestSupport
import XMLSignatures

/// Keys that the tests of this target share; made once.
struct Signers: Sendable {
    /// The tests' own present.
    static let now = 1_800_000_000
    let authority: DemoAuthority
    let rsa: XMLSigningKey
    let ecdsa: XMLSigningKey

    static let shared: Signers = {
        do { return try Signers() } catch { preconditionFailure("no keys for the tests: \(error)") }
    }()

    private init() throws {
        // Valid now too, for the oracles that ask the clock.
        let validity = 1_700_000_000...Self.now + 86_400 * 3_650
        authority = try DemoAuthority(commonName: "Tests", validity: validity)
        let issued = try authority.issue(commonName: "Documents", for: .document, validity: validity)
        rsa = try XMLSigningKey(
            privateKeyPEM: try issued.privateKeyPEM(), certificate: issued.certificate.der,
            chain: issued.chain.map(\.der))
        ecdsa = try Self.makeECDSA()
    }

    /// A self-signed P-256 certificate, made by OpenSSL's command line.
    private static func makeECDSA() throws -> XMLSigningKey {
        let scratch = try ScratchDirectory()
        let made = Process()
        made.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        made.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=Curve",
            "-days", "3650", "-keyout", scratch.file("key.pem"), "-out", scratch.file("certificate.pem"),
        ]
        made.standardError = FileHandle.nullDevice
        try made.run()
        made.waitUntilExit()
        guard made.terminationStatus == 0 else {
            throw HarnessError("openssl req ended with \(made.terminationStatus)")
        }
        let certificate = try Certificate.readAll(OctetString(TestMaterial.octets(scratch.file("certificate.pem"))))
        return try XMLSigningKey(
            privateKeyPEM: OctetString(TestMaterial.octets(scratch.file("key.pem"))), certificate: certificate[0].der)
    }

    func sign(
        _ text: String, _ form: XMLSignatureForm = .xades, identifier: String? = nil
    ) throws -> OctetString {
        try XMLSigner(key: rsa, form: form).sign(
            OctetString(text), signingTime: Self.now, identifier: identifier)
    }
}

/// `octets` with the first `wanted` replaced; a harness error when it is not there.
func replacing(_ wanted: String, with other: String, in octets: OctetString) throws -> OctetString {
    let text = octets.text
    guard let range = text.range(of: wanted) else { throw HarnessError("no '\(wanted)' in the document") }
    return OctetString(text.replacingCharacters(in: range, with: other))
}
