import Composition
import DSSProtocol
import Explanations
import InternetMessage
import Octets
import Workflows

/// The outputs that ``Routing`` is made of.
extension Routing {
    // MARK: - To the recipients

    /// The message as it arrived, to its recipients.
    func pass(_ word: OutcomeWord, because reason: String) -> Output {
        output(.delivered, word, content: passed(intake.message.rawRope), because: reason)
    }

    /// A verified message, with its result shown by the workflow's rule.
    func shown(_ verdict: MessageVerdict, of layers: MessageLayers) -> Output {
        let results = [verdict.mail.map { authenticationResults($0).field }].compactMap(\.self)
        let composition = ResultComposition(
            rule: (workflow?.resultRule ?? .original).composed, result: text(of: verdict, layers),
            answers: attachedAnswers(verdict), addedFields: results + [receivedField()], token: services.makeToken())
        return output(
            .delivered, verdict.outcomeWord, content: composition.compose(intake.message, read: layers.message),
            because: account.reason)
    }

    /// Puts our own fields on top of a message that goes on to its recipients.
    func passed(_ message: OctetRope, adding fields: [String] = []) -> OctetRope {
        var rope = OctetRope()
        for field in fields { rope.append(field) }
        rope.append(receivedField())
        rope.append(message)
        return rope
    }

    func output(_ folder: Output.Folder, _ word: OutcomeWord, content: OctetRope, because reason: String) -> Output {
        Output(
            folder: folder, envelope: intake.envelope, direction: entry.direction, word: word,
            workflow: workflow?.name, reason: reason, content: content)
    }

    func blocked(because reason: String) -> Output {
        output(.blocked, .blocked, content: intake.message.rawRope, because: reason)
    }

    /// A copy beside a notice with which somebody gets the message. The notice may bounce, and its reader may want the
    /// message to go on.
    func kept(because reason: String) -> Output {
        Output(
            folder: .blocked, envelope: intake.envelope, direction: entry.direction, word: .blocked,
            workflow: workflow?.name, reason: reason, content: intake.message.rawRope, isKeptBesideNotice: true)
    }

    // MARK: - Notices

    /// - Parameter isKept: True if the message stands in `blocked` beside the notice.
    func administratorNotice(_ address: AddrSpec, _ cause: Cause, isKept: Bool) -> Output {
        notice(to: address, cause, original: .attached(intake.message), folder: .admin, isKept: isKept)
    }

    func senderNotice(_ address: AddrSpec, _ cause: Cause, withOriginal: Bool) -> Output {
        notice(
            to: address, cause, original: withOriginal ? .attached(intake.message) : .headerOnly(intake.message),
            folder: .delivered)
    }

    func notice(
        to address: AddrSpec, _ cause: Cause, original: Notice.Original, folder: Output.Folder, isKept: Bool = false
    ) -> Output {
        var result: ResultText?
        var answers: [ServerAnswer] = []
        switch cause {
        case .unmatched: break
        case .verdict(let verdict, let layers):
            result = text(of: verdict, layers)
            answers = attachedAnswers(verdict)
        case .failure(let failure):
            if workflow?.attachesResponse == true, failure.isAnsweredInMarkup, let raw = failure.answer {
                answers = [ServerAnswer(OctetString(raw), entry: entry.id)]
            }
        }
        let notice = Notice(
            from: policy.noticeFrom, to: address, what: what(cause), why: reason(cause), workflow: workflow?.name,
            serverMessage: account.serverAnswer, entry: entry.id, result: result, answers: answers, original: original,
            inside: folder == .admin ? inside(isKept: isKept) : nil)
        return Self.output(
            notice, to: address, folder: folder, workflow: workflow?.name, reason: reason(cause), policy: policy,
            services: services)
    }

    /// The facts that the administrator alone is told.
    private func inside(isKept: Bool) -> Notice.Inside {
        let section = entry.direction == .outgoing ? "Outgoing" : "Incoming"
        var rule = workflow.map { "\(section), workflow \"\($0.name)\", ses.xml line \($0.line)" } ?? section
        if let action { rule += "; action " + action.rawValue }
        return Notice.Inside(
            sender: intake.envelope.sender.map(\.shown), recipients: intake.envelope.recipients.map(\.description),
            rule: rule, isKept: isKept)
    }

    /// A notice travels in the direction of its reader, under the null sender and with NOTIFY=NEVER, so that no answer
    /// can cause a loop.
    static func output(
        _ notice: Notice, to address: AddrSpec, folder: Output.Folder, workflow: String?, reason: String,
        policy: Policy, services: Services
    ) -> Output {
        Output(
            folder: folder,
            envelope: Envelope(
                sender: .null, recipients: [address], source: .arguments,
                notification: NotificationRequest(notify: .never)),
            direction: policy.isInternal(address) ? .incoming : .outgoing, word: .notice, workflow: workflow,
            reason: reason,
            content: notice.compose(date: MailDate(unixSeconds: Int64(services.now())), token: services.makeToken()))
    }

    private func what(_ cause: Cause) -> String {
        switch (cause, entry.direction) {
        case (.unmatched, _): "message without a workflow"
        case (.failure, .outgoing): "message not signed"
        case (.failure, .incoming): "message not verified"
        case (.verdict(let verdict, _), _): "signature " + verdict.words
        }
    }

    // MARK: - Authentication-Results

    private func authenticationResults(_ verdict: MailVerdict) -> AuthenticationResults {
        AuthenticationResults(
            authservID: policy.authservID, result: verdict.authenticationResult,
            // A good signature beside a header that says otherwise needs a word.
            reason: (verdict.authenticationResult == .pass ? verdict.differences.first : verdict.reasons.first)
                .map(Advice.removed(from:)),
            signers: verdict.signers.map {
                AuthenticationResults.Signer(
                    identifier: verdict.identity?.comparedAddress(of: $0) ?? $0.addresses.first ?? $0.subject,
                    issuer: $0.issuer, serial: $0.serial)
            })
    }

    func authenticationResults(_ failure: Failure) -> String {
        AuthenticationResults(
            authservID: policy.authservID, result: failure.wasTransient ? .temperror : .permerror,
            reason: Advice.removed(from: failure.summary)
        ).field
    }

    // MARK: - Knowing a message again

    func token() -> ReceivedToken {
        ReceivedToken(
            direction: entry.direction.rawValue, messageID: intake.messageID, recipients: intake.envelope.recipients)
    }

    private func receivedField() -> String {
        token().field(
            unique: entry.uniqueName, host: services.hostName, date: MailDate(unixSeconds: Int64(services.now())),
            code: services.authenticationCode)
    }
}

extension ResultRule {
    fileprivate var composed: ResultComposition.Rule {
        switch self {
        case .top: .top
        case .bottom: .bottom
        case .originalAsAttachment: .originalAsAttachment
        case .original: .original
        }
    }
}

extension MessageVerdict {
    fileprivate var outcomeWord: OutcomeWord {
        switch result {
        case .notSigned: .notSigned
        case .judged(.trusted): .verified
        case .judged(.notTrusted): .notTrusted
        case .judged(.indeterminate): .indeterminate
        }
    }
}

extension MailVerdict {
    /// RFC 8601 §2.7.1 in the sense of RFC 7281 §3: `policy` if the signature is valid and only its owner is the wrong
    /// one.
    fileprivate var authenticationResult: AuthenticationResults.Result {
        switch result {
        case .notSigned: return .none
        case .judged(.trusted):
            // Told even where it is not enforced: a pass would vouch for an author who did not sign.
            if case .mismatch? = identity { return .policy }
            return .pass
        case .judged(.indeterminate): return isRevocationUnreachable ? .temperror : .neutral
        case .judged(.notTrusted): return isOnlySignerWrong ? .policy : .fail
        }
    }
}
