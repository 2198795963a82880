import CMSSignatures
import Foundation
import Octets
import SigningServer
import TestSupport
import Testing

@Suite("Signed documents of other products", .enabled(if: TestMaterial.shared != nil, "needs ../shared"))
struct DocumentCorpusTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let folder: String
        let file: String
        let expected: String
        let anchor: String
        let time: String

        var testDescription: String { folder + "/" + file }
        var path: String { (TestMaterial.shared ?? "") + "/corpora/" + folder + "/" }

        /// - Parameter column: The column of the verdict.
        static func all(_ column: String) -> [Case] {
            guard let shared = TestMaterial.shared else { return [] }
            return ["pdf-signatures", "pdf-plain", "xml-signatures", "xml-plain"].flatMap { folder in
                let rows = (try? TestMaterial.table("\(shared)/corpora/\(folder)/expected.tsv")) ?? []
                return rows.map { row in
                    Case(
                        folder: folder, file: row["file"] ?? "", expected: row[column] ?? row["expected"] ?? "",
                        anchor: row["trust_anchor"] ?? "", time: row["verification_time"] ?? "")
                }
            }
        }

        private func certificates(_ name: String) throws -> [Certificate] {
            try Certificate.readAll(OctetString(TestMaterial.octets(path + name)))
        }

        func policy(allowsWeak: Bool) throws -> TrustPolicy {
            var policy = TrustPolicy(anchors: [], allowsWeakAlgorithms: allowsWeak)
            policy.verificationTime = time.hasPrefix("2") ? UnixTime.of(time) : nil
            let name = String(anchor.prefix { $0 != " " })
            // One row has a bare public key: no anchor, then.
            guard name.hasSuffix(".pem"), !name.hasSuffix("saml_external_ns.pem") else { return policy }
            policy.anchors = try certificates(name)
            if time == "-", let only = policy.anchors.first, let first = only.notBefore, let last = only.notAfter {
                // Where the clock does not matter, the middle of the validity.
                policy.verificationTime = (first + last) / 2
            }
            if file.hasPrefix("xmlsec/") {
                policy.intermediates =
                    try certificates("xmlsec/keys/ca2cert.pem") + certificates("xmlsec/keys/rsa-4096-cert.pem")
            } else if file.hasPrefix("merlin/") {
                for name in try FileManager.default.contentsOfDirectory(atPath: path + "merlin/certs") {
                    // One of them is too old for OpenSSL to read.
                    policy.intermediates += (try? certificates("merlin/certs/" + name)) ?? []
                }
            }
            return policy
        }

        /// The verdict; `error` when the document cannot be read, `not signed` when nothing in it is signed.
        func verdict(allowsWeak: Bool) throws -> String {
            let verification = DocumentVerification(policy: try policy(allowsWeak: allowsWeak), now: 1_785_542_400)
            let octets = OctetString(try TestMaterial.octets(path + file))
            do throws(CryptographyError) {
                let findings = try folder.hasPrefix("pdf") ? verification.pdf(octets) : verification.xml(octets)
                return switch findings.verdict {
                case .trusted: "trusted"
                case .indeterminate: "indeterminate"
                case .notTrusted: "not trusted"
                }
            } catch {
                return error.kind == .missing ? "not signed" : "error: \(error)"
            }
        }
    }

    @Test("no untrustworthy document is trusted", arguments: ["expected", "expected_weak_ok"])
    func neverTooGood(_ column: String) throws {
        for given in Case.all(column) where given.expected != "trusted" {
            let verdict = try given.verdict(allowsWeak: column != "expected")
            #expect(verdict != "trusted", "\(given.testDescription): expected \(given.expected)")
        }
    }

    @Test("sound documents that are signed as a whole are trusted", arguments: ["expected", "expected_weak_ok"])
    func good(_ column: String) throws {
        // Signed in part only, which is not enough here: a reader sees the whole.
        let partly: Set = [
            "xml-crypto/saml_external_ns.xml", "xml-crypto/valid_signature_with_unused_prefixes.xml",
            "xml-crypto/valid_signature_without_transforms_element.xml",
        ]
        // DSA, and RSA with 1024 bits, are weak, whatever the digest.
        let weak: Set = ["xmlsec/enveloping-sha256-dsa2048-sha256.xml", "xml-crypto/valid_signature_utf8.xml"]
        let left = column == "expected" ? partly.union(weak) : partly
        let cases = Case.all(column).filter { $0.expected == "trusted" && !left.contains($0.file) }
        #expect(cases.count >= 14)
        for given in cases {
            let verdict = try given.verdict(allowsWeak: column != "expected")
            #expect(verdict == "trusted", "\(given.testDescription)")
        }
    }

    @Test("none takes two seconds")
    func quick() throws {
        for given in Case.all("expected") {
            let time = try ThreadTime.measure { _ = try given.verdict(allowsWeak: true) }
            #expect(time < .seconds(2), "\(given.testDescription)")
        }
    }

    @Test("finds the corpora")
    func found() { #expect(Case.all("expected").count == 123) }
}
