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
        let path: PKITSPath

        var testDescription: String { "\(number) \(title)" }
        static let folder = (TestMaterial.shared ?? "") + "/corpora/pkits/"

        static let all: [Case] = {
            guard TestMaterial.shared != nil else { return [] }
            return ((try? TestMaterial.table(folder + "expected.tsv")) ?? []).map { row in
                let column = row.keys.first { $0.hasPrefix("certs") } ?? ""
                return Case(
                    number: row["case"] ?? "", title: row["title"] ?? "", isValid: row["expected"] == "VALID",
                    path: PKITSPath(
                        folder: folder, certificates: (row[column] ?? "").split(separator: " ").map(String.init),
                        lists: (row["crls"] ?? "").split(separator: " ").map(String.init)))
            }
        }()
        /// Paths that OpenSSL refuses though they are valid: DSA parameters inherited from the issuer.
        static let knownRefusals: Set<String> = ["4.1.5"]
    }

    @Test("judges the path as the suite does; nothing invalid is accepted", arguments: Case.all)
    func path(_ given: Case) throws {
        let details = try given.path.details()
        if Case.knownRefusals.contains(given.number) {
            #expect(!details.isEmpty)
        } else {
            #expect(details.isEmpty == given.isValid, "\(details.map(\.message))")
        }
    }

    @Test("finds the suite")
    func found() { #expect(Case.all.count == 76) }
}
