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

    /// Statements of a qualified certificate in DER: the last octets of the identifier 0.4.0.1862.1 of each, and its
    /// information.
    private static func statements(_ all: [(kind: [UInt8], information: [UInt8])]) -> String {
        func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] { [tag, UInt8(content.count)] + content }
        let etsi: [UInt8] = [0x04, 0x00, 0x8E, 0x46, 0x01]
        let octets = element(0x30, all.flatMap { element(0x30, element(0x06, etsi + $0.kind) + $0.information) })
        return octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }

    private static let signature: [UInt8] = [0x30, 0x09, 0x06, 0x07, 0x04, 0x00, 0x8E, 0x46, 0x01, 0x06, 0x01]
    private static let website: [UInt8] = [0x30, 0x09, 0x06, 0x07, 0x04, 0x00, 0x8E, 0x46, 0x01, 0x06, 0x03]
    private static let value: [UInt8] = [
        0x30, 0x0C, 0x13, 0x03, 0x45, 0x55, 0x52, 0x02, 0x02, 0x03, 0xE8, 0x02, 0x01, 0x00,
    ]

    @Test(
        "critical statements of a qualified certificate are known if each of them only declares something",
        arguments: [
            ("1.3.6.1.5.5.7.1.3", statements([([1], [])]), true),
            ("1.3.6.1.5.5.7.1.3", statements([([1], []), ([4], []), ([3], [0x02, 0x01, 0x0A])]), true),
            ("1.3.6.1.5.5.7.1.3", statements([([1], []), ([6], signature)]), true),
            ("1.3.6.1.5.5.7.1.3", statements([([1], []), ([6], website)]), false),
            ("1.3.6.1.5.5.7.1.3", statements([([1], []), ([2], value)]), false),
            ("1.3.6.1.5.5.7.1.3", statements([([1], []), ([9], [])]), false),
            ("1.3.6.1.5.5.7.1.3", statements([([1, 1], [])]), false),
            ("1.3.6.1.5.5.7.1.3", "05:00", false),
            ("1.3.6.1.5.5.7.1.3", "30:0a:30:08:06:06:04:00:8e:46:01:01:00", false),
            ("1.2.3.4.5", statements([([1], [])]), false),
        ])
    func qualified(_ extension: String, _ value: String, _ isKnown: Bool) async throws {
        let scratch = try ScratchDirectory()
        let run = try await RunningProgram.run(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=Carol",
                "-keyout", scratch.file("key"), "-out", scratch.file("certificate"), "-addext",
                "keyUsage=critical,nonRepudiation", "-addext", "\(`extension`)=critical,DER:\(value)",
            ], asRoot: true)
        #expect(run.status == 0, "\(run)")
        let octets = OctetString(try TestMaterial.octets(scratch.file("certificate")))
        let certificate = try #require(try Certificate.readAll(octets).first)
        let now = try #require(certificate.notBefore)
        let details = try CertificatePath.validate(
            certificate, policy: TrustPolicy(anchors: [certificate]), time: now, use: .document)
        #expect(details.isEmpty == isKnown, "\(details)")
        #expect((certificate.obstacle(toSigning: .document, at: now) == nil) == isKnown)
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
