public import DSSProtocol
import Explanations
public import InternetMessage

/// The result of verifying one attachment.
public struct AttachmentVerdict: Sendable {
    public enum Result: Sendable, Hashable {
        case unsigned
        /// SES never decrypts: not looked into.
        case encrypted
        case judged(Verdict)
    }

    /// The place of the attachment; of a file and its detached signature, the place of the signature.
    public let path: Entity.Path
    /// The file's, decoded and as long as the sender made it; nil without a name.
    public let fileName: String?
    /// The name of the file with the detached signature; nil where the signature is within.
    public var signatureFileName: String?
    public var result: Result
    /// Every reason, the decisive ones first.
    public var reasons: [String]
    /// One for each signature that is known, in the order in which they were made as far as that can be seen.
    public var signatures: [SignatureVerdict]
    /// nil without a server call.
    public var answer: VerificationAnswer?

    public init(
        path: Entity.Path, fileName: String?, _ result: Result, reasons: [String] = [],
        signatures: [SignatureVerdict] = [], answer: VerificationAnswer? = nil
    ) {
        self.path = path
        self.fileName = fileName
        self.result = result
        self.reasons = reasons
        self.signatures = signatures
        self.answer = answer
    }

    /// The verdict; nil where nothing could be judged.
    public var verdict: Verdict? {
        if case .judged(let verdict) = result { verdict } else { nil }
    }

    /// True if a revocation service that did not answer is the only obstacle.
    var isRevocationUnreachable: Bool {
        result == .judged(.indeterminate) && answer?.isRevocationUnreachable == true
            && answer?.verdict == .indeterminate && !hasFindingOfOurs
    }

    /// True if there is a finding that the server did not report.
    private(set) var hasFindingOfOurs = false

    /// Lets the verdict, and that of every signature, fall to `verdict` for `reason`; they never rise.
    /// - Parameter advice: Advice for the reader.
    mutating func lower(to verdict: Verdict, _ reason: String, _ advice: Advice) {
        lowerWhole(to: verdict, advice.added(to: reason))
        for index in signatures.indices {
            signatures[index].verdict = max(signatures[index].verdict, verdict)
        }
    }

    /// The same for the attachment as a whole, whatever its signatures are.
    mutating func lowerWhole(to verdict: Verdict, _ reason: String) {
        guard case .judged(let present) = result else { return }
        hasFindingOfOurs = true
        if verdict > present {
            result = .judged(verdict)
            reasons.insert(reason, at: 0)
        } else if !reasons.contains(reason) {
            reasons.append(reason)
        }
    }
}

/// The verdict on one signature of an attachment.
public struct SignatureVerdict: Sendable, Hashable {
    public var verdict: Verdict
    /// As the certificate says; nil where nobody says it.
    public var signer: String?
    /// The time of signing that the signer claims, for people.
    public var signingTime: String?
    /// The latest time at which it existed, as a timestamp proves.
    public var provenTime: String?
    /// The form field that holds it.
    public var fieldName: String?
    public var reasons: [String]

    public init(
        _ verdict: Verdict, signer: String? = nil, signingTime: String? = nil, provenTime: String? = nil,
        fieldName: String? = nil, reasons: [String] = []
    ) {
        self.verdict = verdict
        self.signer = signer
        self.signingTime = signingTime
        self.provenTime = provenTime
        self.fieldName = fieldName
        self.reasons = reasons
    }

    /// Lets the verdict fall to `verdict` for `reason`; it never rises.
    mutating func lower(to verdict: Verdict, _ reason: String, _ advice: Advice) {
        let reason = advice.added(to: reason)
        if verdict > self.verdict {
            self.verdict = verdict
            reasons.insert(reason, at: 0)
        } else if !reasons.contains(reason) {
            reasons.append(reason)
        }
    }
}
