import Foundation
import Octets
import TestSupport

/// Signed and attacked PDFs, made by `Fixtures/pdf/signed.py` once in a test run, with pyHanko's opinion of each.
struct SignedFixtures: Sendable {
    struct Opinion: Decodable, Sendable {
        struct Signature: Decodable, Sendable {
            let field: String
            /// Intact, trusted and nothing changed that pyHanko's policy forbids.
            let good: Bool
            let intact: Bool
        }
        let signatures: [Signature]?
        let error: String?
    }

    let scratch: ScratchDirectory
    let opinions: [String: Opinion]

    func document(_ name: String) throws -> OctetString {
        OctetString(try TestMaterial.octets(scratch.file(name + ".pdf")))
    }

    func names(_ prefix: String) -> [String] { opinions.keys.filter { $0.hasPrefix(prefix) }.sorted() }

    private static let making = Task { try await make() }
    static var shared: SignedFixtures { get async throws { try await making.value } }

    private static func make() async throws -> SignedFixtures {
        let scratch = try ScratchDirectory()
        let python = TestPython.path
        let run = try await RunningProgram.run(
            python, [TestMaterial.fixtures + "/pdf/signed.py", scratch.path], asRoot: true, within: .seconds(120))
        guard run.status == 0 else {
            throw HarnessError("\(python), which needs pyHanko, pikepdf and cryptography (see SES_TEST_PYTHON): \(run)")
        }
        let opinions = try JSONDecoder().decode(
            [String: Opinion].self, from: Data(try TestMaterial.octets(scratch.file("oracle.json"))))
        return SignedFixtures(scratch: scratch, opinions: opinions)
    }
}
