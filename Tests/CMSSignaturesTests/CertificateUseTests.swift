import Octets
import TestSupport
import Testing

@testable import CMSSignatures

@Suite("What a certificate may be used for")
struct CertificateUseTests {
    @Test(
        "a certificate of a service alone signs no documents",
        arguments: [
            ("serverAuth", false), ("critical,timeStamping", false), ("OCSPSigning", false),
            ("serverAuth,OCSPSigning", false), ("serverAuth,clientAuth", true), ("emailProtection", true),
            ("serverAuth,1.3.6.1.5.5.7.3.36", true), ("1.3.6.1.5.5.7.3.36", true), ("anyExtendedKeyUsage", true),
            ("codeSigning", true), (nil, true),
        ] as [(String?, Bool)])
    func documents(_ purposes: String?, _ isAllowed: Bool) async throws {
        let scratch = try ScratchDirectory()
        let usage = purposes.map { ["-addext", "extendedKeyUsage=" + $0] } ?? []
        let run = try await RunningProgram.run(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=Server",
                "-keyout", scratch.file("key"), "-out", scratch.file("certificate"),
            ] + usage, asRoot: true)
        #expect(run.status == 0, "\(run)")
        let octets = OctetString(try TestMaterial.octets(scratch.file("certificate")))
        let certificate = try #require(try Certificate.readAll(octets).first)
        #expect(certificate.details(of: .document).isEmpty == isAllowed)
        #expect(certificate.details(of: .any).isEmpty)
    }
}
