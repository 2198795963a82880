import Octets
import TestSupport
import Testing

@testable import CMSSignatures

@Suite("Uses of a certificate")
struct CertificateUseTests {
    @Test(
        "a certificate for a service alone does not sign documents",
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

    @Test(
        "an issuer with purposes does not issue for others",
        arguments: [
            ("serverAuth", [CertificateUse.any]), ("OCSPSigning,serverAuth", [.any]),
            ("emailProtection", [.document, .mail, .any]), ("serverAuth,emailProtection", [.document, .mail, .any]),
            ("timeStamping", [.any]), ("clientAuth", [.document, .any]),
            ("anyExtendedKeyUsage", [.document, .mail, .any]),
            (nil, [.document, .mail, .any]),
        ] as [(String?, [CertificateUse])])
    func issuers(_ purposes: String?, _ allowed: [CertificateUse]) async throws {
        let scratch = try ScratchDirectory()
        func openssl(_ arguments: [String]) async throws {
            let run = try await RunningProgram.run("/usr/bin/openssl", arguments, asRoot: true)
            guard run.status == 0 else { throw HarnessError("openssl \(arguments): \(run)") }
        }
        let authority = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign"
        let signer = "keyUsage=critical,digitalSignature\nextendedKeyUsage=emailProtection"
        for (name, issuer, extensions) in [
            ("root", nil, authority),
            ("issuing", "root", authority + (purposes.map { "\nextendedKeyUsage=" + $0 } ?? "")),
            ("leaf", "issuing", signer),
        ] {
            let file = try scratch.write(Array((extensions + "\n").utf8), to: name + ".ext")
            try await openssl([
                "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=\(name)",
                "-keyout", scratch.file(name + ".key"), "-out", scratch.file(name + ".csr"),
            ])
            let signing =
                issuer.map { ["-CA", scratch.file($0 + ".pem"), "-CAkey", scratch.file($0 + ".key")] }
                ?? ["-signkey", scratch.file(name + ".key")]
            try await openssl(
                [
                    "x509", "-req", "-in", scratch.file(name + ".csr"), "-set_serial", "1", "-days", "10", "-extfile",
                    file,
                ]
                    + signing + ["-out", scratch.file(name + ".pem")])
        }
        func certificate(_ name: String) throws -> Certificate {
            try #require(
                try Certificate.readAll(OctetString(try TestMaterial.octets(scratch.file(name + ".pem")))).first)
        }
        for use in [CertificateUse.document, .mail, .any] {
            let policy = TrustPolicy(anchors: [try certificate("root")], intermediates: [try certificate("issuing")])
            let details = try CertificatePath.validate(
                try certificate("leaf"), policy: policy, time: TrustFixture.now, use: use)
            #expect(details.isEmpty == allowed.contains(use), "\(use): \(details)")
            // As an anchor it was chosen for what it is asked about.
            let direct = TrustPolicy(anchors: [try certificate("issuing")])
            let found = try CertificatePath.validate(
                try certificate("leaf"), policy: direct, time: TrustFixture.now, use: use)
            #expect(found.isEmpty, "\(use): \(found)")
        }
    }
}
