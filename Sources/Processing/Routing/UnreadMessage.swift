public import MailEnvelope
import Composition
import InternetMessage
public import Octets
public import Workflows

/// Outcomes of messages that are not read. Nothing of them is parsed, so that the cause that stopped the reader cannot
/// stop the notice.
public enum UnreadMessage {
    /// The reason why it was not read.
    public static let poisonReason =
        "processing of this message ended three times without a result; it was not examined again"

    /// A message that ended three starts. The administrator gets the raw file as it is; without one it is blocked.
    public static func poisoned(
        entry: String, direction: Direction, file: OctetString, policy: Policy, services: Services
    ) -> Outcome {
        outcome(
            poisonReason, entry: entry, direction: direction, file: OctetRope([file]), policy: policy,
            services: services)
    }

    /// A message whose header cannot be read, or whose envelope block is damaged.
    static func unreadable(_ entry: Entry, because reason: String, policy: Policy, services: Services) -> Outcome {
        // A damaged block goes along: it may be all that still names the recipients.
        let file = OctetRope([entry.block, entry.raw].compactMap(\.self))
        return outcome(
            reason, entry: entry.id, direction: entry.direction, file: file, policy: policy, services: services)
    }

    /// A message that is too large, and whose header or recipients cannot be read either.
    static func tooLarge(_ entry: Entry, because failure: Failure, policy: Policy, services: Services) -> Outcome {
        let account = Outcome.Account(reason: failure.summary, failure: failure)
        let envelope = Envelope(sender: nil, recipients: [], source: .arguments)
        var outputs: [Output] = []
        if let administrator = policy.administrator {
            let notice = Notice(
                from: policy.noticeFrom, to: administrator, what: "message not processed", why: failure.summary,
                entry: entry.id, original: .none,
                inside: Notice.Inside(sender: nil, recipients: [], rule: nil, isKept: true))
            outputs.append(
                Routing.output(
                    notice, to: administrator, folder: .admin, workflow: nil, reason: failure.summary, policy: policy,
                    services: services))
        }
        outputs.append(Routing.claimedFile(entry, envelope, workflow: nil, reason: failure.summary))
        return Outcome(.publish(outputs), account: account)
    }

    /// A message for recipients of whom some cannot be read: it goes to nobody but the administrator, who gets the
    /// file as it is, because all of it may be needed to find out whom it is for.
    static func unreadableRecipients(
        _ entry: Entry, _ texts: [Envelope.UnreadableText], policy: Policy, services: Services, account: Outcome.Account
    ) -> Outcome {
        var account = account
        account.reason = unreadableReason(texts)
        account.failure = Failure(.permanent, account.reason)
        return outcome(
            account.reason, entry: entry.id, direction: entry.direction,
            file: OctetRope([entry.block, entry.raw].compactMap(\.self)), policy: policy, services: services,
            account: account)
    }

    /// Returns the texts that cannot be read, with advice.
    public static func unreadableReason(_ texts: [Envelope.UnreadableText]) -> String {
        let told = 3
        let more = texts.count > told ? " and \(texts.count - told) more" : ""
        return "the message was sent to nobody, because a recipient cannot be read: "
            + texts.prefix(told).map(\.words).joined(separator: "; ") + more
            + "; write each as local-part@domain and put the message in again"
    }

    private static func outcome(
        _ reason: String, entry: String, direction: Direction, file: OctetRope, policy: Policy, services: Services,
        account: Outcome.Account? = nil
    ) -> Outcome {
        let account = account ?? Outcome.Account(reason: reason)
        guard let administrator = policy.administrator else {
            let blocked = Output(
                folder: .blocked, envelope: Envelope(sender: nil, recipients: [], source: .arguments),
                direction: direction, word: .blocked, workflow: nil, reason: reason, content: file)
            return Outcome(.publish([blocked]), account: account)
        }
        let notice = Notice(
            from: policy.noticeFrom, to: administrator, what: "message not processed", why: reason, entry: entry,
            original: .raw(file), inside: Notice.Inside(sender: nil, recipients: [], rule: nil, isKept: true))
        // The claimed file itself, in which nothing is read.
        let kept = Output(
            folder: .blocked, envelope: Envelope(sender: nil, recipients: [], source: .arguments),
            direction: direction, word: .blocked, workflow: nil, reason: reason, content: OctetRope(),
            isClaimedFile: true, isKeptBesideNotice: true)
        return Outcome(
            .publish([
                Routing.output(
                    notice, to: administrator, folder: .admin, workflow: nil, reason: reason, policy: policy,
                    services: services), kept,
            ]), account: account)
    }
}
