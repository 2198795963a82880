import CMSSignatures
import Foundation
import Octets
import PDFSignatures
import SigningServer
import TestSupport
import Testing

/// Data in a PDF beside its signature: timestamps of the document, and certificates in its security store.
@Suite("Timestamps of a PDF and its security store, verified (ISO 32000-2 §12.8.4.3, 12.8.5)")
struct DocumentTimestampTests {
    /// PDFs that pyHanko made with the fixture's keys, once in a test run.
    private struct Made: Sendable {
        private static let making = Task { try await make() }
        static var shared: Made { get async throws { try await making.value } }

        let scratch: ScratchDirectory
        let root: [Certificate]
        let issuing: [Certificate]

        private static func make() async throws -> Made {
            let trust = try await TrustFixture.shared
            let scratch = try ScratchDirectory()
            try scratch.write(PDFSamples.plain(), to: "plain.pdf")
            _ = try await TestPython.run(
                "pdf/timestamped.py",
                [scratch.path, trust.pfx(.expiring), TrustFixture.password, trust.address(.tsa)]
                    + [trust.address(.stranger), trust.address(.brief)])
            return Made(
                scratch: scratch, root: try certificates(trust.root), issuing: try certificates(trust.issuing))
        }

        private static func certificates(_ path: String) throws -> [Certificate] {
            try Certificate.readAll(OctetString(TestMaterial.octets(path)))
        }

        /// - Parameter days: From now on until the verification; the signer's certificate lasts for one.
        func findings(_ name: String, afterDays days: Int, knowsIssuer: Bool = true) throws -> SignatureFindings {
            let policy = TrustPolicy(anchors: root, intermediates: knowsIssuer ? issuing : [])
            let now = Int(Date().timeIntervalSince1970) + 60 + days * 86_400
            return try DocumentVerification(policy: policy, now: now).pdf(
                OctetString(TestMaterial.octets(scratch.file(name + ".pdf"))))
        }
    }

    @Test(
        "a timestamp proves the signature's time or does no harm, even if it is broken or a stranger's",
        arguments: [
            ("signed", TrustVerdict.trusted, TrustVerdict.indeterminate), ("signed-edited", .notTrusted, .notTrusted),
            ("stamped", .trusted, .trusted),
            ("stamped-by-stranger", .trusted, .indeterminate), ("stamped-briefly", .trusted, .indeterminate),
            ("stamped-again", .trusted, .trusted), ("broken", .trusted, .indeterminate),
            ("alone", .trusted, .trusted), ("alone-edited", .notTrusted, .notTrusted),
        ])
    func timestamps(_ name: String, _ today: TrustVerdict, _ later: TrustVerdict) async throws {
        let made = try await Made.shared
        for (days, verdict) in [(0, today), (30, later)] {
            let findings = try made.findings(name, afterDays: days)
            #expect(findings.verdict == verdict, "after \(days) days: \(findings.details)")
            let isProven = findings.individual.contains { $0.provenTime != nil }
            if verdict == .trusted {
                #expect(isProven == !["signed", "stamped-by-stranger", "broken"].contains(name), "after \(days) days")
            }
        }
    }

    @Test("a timestamp outlives its authority's certificate by a later one, and still proves its own time")
    func again() async throws {
        let made = try await Made.shared
        let today = try made.findings("stamped-again", afterDays: 0).individual.first?.provenTime
        let later = try made.findings("stamped-again", afterDays: 30).individual.first?.provenTime
        #expect(today != nil && later == today)
        #expect(try made.findings("stamped-briefly", afterDays: 0).individual.first?.provenTime == today)
    }

    @Test("the path to the anchor may use a certificate of the store, and ends at the anchor alone")
    func store() async throws {
        let made = try await Made.shared
        for name in ["without-issuer", "issuer-in-store"] {
            #expect(try made.findings(name, afterDays: 0).verdict == .trusted)
            let findings = try made.findings(name, afterDays: 0, knowsIssuer: false)
            #expect(
                findings.verdict == (name == "issuer-in-store" ? .trusted : .indeterminate),
                "\(name): \(findings.details)")
        }
    }

    @Test(
        "one signature has one signer (ETSI EN 319 142-1 §6.3)",
        arguments: [[TrustFixture.Signer.plain], [.plain, .listed]])
    func signers(_ signers: [TrustFixture.Signer]) async throws {
        let trust = try await TrustFixture.shared
        let scratch = try ScratchDirectory()
        let now = Int(Date().timeIntervalSince1970)
        let prepared = try PDFSigner().prepare(
            OctetString(PDFSamples.plain()), PDFSignatureOptions(signerName: "Two", time: now, reservedOctets: 16_384))
        let covered = try scratch.write(prepared.covered.collected(), to: "covered")
        let run = try await RunningProgram.run(
            "/usr/bin/openssl",
            ["cms", "-sign", "-binary", "-in", covered, "-outform", "DER", "-md", "sha256", "-certfile", trust.issuing]
                + signers.flatMap { ["-signer", trust.certificate($0), "-inkey", trust.key] }
                + ["-out", scratch.file("cms")], asRoot: true)
        #expect(run.status == 0, "\(run)")
        let signed = try prepared.finish(cms: OctetString(TestMaterial.octets(scratch.file("cms")))).collected()
        let policy = TrustPolicy(anchors: try Certificate.readAll(OctetString(TestMaterial.octets(trust.root))))
        let findings = try DocumentVerification(policy: policy, now: now).pdf(signed)
        #expect(findings.verdict == (signers.count == 1 ? .trusted : .notTrusted), "\(findings.details)")
        #expect(findings.details.contains { $0.message.contains("2 signers") } == (signers.count == 2))
    }
}
