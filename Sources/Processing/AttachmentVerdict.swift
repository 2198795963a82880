public import DSSProtocol
import Explanations
public import InternetMessage

/// What verifying one attachment came to.
public struct AttachmentVerdict: Sendable {
    public enum Result: Sendable, Hashable {
        case unsigned
        /// SES never decrypts: not looked into.
        case encrypted
        case judged(Verdict)
    }

    /// Where the attachment is; of a file and its detached signature, where the signature is.
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

    /// Whether a revocation service that did not answer is all that stands in the way.
    var isRevocationUnreachable: Bool {
        result == .judged(.indeterminate) && answer?.isRevocationUnreachable == true
            && answer?.verdict == .indeterminate && !hasFindingOfOurs
    }

    /// Whether anything was found here that the server did not say.
    private(set) var hasFindingOfOurs = false

    /// Lets the verdict, and that of every signature, fall to `verdict` for `reason`; they never rise.
    /// - Parameter advice: What the reader can do about it.
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

/// What is said of one signature of an attachment.
public struct SignatureVerdict: Sendable, Hashable {
    public var verdict: Verdict
    /// As the certificate says; nil where nobody says it.
    public var signer: String?
    /// When it was made: as the signer says, for people.
    public var signingTime: String?
    /// When it was there at the latest, as a timestamp proves.
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
