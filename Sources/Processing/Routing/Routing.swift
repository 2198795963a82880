import Composition
import DSSProtocol
import Explanations
import InternetMessage
import Octets
import Workflows

/// Turns what was found out about an entry into outputs and their folders, by the actions of the policy.
struct Routing {
    let entry: Entry
    let intake: Intake
    let policy: Policy
    let services: Services
    var workflow: Workflow?
    /// The action that decides, for the administrator.
    var action: RoutingAction?
    var account: Outcome.Account

    init(entry: Entry, intake: Intake, policy: Policy, services: Services) {
        self.entry = entry
        self.intake = intake
        self.policy = policy
        self.services = services
        account = Outcome.Account(messageID: intake.messageID, removed: intake.removed)
        account.envelope = intake.envelope
        account.note(intake.header, envelope: intake.envelope)
    }

    /// The reason why a message is routed by an action.
    enum Cause {
        /// No workflow matched.
        case unmatched(String)
        case verdict(MessageVerdict, of: MessageLayers)
        case failure(Failure)
    }

    mutating func begin(_ workflow: Workflow) {
        self.workflow = workflow
        account.workflow = workflow.name
        account.workflowLine = workflow.line
        if account.reason == workflow.matchReason { account.matchReason = account.reason }
    }

    /// True if the mail's own signature is verified. Authentication-Results reports nothing about attachments.
    var isAboutMail: Bool { workflow.map { $0.operations.contains(.verifyEmail) } ?? true }

    // MARK: - Ends that need no action

    /// An operator's release: as it arrived, to its recipients, never as trusted.
    func release() -> Outcome {
        publish([pass(.released, because: "released by an operator")], reason: "released by an operator")
    }

    /// A message that came round again, in words; nil when it did not.
    func findLoop() -> String? {
        guard
            case .loop(let why) = ReceivedToken.judge(intake.header, token: token(), code: services.authenticationCode)
        else { return nil }
        return why
    }

    func block(because reason: String) -> Outcome {
        publish([blocked(because: reason)], reason: reason)
    }

    /// To whom it should go is never guessed: list mail would go round for ever.
    func noRecipients() -> Outcome {
        let reason = "the message names no recipients: it has no envelope, and none is guessed from its header"
        let failure = Failure(.permanent, reason, advice: .recipients)
        let outputs =
            policy.administrator.map {
                [administratorNotice($0, .failure(failure), isKept: true), kept(because: failure.summary)]
            } ?? [blocked(because: failure.summary)]
        return publish(outputs, reason: failure.summary)
    }

    // MARK: - The ends of operations

    mutating func deliver(signed: OctetRope) -> Outcome {
        account.hasServerResult = true
        return publish(
            [output(.delivered, .signed, content: passed(signed), because: account.reason)], reason: account.reason)
    }

    /// A verified mail goes on when it is trusted or not signed, else by the action for its verdict.
    mutating func show(_ verdict: MessageVerdict, of layers: MessageLayers) throws(Failure) -> Outcome {
        account.verdict = verdict.words
        account.hasServerResult = !verdict.answers.isEmpty
        account.serverAnswer = verdict.serverMessage
        account.reason = ([account.reason, verdict.words] + verdict.reasons.prefix(1)).filter { !$0.isEmpty }
            .joined(separator: "; ")
        if verdict.isRevocationUnreachable, services.retryDelay(entry.attempts + 1) != nil {
            throw Failure(
                .transient,
                "the signer's revocation status cannot be found out: " + verdict.reasons.joined(separator: "; "))
        }
        switch verdict.result {
        case .notSigned: return route(policy.notSignedAction ?? .recipients, .verdict(verdict, of: layers))
        case .judged(.trusted): return route(.recipients, .verdict(verdict, of: layers))
        case .judged(.notTrusted): return route(policy.notTrustedAction, .verdict(verdict, of: layers))
        case .judged(.indeterminate): return route(policy.indeterminateAction, .verdict(verdict, of: layers))
        }
    }

    /// A transient failure waits for its next turn; any other, and the last one, follows `EmailErrorAction`.
    mutating func conclude(_ failure: Failure) -> Outcome {
        account.failure = failure
        // Markup is for the attachment: what it says to people stands in the failure's summary.
        account.serverAnswer = failure.isAnsweredInMarkup ? nil : failure.answer.map { UntrustedText.plainTextLine($0) }
        if let errno = failure.localFault {
            account.reason = failure.summary
            return Outcome(.putBack(errno: errno), account: account)
        }
        if failure.isOutOfTurn {
            account.failure = nil
            account.reason = failure.summary
            return Outcome(.waitForTurn, account: account)
        }
        let attempt = entry.attempts + 1
        if failure.permanence == .transient, let delay = services.retryDelay(attempt) {
            account.reason = failure.summary
            return Outcome(.defer(attempts: attempt, delay: delay), account: account)
        }
        let final =
            failure.permanence == .permanent
            ? failure
            : failure.final(after: attempt)
        account.reason = final.summary
        return route(policy.errorAction, .failure(final))
    }

    // MARK: - Actions

    func route(_ action: RoutingAction, _ cause: Cause) -> Outcome {
        var routing = self
        routing.action = action
        return routing.routed(action, cause)
    }

    private func routed(_ action: RoutingAction, _ cause: Cause) -> Outcome {
        var outputs: [Output] = []
        var remark: String?
        let reason = reason(cause)
        switch action {
        case .block: outputs = [blocked(because: reason)]
        case .recipients: outputs = [toRecipients(cause)]
        case .administrator: outputs = toAdministrator(cause)
        case .administratorAndRecipients:
            let copy = toldAdministrator(cause)
            outputs = [toRecipients(cause)] + copy
            if copy.isEmpty && policy.administrator != nil {
                remark = "the administrator's copy is left out, because AdminCopiesPerHour is reached"
            }
        case .sender: outputs = toSender(cause, isOnlyCopy: true)
        case .administratorAndSender: outputs = toAdministrator(cause) + toSender(cause, isOnlyCopy: false)
        }
        return publish(outputs, reason: reason, remark: remark)
    }

    func reason(_ cause: Cause) -> String {
        switch cause {
        case .unmatched(let reason): reason
        case .verdict(let verdict, _):
            ([verdict.words] + verdict.reasons.prefix(1)).joined(separator: ": ")
        case .failure(let failure): failure.summary
        }
    }

    private func toAdministrator(_ cause: Cause) -> [Output] {
        guard let administrator = policy.administrator else {
            return [blocked(because: reason(cause) + " (no AdminEmailAddress to tell)")]
        }
        return [administratorNotice(administrator, cause, isKept: true), kept(because: reason(cause))]
    }

    /// Tells the administrator about a message that goes on to its recipients. Notices above the limit are told in a
    /// summary.
    private func toldAdministrator(_ cause: Cause) -> [Output] {
        guard let administrator = policy.administrator else { return [] }
        let mention = Notice.Mention(entry: entry.id, messageID: intake.messageID, reason: reason(cause))
        guard services.admitsCopy(mention) else { return [] }
        return [administratorNotice(administrator, cause, isKept: false)]
    }

    /// A notice that is suppressed, or that tells an outsider without returning the content, is never the only copy of
    /// the message.
    private func toSender(_ cause: Cause, isOnlyCopy: Bool) -> [Output] {
        let kept = isOnlyCopy ? [blocked(because: reason(cause))] : []
        guard case .address(let sender)? = intake.envelope.sender, Notice.mayAnswer(intake.header) else { return kept }
        let isInternal = policy.isInternal(sender)
        if isInternal && isOnlyCopy {
            return [senderNotice(sender, cause, withOriginal: true), self.kept(because: reason(cause))]
        }
        guard services.mayNotify(sender) else { return kept }
        return [senderNotice(sender, cause, withOriginal: isInternal)] + kept
    }

    private func toRecipients(_ cause: Cause) -> Output {
        switch cause {
        case .unmatched(let reason): return pass(.passed, because: reason)
        case .failure(let failure):
            let fields = entry.direction == .incoming && isAboutMail ? [authenticationResults(failure)] : []
            return output(
                .delivered, .failed, content: passed(intake.message.rawRope, adding: fields), because: failure.summary)
        case .verdict(let verdict, let layers): return shown(verdict, of: layers)
        }
    }

    func publish(_ outputs: [Output], reason: String, remark: String? = nil) -> Outcome {
        var account = account
        if account.reason.isEmpty { account.reason = reason }
        if let remark { account.reason += "; " + remark }
        return Outcome(.publish(outputs.map(\.fitToLeave)), account: account)
    }
}

extension Outcome.Account {
    /// Notes what the header says beside the envelope, so that a message is found by it later.
    fileprivate mutating func note(_ header: Header, envelope: Envelope) {
        func addresses(_ name: String) -> [AddrSpec] {
            header.all(name).flatMap { AddressList(parsing: $0).mailboxes.map(\.address) }
        }
        let from = addresses("From").first
        if let from, envelope.sender != .address(from) { author = from.description }
        let known = Set(envelope.recipients)
        let others = (addresses("To") + addresses("Cc")).filter { !known.contains($0) }
        addressees = others.prefix(Self.maximumAddressees).map(\.description)
        subject = header.first("Subject").map { UntrustedText.plainTextLine($0.text, limit: 200) }
    }
}

extension Output {
    /// The same without a header line that the next mail server would refuse (RFC 5321 §4.5.3.1.6). A message that is
    /// put aside stays unchanged.
    fileprivate var fitToLeave: Output {
        guard folder == .delivered else { return self }
        return Output(
            folder: folder, envelope: envelope, direction: direction, word: word, workflow: workflow, reason: reason,
            content: content.withFoldedHeader(), isKeptBesideNotice: isKeptBesideNotice)
    }
}
