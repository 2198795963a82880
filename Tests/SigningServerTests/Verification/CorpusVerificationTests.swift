import CMSSignatures
import Octets
import SigningServer
import TestSupport
import Testing

@Suite("Signed mail of other products", .enabled(if: TestMaterial.shared != nil, "needs ../shared"))
struct CorpusVerificationTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let folder: String
        let file: String
        let expected: String
        let expectedWeak: String
        let anchor: String
        let time: String

        var testDescription: String { folder + "/" + file }
        var path: String { (TestMaterial.shared ?? "") + "/corpora/" + folder + "/" }

        static let all: [Case] = {
            guard let shared = TestMaterial.shared else { return [] }
            return ["smime-good", "smime-identity", "smime-rfc4134"].flatMap { folder in
                let rows = (try? TestMaterial.table("\(shared)/corpora/\(folder)/expected.tsv")) ?? []
                return rows.map { row in
                    Case(
                        folder: folder, file: row["file"] ?? "", expected: row["expected"] ?? "",
                        expectedWeak: row["expected_weak_ok"] ?? "", anchor: row["trust_anchor"] ?? "",
                        time: row["verification_time"] ?? "")
                }
            }
        }()

        func policy(allowsWeak: Bool) throws -> TrustPolicy {
            var policy = TrustPolicy(anchors: [], allowsWeakAlgorithms: allowsWeak)
            if anchor != "none" && anchor != "-" {
                let file = anchor.split(separator: " ").first.map(String.init) ?? anchor
                policy.anchors = try Certificate.readAll(OctetString(try TestMaterial.octets(path + file)))
            }
            if time != "-" {
                let seconds: Int = try #require(UnixTime.of(time))
                policy.verificationTime = seconds
            }
            if file == "bouncycastle/validator.revoked.eml" {
                let list = try TestMaterial.octets(path + "bouncycastle/validator.revoked.crl")
                policy.revocationLists = try RevocationList.readAll(OctetString(list))
                policy.revocation = .present
            }
            return policy
        }

        func verdict(allowsWeak: Bool) throws -> String {
            let octets = OctetString(try TestMaterial.octets(path + file))
            let policy = try policy(allowsWeak: allowsWeak)
            let verdict: TrustVerdict?
            if file.hasSuffix(".p7m") {
                let content = file == "4.3.p7m" ? OctetString(try TestMaterial.octets(path + "ExContent.txt")) : nil
                verdict = try CMSVerifier(policy: policy, use: .document).verify(
                    octets, content: content, now: 1_800_000_000
                )
                .verdict
            } else {
                let verification = SignedMailVerification(policy: policy, scratch: MemoryCollecting(limit: 1 << 24))
                verdict = try verification.verify(octets, now: 1_800_000_000)?.verdict
            }
            return switch verdict {
            case .trusted: "trusted"
            case .indeterminate: "indeterminate"
            case .notTrusted: "not trusted"
            case nil: "not signed"
            }
        }
    }

    @Test("gets the verdict of the corpus", arguments: Case.all)
    func strict(_ given: Case) throws {
        let verdict = try given.verdict(allowsWeak: false)
        #expect(verdict == given.expected || given.expected == "no fixed verdict")
    }

    @Test("gets the verdict of the corpus when weak algorithms are allowed", arguments: Case.all)
    func weak(_ given: Case) throws {
        let verdict = try given.verdict(allowsWeak: true)
        #expect(verdict == given.expectedWeak || given.expectedWeak == "no fixed verdict")
    }

    @Test("finds the corpora")
    func found() { #expect(Case.all.count == 73) }
}
