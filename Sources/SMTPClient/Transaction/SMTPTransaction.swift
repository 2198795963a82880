import InternetMessage

/// One transaction of MAIL, RCPT and DATA as a state machine: events go in, the next action comes out, and nothing is
/// done here.
///
/// It gives each recipient exactly one result, in at most two reports: refusals before the message is sent, the rest
/// after the final dot. A recipient that the server calls one too many (452, RFC 5321 §4.5.3.1.10) is put off to
/// another transaction instead.
struct SMTPTransaction {
    enum Event: Hashable {
        case reply(SMTPReply)
        /// The last report was taken.
        case reported
        /// The whole message went out, the final dot too.
        case contentSent
        /// The peer has closed, or the network broke. Whatever was being sent has not arrived whole.
        case disconnected(SMTPFailure)
        /// We give the connection up: no reply in time, or one that makes no sense. The same holds of what was being
        /// sent.
        case abandoned(SMTPFailure)
    }

    enum Action: Hashable {
        /// Send these, then give the next reply.
        case send([SMTPCommand])
        case awaitReply(SMTPFailure.Phase)
        /// Tell these results, durably, and say ``Event/reported``.
        case report([SMTPRecipientResult])
        case sendContent
        /// End the message without content.
        case sendLoneDot
        /// It is over. Recipients put off are to be tried in another transaction.
        case finish(SMTPDeliveryEnd, putOff: [Int])
    }

    /// The state of the connection at the beginning: after a pause since its last dialogue it may have died meanwhile.
    enum Beginning: Hashable { case fresh, afterPause }

    private enum State: Hashable {
        case idle, commands, reportingRefusals, content, finalReply, loneDot, reset
        case reportingLast(closing: SMTPFailure?)
        case finished
    }

    private let envelope: SMTPEnvelope
    private let recipients: [Int]
    private let pipelines: Bool
    private let partial: SMTPPartialDelivery
    private let beginning: Beginning
    let parameters: SMTPMailParameters
    /// To whom the message goes when its end is sent.
    var offered: [Int] { accepted }

    private var state = State.idle
    private var unsent: [SMTPCommand] = []
    private var inFlight: [SMTPCommand] = []
    private var hasSeenReply = false
    private var isMailOpen = false
    private var isDataOpen = false
    /// The reason why no recipient gets the message in this transaction.
    private var failure: SMTPFailure?
    private var accepted: [Int] = []
    private var refused: [SMTPRecipientResult] = []
    private var putOff: [(recipient: Int, failure: SMTPFailure)] = []
    private var decided: Set<Int> = []

    /// The octets of commands that may be on their way without their replies: both sides' windows hold them.
    static let maximumFlight = 16_384

    /// - Parameter recipients: Those to be named in this transaction; at least one.
    init(
        _ envelope: SMTPEnvelope, recipients: [Int], _ parameters: SMTPMailParameters, pipelines: Bool,
        partial: SMTPPartialDelivery, beginning: Beginning
    ) {
        precondition(!recipients.isEmpty, "a transaction without recipients")
        self.envelope = envelope
        self.recipients = recipients
        self.parameters = parameters
        self.pipelines = pipelines
        self.partial = partial
        self.beginning = beginning
    }

    mutating func begin() -> Action {
        precondition(state == .idle, "a transaction begins once")
        state = .commands
        unsent = [.mail] + recipients.map { .recipient($0) }
        // With "all or none" the decision comes before DATA, so DATA cannot be sent along.
        if pipelines, partial == .allowed { unsent.append(.data) }
        return nextFlight()
    }

    mutating func handle(_ event: Event) -> Action {
        switch event {
        case .disconnected(let failure):
            !hasSeenReply && beginning == .afterPause ? stale(failure) : lost(failure)
        case .abandoned(let failure): lost(failure)
        case .reply(let reply): handle(reply)
        case .reported: reported()
        case .contentSent:
            move(from: .content, to: .finalReply, .awaitReply(.finalReply))
        }
    }

    // MARK: - Replies

    private mutating func handle(_ reply: SMTPReply) -> Action {
        let isFirst = !hasSeenReply
        hasSeenReply = true
        switch state {
        case .commands, .reset:
            let command = inFlight.removeFirst()
            if reply.isShutdown {
                let failure = SMTPFailure(reply, .route, command.phase, command.subject(envelope))
                return isFirst && beginning == .afterPause ? stale(failure) : close(failure)
            }
            return handle(reply, to: command)
        case .content:
            // The server speaks before it has the message, and takes no more of it.
            return close(
                reply.severity == .transient || reply.severity == .permanent
                    ? SMTPFailure(
                        reply, reply.isShutdown ? .route : .message, .content, "the message, not yet sent whole,")
                    : Self.disorder(reply, .content, "the message, not yet sent whole,"))
        case .finalReply: return handleFinal(reply)
        case .loneDot:
            isDataOpen = false
            return reply.isShutdown
                ? close(SMTPFailure(reply, .route, .finalReply, "the end of no message")) : conclude()
        case .idle, .reportingRefusals, .reportingLast, .finished:
            preconditionFailure("a reply without a command")
        }
    }

    private mutating func handle(_ reply: SMTPReply, to command: SMTPCommand) -> Action {
        let subject = command.subject(envelope)
        switch (command, reply.severity) {
        case (.data, .intermediate): isDataOpen = true
        case (.data, .positive), (_, .intermediate):
            return close(Self.disorder(reply, command.phase, subject))
        case (.mail, .positive): isMailOpen = true
        case (.mail, _):
            failure = SMTPFailure(reply, reply.asksForAuthentication ? .route : .message, .mail, subject)
        case (.recipient(let index), .positive): accepted.append(index)
        // After a refused MAIL they are all refused, for no reason of their own.
        case (.recipient, _) where failure != nil: break
        case (.recipient(let index), _):
            let refusal = SMTPFailure(
                reply, reply.asksForAuthentication ? .route : .recipient, .rcpt, subject)
            if reply.meansTooManyRecipients, !accepted.isEmpty {
                putOff.append((index, refusal))
            } else {
                refused.append(SMTPRecipientResult(recipient: index, outcome: .failed(refusal)))
            }
        // Nobody to send to: DATA had to be refused.
        case (.data, _) where failure != nil || accepted.isEmpty: break
        case (.data, _): failure = SMTPFailure(reply, .message, .data, subject)
        case (.reset, .positive): isMailOpen = false
        case (.reset, _): return close(Self.disorder(reply, .reset, subject))
        }
        if let next = inFlight.first { return .awaitReply(next.phase) }
        if command == .reset { return conclude() }
        if failure != nil { unsent = [] }
        return unsent.isEmpty ? decide() : nextFlight()
    }

    private mutating func handleFinal(_ reply: SMTPReply) -> Action {
        isDataOpen = false
        isMailOpen = false
        let subject = "the message"
        switch reply.severity {
        case .positive:
            return reportLast(accepted.map { SMTPRecipientResult(recipient: $0, outcome: .accepted(reply)) })
        case .transient, .permanent:
            let failure = SMTPFailure(reply, reply.isShutdown ? .route : .message, .finalReply, subject)
            guard reply.isShutdown else { return reportLast(accepted.map { Self.failed($0, failure) }) }
            return close(failure)
        case .intermediate:
            return lostAfterDot(Self.disorder(reply, .finalReply, subject))
        }
    }

    // MARK: - What follows

    private mutating func nextFlight() -> Action {
        if pipelines {
            var octets = 0
            var count = 0
            while count < unsent.count, count == 0 || octets < Self.maximumFlight {
                octets += unsent[count].line(envelope, parameters).utf8.count
                count += 1
            }
            inFlight = Array(unsent[..<count])
            unsent.removeFirst(count)
        } else {
            inFlight = [unsent.removeFirst()]
        }
        return .send(inFlight)
    }

    /// All recipients have been named, or there is no use in it any more.
    private mutating func decide() -> Action {
        if partial == .refused { refuseAll() }
        let news = refused.filter { !decided.contains($0.recipient) }
        guard !news.isEmpty else { return goOn() }
        state = .reportingRefusals
        return report(news)
    }

    /// No recipient gets it if one is refused; permanently if one is refused permanently.
    private mutating func refuseAll() {
        let failures = refused.compactMap { result -> SMTPFailure? in
            if case .failed(let failure) = result.outcome { failure } else { nil }
        }
        guard let cause = failures.first(where: { $0.permanence == .permanent }) ?? failures.first else { return }
        let own = Set(refused.map(\.recipient))
        let reason = "all recipients are to get it or none"
        refused = refused.map { result in
            guard case .failed(let failure) = result.outcome else { return result }
            return Self.failed(
                result.recipient,
                failure.permanence == cause.permanence ? failure : failure.becoming(cause.permanence, because: reason))
        }
        let other = SMTPFailure(
            cause.permanence, .message, .rcpt, status: (0, 0),
            "not sent, because \(reason), and \(cause.summary)")
        refused += recipients.filter { !own.contains($0) }.map { Self.failed($0, other) }
        accepted = []
        putOff = []
    }

    private mutating func goOn() -> Action {
        if isDataOpen {
            guard failure == nil, !accepted.isEmpty else {
                // 354 although there is no recipient to send to (RFC 2920 §3.1).
                state = .loneDot
                return .sendLoneDot
            }
            state = .content
            return .sendContent
        }
        if failure == nil, !accepted.isEmpty {
            state = .commands
            inFlight = [.data]
            return .send(inFlight)
        }
        return conclude()
    }

    /// No message is under way: clears the server's memory of it where it has one, then tells what is left to tell.
    private mutating func conclude() -> Action {
        if isMailOpen {
            isMailOpen = false
            state = .reset
            inFlight = [.reset]
            return .send(inFlight)
        }
        guard let failure else { return reportLast([]) }
        let putOff = Set(putOff.map(\.recipient))
        return reportLast(
            recipients.filter { !decided.contains($0) && !putOff.contains($0) }.map { Self.failed($0, failure) })
    }

    private mutating func reportLast(_ results: [SMTPRecipientResult], closing: SMTPFailure? = nil) -> Action {
        state = .reportingLast(closing: closing)
        return results.isEmpty ? reported() : report(results)
    }

    private mutating func report(_ results: [SMTPRecipientResult]) -> Action {
        decided.formUnion(results.map(\.recipient))
        return .report(results)
    }

    private mutating func reported() -> Action {
        switch state {
        case .reportingRefusals: return goOn()
        case .reportingLast(let closing):
            state = .finished
            return .finish(closing.map { .closed($0) } ?? .open, putOff: putOff.map(\.recipient))
        case .idle, .commands, .content, .finalReply, .loneDot, .reset, .finished:
            preconditionFailure("nothing was reported")
        }
    }

    // MARK: - Ends

    private mutating func lost(_ failure: SMTPFailure) -> Action {
        state == .finalReply ? lostAfterDot(failure) : close(failure)
    }

    private mutating func stale(_ failure: SMTPFailure) -> Action {
        state = .finished
        return .finish(.stale(failure), putOff: [])
    }

    /// It is unknown whether the server has the message, whatever the failure says.
    private mutating func lostAfterDot(_ failure: SMTPFailure) -> Action {
        let unknown = accepted.map { SMTPRecipientResult(recipient: $0, outcome: .unknown(failure)) }
        let rest = putOff.map { Self.failed($0.recipient, $0.failure) }
        putOff = []
        return reportLast(unknown + rest, closing: failure)
    }

    /// The connection is of no more use. Recipients without a result get this one, except those with a failure of their
    /// own.
    private mutating func close(_ failure: SMTPFailure) -> Action {
        if partial == .refused { refuseAll() }
        var results = refused.filter { !decided.contains($0.recipient) }
        results += putOff.map { Self.failed($0.recipient, $0.failure) }
        putOff = []
        let known = decided.union(results.map(\.recipient))
        let general = self.failure ?? failure
        results += recipients.filter { !known.contains($0) }.map { Self.failed($0, general) }
        return reportLast(results, closing: failure)
    }

    private mutating func move(from old: State, to new: State, _ action: Action) -> Action {
        precondition(state == old, "the dialogue is not there")
        state = new
        return action
    }

    private static func failed(_ recipient: Int, _ failure: SMTPFailure) -> SMTPRecipientResult {
        SMTPRecipientResult(recipient: recipient, outcome: .failed(failure))
    }

    /// A reply that cannot be the one to what was said: the two sides no longer mean the same.
    private static func disorder(_ reply: SMTPReply, _ phase: SMTPFailure.Phase, _ subject: String) -> SMTPFailure {
        SMTPFailure(.transient, .route, phase, status: (5, 0), "\(subject) was answered out of order: \(reply)")
    }
}
