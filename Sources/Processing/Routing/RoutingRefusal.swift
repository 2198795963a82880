import Composition
import InternetMessage
import Octets
import Workflows

extension Routing {
    /// Ends a message that is too large to be read: it follows `EmailErrorAction` like any other that failed
    /// permanently.
    ///
    /// Notices have its header only. Where no recipient gets it, the file itself is kept in `blocked`.
    mutating func refuse(_ failure: Failure) -> Outcome {
        account.failure = failure
        account.reason = failure.summary
        let cause = Cause.failure(failure)
        var outputs: [Output] = []
        switch policy.errorAction {
        case .block: break
        case .administrator: outputs = toldOfLarge(policy.administrator, cause, isDelivered: false)
        case .recipients: outputs = [passedLarge(failure)]
        case .administratorAndRecipients:
            outputs = [passedLarge(failure)] + toldOfLarge(policy.administrator, cause, isDelivered: true)
        case .sender: outputs = toldOfLarge(sender, cause, isDelivered: false)
        case .administratorAndSender:
            outputs =
                toldOfLarge(policy.administrator, cause, isDelivered: false)
                + toldOfLarge(sender, cause, isDelivered: false)
        }
        if !outputs.contains(where: { $0.word == .failed }) {
            outputs.append(Self.claimedFile(entry, intake.envelope, workflow: nil, reason: failure.summary))
        }
        return publish(outputs, reason: failure.summary)
    }

    /// Returns true if the recipients get a message that failed, so that all of it is needed.
    static func passesFailed(_ policy: Policy) -> Bool {
        switch policy.errorAction {
        case .recipients, .administratorAndRecipients: true
        case .block, .administrator, .sender, .administratorAndSender: false
        }
    }

    static func claimedFile(_ entry: Entry, _ envelope: Envelope, workflow: String?, reason: String) -> Output {
        Output(
            folder: .blocked, envelope: envelope, direction: entry.direction, word: .blocked, workflow: workflow,
            reason: reason, content: OctetRope(), isClaimedFile: true)
    }

    private func passedLarge(_ failure: Failure) -> Output {
        let fields = entry.direction == .incoming ? [authenticationResults(failure)] : []
        return output(
            .delivered, .failed, content: passed(intake.message.rawRope, adding: fields), because: failure.summary)
    }

    /// The sender, where a notice may go there.
    private var sender: AddrSpec? {
        guard case .address(let address)? = intake.envelope.sender, Notice.mayAnswer(intake.header),
            services.mayNotify(address)
        else { return nil }
        return address
    }

    private func toldOfLarge(_ address: AddrSpec?, _ cause: Cause, isDelivered: Bool) -> [Output] {
        guard let address else { return [] }
        return [
            notice(
                to: address, cause,
                original: isDelivered ? .headerOfDelivered(intake.message) : .headerOfBlocked(intake.message),
                folder: address == policy.administrator ? .admin : .delivered, isKept: !isDelivered)
        ]
    }
}
