import CMSSignatures
import Foundation
import Octets
import TestSupport
import Testing
import XMLSignatures

@Suite("Signed XML of other products", .enabled(if: TestMaterial.shared != nil, "needs ../shared"))
struct CorpusTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let file: String
        let expected: String
        let expectedWeak: String
        let anchor: String
        let time: String
        var testDescription: String { file }

        static let folder = (TestMaterial.shared ?? "") + "/corpora/xml-signatures/"
        static let all: [Case] = ((try? TestMaterial.table(folder + "expected.tsv")) ?? []).map { row in
            Case(
                file: row["file"] ?? "", expected: row["expected"] ?? "", expectedWeak: row["expected_weak_ok"] ?? "",
                anchor: row["trust_anchor"] ?? "", time: row["verification_time"] ?? "")
        }

        private func certificates(_ path: String) throws -> [Certificate] {
            try Certificate.readAll(OctetString(TestMaterial.octets(Self.folder + path)))
        }

        /// The one anchor, and what stands beside it as intermediates.
        func policy(allowsWeak: Bool) throws -> TrustPolicy {
            var policy = TrustPolicy(anchors: [], allowsWeakAlgorithms: allowsWeak)
            policy.verificationTime = time == "-" ? nil : try seconds(time)
            guard !anchor.hasPrefix("none") else { return policy }
            let path = String(anchor.prefix { $0 != " " })
            // One row has a bare public key: no anchor, then.
            policy.anchors = path.hasSuffix("saml_external_ns.pem") ? [] : try certificates(path)
            if file.hasPrefix("xmlsec/") {
                policy.intermediates =
                    try certificates("xmlsec/keys/ca2cert.pem")
                    + certificates("xmlsec/keys/rsa-4096-cert.pem")
            } else if file.hasPrefix("merlin/") {
                for name in try FileManager.default.contentsOfDirectory(atPath: Self.folder + "merlin/certs") {
                    // One of them is too old for OpenSSL to read.
                    policy.intermediates += (try? certificates("merlin/certs/" + name)) ?? []
                }
            }
            return policy
        }

        private func seconds(_ time: String) throws -> Int {
            Int(try Date(time, strategy: .iso8601).timeIntervalSince1970)
        }

        /// Returns the verdict of a server that trusts these findings by the rules of CMSSignatures.
        func verdict(allowsWeak: Bool) throws -> String {
            let policy = try policy(allowsWeak: allowsWeak)
            let known = (policy.anchors + policy.intermediates).map(\.der)
            let document = OctetString(try TestMaterial.octets(Case.folder + file))
            let signatures: [XMLSignature]
            do throws(XMLSignatureError) {
                signatures = try XMLSignatureReading.signatures(in: document, known: known)
            } catch {
                return error.kind == .documentType ? "indeterminate" : "error: \(error)"
            }
            if signatures.isEmpty { return "not signed" }
            var verdict = TrustVerdict.trusted
            for signature in signatures {
                switch try Self.verdict(signature, policy) {
                case .trusted: break
                case .indeterminate: if verdict == .trusted { verdict = .indeterminate }
                case .notTrusted: verdict = .notTrusted
                }
            }
            return switch verdict {
            case .trusted: "trusted"
            case .indeterminate: "indeterminate"
            case .notTrusted: "not trusted"
            }
        }

        private static func verdict(_ signature: XMLSignature, _ given: TrustPolicy) throws -> TrustVerdict {
            var details = signature.findings.map {
                VerificationDetail(.signature, $0.level == .invalid ? .invalid : .indeterminate, $0.message)
            }
            switch signature.integrity {
            case .intact: break
            case .broken(let reason): details.append(VerificationDetail(.signature, .invalid, reason))
            case .unknown(let reason): details.append(VerificationDetail(.signature, .indeterminate, reason))
            }
            for weakness in signature.weaknesses where weakness.isBroken || !given.allowsWeakAlgorithms {
                details.append(VerificationDetail(.signature, .indeterminate, weakness.algorithm))
            }
            var policy = given
            for list in signature.revocationLists {
                policy.revocationLists += try RevocationList.readAll(list)
                policy.revocation = .present
            }
            if let signer = signature.certificates.first, let certificate = try? Certificate(der: signer) {
                let others = signature.certificates.dropFirst().compactMap { try? Certificate(der: $0) }
                // Where the clock does not matter, the middle of the certificate's validity.
                let middle = ((certificate.notBefore ?? 0) + (certificate.notAfter ?? 0)) / 2
                let time = policy.verificationTime ?? middle
                details += try CertificatePath.validate(
                    certificate, others: others, policy: policy, time: time, use: .document,
                    signingTime: signature.claimedTime)
            } else if signature.signer == nil {
                details.append(VerificationDetail(.issuerTrust, .indeterminate, "no certificate"))
            }
            return TrustVerdict(details)
        }
    }

    /// The documents whose verdict is another one, on the safe side, and the reasons.
    static let stricter: [String: (strict: String, weak: String, why: String)] = {
        var rows = [
            "xmlsec/enveloping-sha256-dsa2048-sha256.xml": ("indeterminate", "trusted", "DSA counts as weak"),
            "xml-crypto/valid_signature_utf8.xml": ("indeterminate", "trusted", "RSA with 1024 bits"),
            "xml-crypto/saml_external_ns.xml": ("not trusted", "not trusted", "signs the Assertion only"),
            "xml-crypto/valid_signature_with_unused_prefixes.xml": (
                "not trusted", "not trusted", "signs the Body and some headers only"
            ),
            "xml-crypto/valid_signature_without_transforms_element.xml": (
                "not trusted", "not trusted", "signs one child only"
            ),
        ]
        for name in [
            " wsu", "", "_with_lowercase_id_attribute", "_with_reference_keyInfo", "_with_root_level_sig_namespace",
            "_with_whitespace_in_digestvalue",
        ] {
            rows["xml-crypto/valid_signature\(name).xml"] = ("not trusted", "not trusted", "signs three elements only")
        }
        return rows
    }()

    @Test("gets the verdict of the corpus", arguments: Case.all)
    func strict(_ given: Case) throws {
        #expect(try given.verdict(allowsWeak: false) == Self.stricter[given.file]?.strict ?? given.expected)
    }

    @Test("gets the verdict of the corpus when weak algorithms are allowed", arguments: Case.all)
    func weak(_ given: Case) throws {
        #expect(try given.verdict(allowsWeak: true) == Self.stricter[given.file]?.weak ?? given.expectedWeak)
    }

    @Test("a signature of a part is not trusted for that reason, and nearly all signatures of the whole are accepted")
    func valid() throws {
        let valid = Case.all.filter { $0.expectedWeak == "trusted" }
        #expect(valid.count == 27)
        let parts = valid.filter { Self.stricter[$0.file]?.weak == "not trusted" }
        for part in parts {
            let document = OctetString(try TestMaterial.octets(Case.folder + part.file))
            for signature in try XMLSignatureReading.signatures(in: document) {
                #expect(!signature.coversWholeDocument, "\(part.file)")
            }
        }
        let whole = valid.count - parts.count
        let accepted = try valid.filter { try $0.verdict(allowsWeak: true) == "trusted" }.count
        #expect(Double(accepted) >= 0.95 * Double(whole))
    }

    @Test("no document takes longer than a moment", arguments: Case.all)
    func time(_ given: Case) throws {
        let document = OctetString(try TestMaterial.octets(Case.folder + given.file))
        let spent = ThreadTime.measure { _ = try? XMLSignatureReading.signatures(in: document) }
        #expect(spent < .seconds(2))
    }

    @Test("finds the corpus")
    func found() { #expect(Case.all.count == 76) }
}
