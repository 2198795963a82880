import CMSSignatures
import Octets
import TestSupport
import Testing

@Suite("Certificates")
struct CertificateTests {
    /// A self-signed certificate of these extensions and this subject, by OpenSSL's command.
    private func made(subject: String, alternativeName: String?) async throws -> Certificate {
        let scratch = try ScratchDirectory()
        let made = try await RunningProgram.run(
            "/usr/bin/openssl",
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-utf8", "-days", "1"]
                + ["-subj", subject, "-keyout", "/dev/null", "-out", scratch.file("certificate")]
                + (alternativeName.map { ["-addext", "subjectAltName=" + $0] } ?? []), asRoot: true)
        #expect(made.status == 0, "\(made)")
        let octets = OctetString(try TestMaterial.octets(scratch.file("certificate")))
        return try #require(try Certificate.readAll(octets).first)
    }

    @Test("name their addresses: rfc822Name, SmtpUTF8Mailbox and emailAddress of the subject")
    func addresses() async throws {
        let certificate = try await made(
            subject: "/CN=Alice/emailAddress=old@example.test",
            alternativeName: "email:a@example.test,otherName:1.3.6.1.5.5.7.8.9;UTF8:narrow@example.test"
                + ",DNS:example.test")
        #expect(certificate.addresses == ["a@example.test", "old@example.test"])
        let wide = TestMaterial.fixtures + "/cases/pki/keys/m6@partner.test.p12"
        let key = try PKCS12.load(OctetString(try TestMaterial.octets(wide)), password: "secret")
        #expect(key.certificate.addresses == ["käthe@partner.test"])
    }

    @Test("ignore an ASCII address in a SmtpUTF8Mailbox (RFC 9598 §3)")
    func narrowMailbox() async throws {
        let certificate = try await made(
            subject: "/CN=Alice", alternativeName: "otherName:1.3.6.1.5.5.7.8.9;UTF8:narrow@example.test")
        #expect(certificate.addresses.isEmpty)
    }

    @Test("without addresses have no addresses")
    func noAddress() async throws {
        let certificate = try await made(subject: "/CN=Alice", alternativeName: nil)
        #expect(certificate.addresses.isEmpty)
        #expect(certificate.isSelfIssued)
    }

    @Test("show names as RFC 4514 writes them, and serials without leading zeros")
    func names() async throws {
        let certificate = try await made(subject: "/C=DE/O=Grün, Rot/CN=A\\+B", alternativeName: nil)
        #expect(certificate.subject == "CN=A\\+B,O=Grün\\, Rot,C=DE")
        #expect(!certificate.serial.hasPrefix("0") && certificate.serial == certificate.serial.lowercased())
    }

    @Test("are the same in PEM and DER")
    func forms() throws {
        let certificate = try Demonstration.shared.get().alice.certificate
        #expect(try Certificate(der: certificate.der) == certificate)
        #expect(try Certificate.readAll(OctetString(certificate.pem + certificate.pem)) == [certificate, certificate])
        #expect(certificate.notAfter == Demonstration.now + Demonstration.year)
    }

    @Test(
        "are not found in a file without certificates",
        arguments: ["", "0", "text", "-----BEGIN CERTIFICATE-----\nQQ==\n"])
    func none(_ text: String) {
        #expect(throws: CryptographyError.self) { try Certificate.readAll(OctetString(text)) }
        #expect(throws: CryptographyError.self) { try RevocationList.readAll(OctetString(text)) }
    }
}
