public import InternetMessage

/// Limits on how long a message is tried.
public struct Patience: Sendable {
    /// Seconds to wait after attempt `n`, counted from 1; nil when the attempts are used up.
    public let delay: @Sendable (_ attempt: Int) -> Int?
    /// The number of attempts.
    public let attempts: Int
    /// The least time in seconds that all attempts take. A message that seems younger is kept, because the clock may
    /// have been set back.
    public let span: Int
    /// Seconds after its arrival at which a message is given up, also when no server could be reached; not before there
    /// were as many tries as there are attempts, for a clock that was set forward.
    public let lifetime: Int
    /// The time in seconds after which the sender is told, once, that delivery takes long.
    public let delayNotice: Int

    /// 4 hours (RFC 5321 §4.5.4.1 asks for some; senders of today expect them).
    public static let standardDelayNotice = 14_400

    public init(
        attempts: Int, span: Int, lifetime: Int, delayNotice: Int = Self.standardDelayNotice,
        delay: @escaping @Sendable (_ attempt: Int) -> Int?
    ) {
        self.attempts = attempts
        self.span = span
        self.delay = delay
        self.lifetime = lifetime
        self.delayNotice = delayNotice
    }
}

/// The result of one attempt, apart from what the record says of each recipient.
public struct AttemptSummary: Sendable, Hashable {
    /// True if a server refused something temporarily. Only this uses up an attempt; a missing connection is the
    /// route's fault.
    public var countsAsAttempt: Bool
    /// The time in Unix seconds until which the routes of waiting recipients are closed; nil if they are open.
    public var routesOpenAt: Int?
    /// The reasons why the next hop was not reached, for the recipients who would have been sent to.
    public var routeTroubles: [AddrSpec: String] = [:]

    public init(countsAsAttempt: Bool, routesOpenAt: Int? = nil) {
        self.countsAsAttempt = countsAsAttempt
        self.routesOpenAt = routesOpenAt
    }
}

/// The state of a message after an attempt: a value, decided from the record, the attempt's summary and the time.
public struct Settlement: Sendable, Hashable {
    public enum Ending: Sendable, Hashable {
        /// Every recipient has it.
        case sent
        /// Some are done with, others wait.
        case wait(attempts: Int, due: Int)
        /// Nobody waits, and these have failed: the message goes to `failed`, for them.
        case giveUp([AddrSpec])
    }

    public struct Told: Sendable, Hashable {
        public let recipient: AddrSpec
        public let report: DeliveryReport

        public init(recipient: AddrSpec, report: DeliveryReport) {
            self.recipient = recipient
            self.report = report
        }
    }

    public let ending: Ending
    /// Those whose time ran out now: to be recorded as failed before anything else.
    public let expired: [Told]
    /// The recipients whose failure is now reported to the sender.
    public let failures: [Told]
    /// The recipients whose success is now reported to the sender, who asked for it, because the next server will not
    /// report it.
    public let relays: [Told]
    /// The recipients whose delay is now reported to the sender.
    public let delays: [Told]

    /// - Parameters:
    ///   - attempts: Attempts that counted before this one.
    ///   - request: The notifications that the sender asked for. The sender is told of nothing else.
    ///   - jitter: Spreads a delay of so many seconds, so that messages deferred together do not come back together.
    public init(
        history: DeliveryHistory, recipients: [AddrSpec], request: NotificationRequest = NotificationRequest(),
        attempts: Int, summary: AttemptSummary, now: Int, patience: Patience, jitter: (_ seconds: Int) -> Int
    ) {
        let arrived = min(history.arrived ?? now, now)
        let counted = attempts + (summary.countsAsAttempt ? 1 : 0)
        let pending = history.pending(of: recipients)
        let isOver = Self.isOver(
            age: now - arrived, counted: counted, unreached: history.unreachedCount, summary, patience)
        let delay = patience.delay(min(max(1, counted), max(1, patience.attempts - 1)))
        func report(of recipient: AddrSpec) -> DeliveryReport? { history.lastReport(of: recipient) }
        var failures = history.failed(of: recipients).filter { !history.isTold(of: $0.recipient) }
            .map { Told(recipient: $0.recipient, report: $0.report) }
        relays =
            request.wants(.success)
            ? history.relayed(of: recipients).map { Told(recipient: $0.recipient, report: $0.report) } : []
        guard !pending.isEmpty, !isOver else {
            expired = pending.map { recipient in
                let last = report(of: recipient)
                return Told(
                    recipient: recipient,
                    report: DeliveryReport(
                        .failed, status: "4.4.7", server: last?.server,
                        last?.text ?? Self.unreached(recipient, summary),
                        isReply: last?.isReply ?? false))
            }
            failures += expired
            self.failures = request.wants(.failure) ? failures : []
            delays = []
            let failed = recipients.filter { recipient in
                if case .failed = history.state(of: recipient) { return true }
                return pending.contains(recipient)
            }
            ending = failed.isEmpty ? .sent : .giveUp(failed)
            return
        }
        expired = []
        self.failures = request.wants(.failure) ? failures : []
        let isLate = request.wants(.delay) && !history.isToldOfDelay && now - arrived >= patience.delayNotice
        delays =
            isLate
            ? pending.map { recipient in
                Told(
                    recipient: recipient,
                    report: report(of: recipient)
                        ?? DeliveryReport(.deferred, status: "4.4.1", Self.unreached(recipient, summary)))
            } : []
        let wait = delay.map { $0 + max(0, jitter($0)) } ?? 60
        let due = summary.countsAsAttempt ? max(now + wait, summary.routesOpenAt ?? 0) : summary.routesOpenAt ?? now + 1
        // A message whose time is over gets one more attempt when it ends, not after.
        let end = arrived + patience.lifetime
        ending = .wait(attempts: counted, due: max(now + 1, end > now ? min(due, end) : due))
    }

    /// Giving up requires the attempts as well as the age, because the clock may have been wrong at the arrival or be
    /// wrong now. If the age says nothing any more, many more attempts than planned end it.
    private static func isOver(
        age: Int, counted: Int, unreached: Int, _ summary: AttemptSummary, _ patience: Patience
    ) -> Bool {
        if summary.countsAsAttempt, counted >= patience.attempts, age >= patience.span { return true }
        if age >= patience.lifetime, counted + unreached >= patience.attempts { return true }
        return counted >= 2 * patience.attempts + 2 || unreached >= 2 * patience.attempts + 2_000
    }

    private static func unreached(_ recipient: AddrSpec, _ summary: AttemptSummary) -> String {
        let reason = summary.routeTroubles[recipient].map { ": " + $0 } ?? ""
        return "the next mail server could not be reached" + reason
    }
}
