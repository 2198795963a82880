public import DSSProtocol
import Explanations

/// The result of verifying a mail's own signature, with everything that is reported to readers and the log.
public struct MailVerdict: Sendable {
    public enum Result: Sendable, Hashable {
        /// A fourth result beside the three verdicts: there is nothing that could be judged.
        case notSigned(Unsigned)
        case judged(Verdict)

        /// The words for people, log and journal.
        public var words: String {
            switch self {
            case .notSigned(.plain): "not signed"
            case .notSigned(.encrypted): "not signed (encrypted, not checked)"
            case .judged(let verdict): verdict.words
            }
        }
    }

    public enum Unsigned: Sendable, Hashable {
        case plain
        /// SES never decrypts: encrypted, not checked.
        case encrypted
    }

    public var result: Result
    /// Every reason, the decisive ones first, one sentence each.
    public var reasons: [String]
    /// Fields of the header that differ from their signed copies, a sentence each. They change no verdict.
    public var differences: [String] = []
    /// nil where there was nobody to compare.
    public var identity: SignerIdentity?
    public var signers: [CMSFacts.Signer]
    /// nil without a server call.
    public var answer: VerificationAnswer?
    /// True if there is a local finding other than that the signer is not the author.
    private var hasOtherFinding = false

    public init(
        _ result: Result, reasons: [String], identity: SignerIdentity? = nil, signers: [CMSFacts.Signer] = [],
        answer: VerificationAnswer? = nil
    ) {
        self.result = result
        self.reasons = reasons
        self.identity = identity
        self.signers = signers
        self.answer = answer
    }

    /// True if a revocation service that did not answer is the only obstacle.
    public var isRevocationUnreachable: Bool {
        result == .judged(.indeterminate) && answer?.isRevocationUnreachable == true
    }

    /// True if it is not trusted for the only reason that somebody other than From signed, whoever found that.
    var isOnlySignerWrong: Bool {
        guard result == .judged(.notTrusted), let answer, !hasOtherFinding else { return false }
        if case .mismatch? = identity { return answer.verdict == .trusted || answer.isOnlySignerWrong }
        return answer.isOnlySignerWrong
    }

    /// Lets the verdict fall because the signer is not the author.
    mutating func lowerForIdentity(_ reason: String) {
        let hadOtherFinding = hasOtherFinding
        lower(to: .notTrusted, reason, .otherSigner)
        hasOtherFinding = hadOtherFinding
    }

    /// Lets the verdict fall to `verdict` for `reason`; it never rises.
    mutating func lower(to verdict: Verdict, _ reason: String, _ advice: Advice) {
        let reason = advice.added(to: reason)
        guard case .judged(let present) = result else { return }
        hasOtherFinding = true
        if verdict > present {
            result = .judged(verdict)
            reasons.insert(reason, at: 0)
        } else {
            reasons.append(reason)
        }
    }
}
