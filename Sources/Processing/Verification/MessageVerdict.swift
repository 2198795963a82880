import MailEnvelope
import Composition
import DSSProtocol

/// The result of verification: the mail itself, its attachments, and the verdict on both together.
public struct MessageVerdict: Sendable {
    /// The mail's own; nil where only attachments were to be verified.
    public let mail: MailVerdict?
    /// nil where they were not to be verified.
    public let attachments: AttachmentVerdicts?

    public init(mail: MailVerdict?, attachments: AttachmentVerdicts?) {
        self.mail = mail
        self.attachments = attachments
    }

    /// The worst of all signed objects; not signed where none is.
    public var result: MailVerdict.Result {
        if let worst = judged.max() { return .judged(worst) }
        let isEncrypted = mail?.result == .notSigned(.encrypted) || attachments?.isMailEncrypted == true
        return .notSigned(isEncrypted ? .encrypted : .plain)
    }

    /// The verdicts of all signed objects.
    private var judged: [Verdict] {
        var all = attachments?.all.compactMap(\.verdict) ?? []
        if case .judged(let verdict)? = mail?.result { all.append(verdict) }
        return all
    }

    /// The words for people, log and journal.
    public var words: String { result.words }

    /// Every reason, those of the objects with the worst verdict first.
    public var reasons: [String] {
        guard let attachments else { return (mail?.reasons ?? []) + (mail?.differences ?? []) }
        var told: [(verdict: Verdict?, reasons: [String])] = []
        if let mail {
            var verdict: Verdict?
            if case .judged(let own) = mail.result { verdict = own }
            told.append((verdict, mail.reasons + mail.differences))
        }
        for attachment in attachments.all {
            told.append((attachment.verdict, attachment.reasons.map { attachment.subject + ": " + $0 }))
        }
        told.append((nil, attachments.remarks))
        func rank(_ verdict: Verdict?) -> Int { verdict.map { Verdict.notTrusted.rawValue - $0.rawValue } ?? 9 }
        let sorted = told.enumerated().sorted {
            (rank($0.element.verdict), $0.offset) < (rank($1.element.verdict), $1.offset)
        }
        let reasons = sorted.flatMap(\.element.reasons)
        if reasons.isEmpty, case .notSigned(.plain) = result { return ["no attachment is signed"] }
        return reasons
    }

    /// True if a revocation service that did not answer is the only obstacle, for every object in doubt.
    public var isRevocationUnreachable: Bool {
        guard result == .judged(.indeterminate) else { return false }
        let isMailFine = mail.map { $0.result != .judged(.indeterminate) || $0.isRevocationUnreachable } ?? true
        return isMailFine
            && attachments?.all.allSatisfy { $0.verdict != .indeterminate || $0.isRevocationUnreachable } ?? true
    }

    /// The answers of the server, the mail's first.
    var answers: [VerificationAnswer] {
        [mail?.answer].compactMap(\.self) + (attachments?.all.compactMap(\.answer) ?? [])
    }

    /// The server's message about the worst object, in one line.
    var serverMessage: String? {
        answers.enumerated().max { ($0.element.verdict, -$0.offset) < ($1.element.verdict, -$1.offset) }?
            .element.messages.first
    }
}

/// The verdicts of a mail's attachments.
public struct AttachmentVerdicts: Sendable {
    /// In the order of the parts.
    public var all: [AttachmentVerdict]
    /// The things that were not examined, and the reasons.
    public var remarks: [String]
    /// True if the mail is encrypted, so that nothing of it could be seen.
    public var isMailEncrypted: Bool

    public init(_ all: [AttachmentVerdict], remarks: [String] = [], isMailEncrypted: Bool = false) {
        self.all = all
        self.remarks = remarks
        self.isMailEncrypted = isMailEncrypted
    }
}

extension AttachmentVerdict {
    /// The attachment in a sentence, log or header: its name is a stranger's, and stays in its quotes.
    var subject: String {
        fileName.map { "attachment " + UntrustedText.quotedName($0) } ?? "an attachment without a name"
    }
}
