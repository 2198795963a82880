import CMSSignatures
import Octets
import TestSupport
import Testing

@Suite("Certification paths (NIST PKITS)", .enabled(if: TestMaterial.shared != nil, "needs ../shared"))
struct PathValidationTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let number: String
        let title: String
        let isValid: Bool
        let certificates: [String]
        let lists: [String]

        var testDescription: String { "\(number) \(title)" }
        static let folder = (TestMaterial.shared ?? "") + "/corpora/pkits/"

        static let all: [Case] = {
            guard TestMaterial.shared != nil else { return [] }
            return ((try? TestMaterial.table(folder + "expected.tsv")) ?? []).map { row in
                let column = row.keys.first { $0.hasPrefix("certs") } ?? ""
                return Case(
                    number: row["case"] ?? "", title: row["title"] ?? "", isValid: row["expected"] == "VALID",
                    certificates: (row[column] ?? "").split(separator: " ").map(String.init),
                    lists: (row["crls"] ?? "").split(separator: " ").map(String.init))
            }
        }()
        /// Paths that OpenSSL refuses though they are valid: DSA parameters inherited from the issuer.
        static let knownRefusals: Set<String> = ["4.1.5"]
    }

    @Test("judges the path as the suite does; nothing invalid is accepted", arguments: Case.all)
    func path(_ given: Case) throws {
        let certificates = try given.certificates.map { name in
            try Certificate(der: OctetString(try TestMaterial.octets(Case.folder + name)))
        }
        let lists = try given.lists.flatMap { name in
            try RevocationList.readAll(OctetString(try TestMaterial.octets(Case.folder + name)))
        }
        let anchor = try #require(certificates.first)
        let leaf = try #require(certificates.last)
        let policy = TrustPolicy(
            anchors: [anchor], revocationLists: lists, revocation: .require, allowsWeakAlgorithms: true)
        let details = try CertificatePath.validate(
            leaf, others: Array(certificates.dropFirst().dropLast()), policy: policy, time: 1_302_782_400, use: .any)
        if Case.knownRefusals.contains(given.number) {
            #expect(!details.isEmpty)
        } else {
            #expect(details.isEmpty == given.isValid, "\(details.map(\.message))")
        }
    }

    @Test("finds the suite")
    func found() { #expect(Case.all.count == 76) }
}
