public import DSSProtocol
import Explanations

/// The verdict on one file that stands alone, outside of any mail.
public struct FileVerdict: Sendable {
    /// nil if the file carries no signature.
    public let verdict: Verdict?
    /// One for each signature, in the order in which they were made as far as that can be seen.
    public let signatures: [SignatureVerdict]
    /// Every reason, those of the worst signature first.
    public let reasons: [String]

    /// Joins what the server says of a PDF or XML document and what is found in it here, which only lowers it.
    /// - Parameter found: The signatures that were found here.
    public init(_ answer: VerificationAnswer, found: [DocumentSignature]) {
        self.init(answer, DocumentJudgement(answer: answer).signatures(found))
    }

    /// Joins what the server says of a CMS and what is found in it here.
    /// - Parameters:
    ///   - facts: The facts in it.
    ///   - integrity: The result of comparing it with its content here.
    public init(_ answer: VerificationAnswer, _ facts: CMSFacts, _ integrity: SignatureIntegrity) {
        var signatures = DocumentJudgement(answer: answer).signatures(facts)
        for index in signatures.indices {
            switch integrity {
            case .intact: break
            case .broken(let why):
                signatures[index].lower(to: .notTrusted, "the signature does not match the content: " + why, .changed)
            case .unknown(let why):
                signatures[index].lower(
                    to: .indeterminate, "the signature cannot be checked here: " + why, .unsupported)
            }
        }
        self.init(answer, signatures)
    }

    private init(_ answer: VerificationAnswer, _ signatures: [SignatureVerdict]) {
        self.signatures = signatures
        verdict = signatures.isEmpty ? nil : max(answer.verdict, signatures.map(\.verdict).max() ?? answer.verdict)
        let worstFirst = signatures.sorted { $0.verdict > $1.verdict }
        var reasons = worstFirst.flatMap(\.reasons)
        for message in answer.messages where !reasons.contains(message) { reasons.append(message) }
        self.reasons = signatures.isEmpty ? ["the file carries no signature"] : reasons
    }
}
