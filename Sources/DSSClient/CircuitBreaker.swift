/// Keeps an address that does not answer from costing every call a timeout.
///
/// While the address answers, every call is let through. After ``threshold`` calls in a row without an answer it counts
/// as not answering, and no call is let through for a pause. Then one call may try. Without an answer the next pause is
/// twice as long.
public struct CircuitBreaker: Sendable, Hashable {
    public enum State: String, Sendable, Hashable {
        case answering
        case notAnswering = "not answering"
        /// One call decides whether it answers again.
        case tried = "being tried"
    }

    /// The result of a call that was let through.
    public enum Event: Sendable, Hashable {
        /// An answer, whatever it says.
        case reached
        case unreached
        /// Neither is known: it was given up from our side.
        case abandoned
    }

    /// Permission for one call.
    public struct Admission: Sendable, Hashable {
        /// True if this call decides whether the address answers again.
        let isProbe: Bool
    }

    /// Calls in a row without an answer after which it counts as not answering.
    public static let threshold = 3
    public static let firstPause = Duration.seconds(5)
    public static let maximumPause = Duration.seconds(60)

    private enum Phase: Sendable, Hashable {
        case answering(failures: Int)
        case notAnswering(until: ContinuousClock.Instant, pause: Duration)
        case tried(pause: Duration)
    }

    private var phase = Phase.answering(failures: 0)
    /// The time since which the address answers, or does not.
    public private(set) var since: ContinuousClock.Instant

    public init(now: ContinuousClock.Instant) { since = now }

    public var state: State {
        switch phase {
        case .answering: .answering
        case .notAnswering: .notAnswering
        case .tried: .tried
        }
    }

    /// The earliest time of the next call; nil while the address answers or a call is under way.
    public var nextTry: ContinuousClock.Instant? {
        if case .notAnswering(let until, _) = phase { until } else { nil }
    }

    /// The address was seen to answer, by other means than a call.
    public mutating func foundAnswering(now: ContinuousClock.Instant) {
        if state == .notAnswering { enter(.answering(failures: 0), now: now) }
    }

    /// Asks for a call.
    /// - Returns: nil when it is not to be made. Every admission must be followed by ``note(_:of:now:)``.
    public mutating func admit(now: ContinuousClock.Instant) -> Admission? {
        switch phase {
        case .answering: return Admission(isProbe: false)
        case .tried: return nil
        case .notAnswering(let until, let pause):
            guard now >= until else { return nil }
            enter(.tried(pause: pause), now: now)
            return Admission(isProbe: true)
        }
    }

    /// Takes what came of an admitted call.
    public mutating func note(_ event: Event, of admission: Admission, now: ContinuousClock.Instant) {
        switch (phase, event) {
        case (.answering, .reached): phase = .answering(failures: 0)
        case (_, .reached): enter(.answering(failures: 0), now: now)
        case (.answering(let failures), .unreached):
            if failures + 1 >= Self.threshold {
                enter(.notAnswering(until: now + Self.firstPause, pause: Self.firstPause), now: now)
            } else {
                phase = .answering(failures: failures + 1)
            }
        case (.tried(let pause), .unreached) where admission.isProbe:
            let longer = min(pause * 2, Self.maximumPause)
            enter(.notAnswering(until: now + longer, pause: longer), now: now)
        case (.tried(let pause), .abandoned) where admission.isProbe:
            // The next call may try at once.
            enter(.notAnswering(until: now, pause: pause), now: now)
        case (.tried, _), (.notAnswering, _), (.answering, .abandoned): break
        }
    }

    /// A trial that fails does not begin a new silence.
    private mutating func enter(_ next: Phase, now: ContinuousClock.Instant) {
        let wasAnswering = state == .answering
        phase = next
        if wasAnswering != (state == .answering) { since = now }
    }
}

/// The state of one address, for the status.
public struct CircuitSnapshot: Sendable, Hashable {
    /// Without credentials.
    public let address: String
    public let service: DSSCall.Service
    public let state: CircuitBreaker.State
    /// Unix seconds since which it answers, or does not.
    public let since: Int
    /// Unix seconds of the next call to an address that does not answer; nil while it answers.
    public let nextTry: Int?
    /// The reason why the last call had no answer; nil if it had one.
    public let reason: String?
    /// The duration of the last call; nil before the first.
    public let duration: Duration?
    /// Seconds by which the server's clock is ahead of ours, as its last answer says; nil if it says nothing.
    public let clockAhead: Int?
}

/// A call of the signing server that has ended.
public struct DSSCall: Sendable, Hashable {
    public enum Service: String, Sendable, Hashable, CaseIterable { case signing, verification }

    public let service: Service
    /// Without credentials.
    public let address: String
    /// True if there was an answer, whatever it says.
    public let wasAnswered: Bool
    public let duration: Duration
}
