/// Keeps an address that does not answer from costing every call a timeout.
///
/// While closed it lets every call through. After ``threshold`` calls in a row without an answer it opens: for a pause
/// no call is let through. Then one call may try (half-open). An answer closes the circuit, a failure opens it for
/// twice as long.
public struct CircuitBreaker: Sendable, Hashable {
    public enum State: String, Sendable, Hashable {
        case closed, open
        case halfOpen = "half-open"
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
        /// True if this call decides whether the circuit closes again.
        let isProbe: Bool
    }

    /// Calls in a row without an answer that open it.
    public static let threshold = 3
    public static let firstPause = Duration.seconds(5)
    public static let longestPause = Duration.seconds(60)

    private enum Phase: Sendable, Hashable {
        case closed(failures: Int)
        case open(until: ContinuousClock.Instant, pause: Duration)
        case halfOpen(pause: Duration)
    }

    private var phase = Phase.closed(failures: 0)
    /// The time at which the present state began.
    public private(set) var since: ContinuousClock.Instant

    public init(now: ContinuousClock.Instant) { since = now }

    public var state: State {
        switch phase {
        case .closed: .closed
        case .open: .open
        case .halfOpen: .halfOpen
        }
    }

    /// Asks for a call.
    /// - Returns: nil when it is not to be made. Every admission must be followed by ``note(_:of:now:)``.
    public mutating func admit(now: ContinuousClock.Instant) -> Admission? {
        switch phase {
        case .closed: return Admission(isProbe: false)
        case .halfOpen: return nil
        case .open(let until, let pause):
            guard now >= until else { return nil }
            enter(.halfOpen(pause: pause), now: now)
            return Admission(isProbe: true)
        }
    }

    /// Takes what came of an admitted call.
    public mutating func note(_ event: Event, of admission: Admission, now: ContinuousClock.Instant) {
        switch (phase, event) {
        case (.closed, .reached): phase = .closed(failures: 0)
        case (_, .reached): enter(.closed(failures: 0), now: now)
        case (.closed(let failures), .unreached):
            if failures + 1 >= Self.threshold {
                enter(.open(until: now + Self.firstPause, pause: Self.firstPause), now: now)
            } else {
                phase = .closed(failures: failures + 1)
            }
        case (.halfOpen(let pause), .unreached) where admission.isProbe:
            let longer = min(pause * 2, Self.longestPause)
            enter(.open(until: now + longer, pause: longer), now: now)
        case (.halfOpen(let pause), .abandoned) where admission.isProbe:
            // The next call may try at once.
            enter(.open(until: now, pause: pause), now: now)
        case (.halfOpen, _), (.open, _), (.closed, .abandoned): break
        }
    }

    private mutating func enter(_ next: Phase, now: ContinuousClock.Instant) {
        phase = next
        since = now
    }
}

/// The state of one address, for the status.
public struct CircuitSnapshot: Sendable, Hashable {
    /// Without credentials.
    public let address: String
    public let state: CircuitBreaker.State
    /// Unix seconds.
    public let since: Int

    public init(address: String, state: CircuitBreaker.State, since: Int) {
        self.address = address
        self.state = state
        self.since = since
    }
}
