import CMSSignatures
import Octets
import TestSupport
import Testing

@Suite("PKCS #12 files")
struct PKCS12Tests {
    private let demonstration: Demonstration

    init() throws { demonstration = try Demonstration.shared.get() }

    @Test("give back key, certificate and chain", arguments: ["a password", "", "Grüße"])
    func roundTrip(_ password: String) throws {
        let file = try PKCS12.export(demonstration.alice, password: password, friendlyName: "alice")
        let key = try PKCS12.load(file, password: password)
        #expect(key.certificate == demonstration.alice.certificate)
        #expect(key.chain == [demonstration.authority.certificate])
        let signature = try CMSSigner(key: key).sign(detached: OctetString("x"), signingTime: Demonstration.now)
        #expect(try CMSInspection.check(signature, content: OctetString("x")) == .intact)
    }

    private func kind(_ octets: OctetString, _ password: String) -> CryptographyError.Kind? {
        do throws(CryptographyError) { _ = try PKCS12.load(octets, password: password) } catch { return error.kind }
        return nil
    }

    @Test("say when the password is wrong")
    func wrongPassword() throws {
        let file = try PKCS12.export(demonstration.alice, password: "right", friendlyName: "alice")
        #expect(kind(file, "wrong") == .wrongPassword)
        #expect(kind(file, "") == .wrongPassword)
    }

    @Test("that are not PKCS #12 say so", arguments: ["", "hello", "0\u{02}\u{05}\u{00}"])
    func malformed(_ text: String) { #expect(kind(OctetString(text), "x") == .malformed) }

    @Test("of old exporters say how to make new ones")
    func legacy() async throws {
        let scratch = try ScratchDirectory()
        let key = try scratch.write(try demonstration.alice.privateKeyPEM(), to: "key.pem")
        let certificate = try scratch.write(Array(demonstration.alice.certificate.pem.utf8), to: "certificate.pem")
        let made = try await RunningProgram.run(
            "/usr/bin/openssl",
            ["pkcs12", "-export", "-legacy", "-inkey", key, "-in", certificate, "-passout", "pass:old"]
                + ["-out", scratch.file("old.p12")], asRoot: true)
        #expect(made.status == 0, "\(made)")
        let file = OctetString(try TestMaterial.octets(scratch.file("old.p12")))
        #expect(kind(file, "old") == .unsupported)
    }

    @Test("without a key say so")
    func noKey() async throws {
        let scratch = try ScratchDirectory()
        let certificate = try scratch.write(Array(demonstration.alice.certificate.pem.utf8), to: "certificate.pem")
        let made = try await RunningProgram.run(
            "/usr/bin/openssl",
            ["pkcs12", "-export", "-nokeys", "-in", certificate, "-passout", "pass:x", "-out", scratch.file("f")],
            asRoot: true)
        #expect(made.status == 0, "\(made)")
        #expect(kind(OctetString(try TestMaterial.octets(scratch.file("f"))), "x") == .missing)
    }
}
