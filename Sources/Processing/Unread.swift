import Composition
import InternetMessage
public import Octets
public import Workflows

/// Outcomes of messages that are not read: nothing of them is parsed, so that what stopped the reader cannot stop the notice.
public enum Unread {
    /// Why it was not read.
    public static let poisonReason =
        "processing of this message ended three times without a result; it was not looked into again"

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

    private static func outcome(
        _ reason: String, entry: String, direction: Direction, file: OctetRope, policy: Policy, services: Services
    ) -> Outcome {
        let account = Outcome.Account(reason: reason)
        guard let administrator = policy.administrator else {
            let blocked = Output(
                folder: .blocked, envelope: Envelope(sender: nil, recipients: [], source: .arguments),
                direction: direction, word: .blocked, workflow: nil, reason: reason, content: file)
            return Outcome(.publish([blocked]), account: account)
        }
        let notice = Notice(
            from: policy.noticeFrom, to: administrator, what: "message not processed", why: reason, entry: entry,
            original: .raw(file))
        return Outcome(
            .publish([
                Routing.output(
                    notice, to: administrator, folder: .admin, workflow: nil, reason: reason, policy: policy,
                    services: services)
            ]), account: account)
    }
}
