/// The health of a destination: the gateway of a route, or a domain's mail servers.
///
/// After a failure of the connection, the greeting, EHLO or AUTH the destination counts as not answering for a while,
/// longer with each failure in a row. Then one message tries, and the others wait for its result. Times are seconds of
/// a clock that never jumps.
public struct RouteHealth: Sendable, Hashable {
    public enum Permission: Sendable, Hashable {
        case go
        /// Not before this.
        case waitUntil(Int)
    }

    public private(set) var failures = 0
    /// The reason why the destination counts as not answering; nil while it answers.
    public private(set) var reason: String?
    /// The first failure in a row.
    public private(set) var since: Int?
    /// The time before which nothing is tried.
    public private(set) var pausedUntil = 0
    private var trialEnds: Int?

    /// Seconds for which nothing is tried after the first failure.
    public static let firstPause = 30
    public static let maximumPause = 900
    /// The same for a next hop that all mail takes: nothing waits longer for it than it must.
    public static let firstGatewayPause = 5
    public static let maximumGatewayPause = 60

    private let firstPause: Int
    private let maximumPause: Int
    /// The time in seconds after which a trial without an end is given up.
    static let maximumTrial = 600

    /// - Parameter isGateway: True for a next hop by configuration, false for the servers of one domain among many.
    public init(isGateway: Bool = false) {
        firstPause = isGateway ? Self.firstGatewayPause : Self.firstPause
        maximumPause = isGateway ? Self.maximumGatewayPause : Self.maximumPause
    }

    public var isAnswering: Bool { failures == 0 }

    /// Asks for permission to try. With `.go` while it is not answering, the caller is the trial and must call
    /// ``succeeded()`` or ``failed(_:at:)``.
    public mutating func ask(at now: Int) -> Permission {
        if isAnswering { return .go }
        if now < pausedUntil { return .waitUntil(pausedUntil) }
        if let trialEnds, now < trialEnds { return .waitUntil(now + 5) }
        trialEnds = now + Self.maximumTrial
        return .go
    }

    /// Permits a trial at once, because somebody who may know more orders an attempt.
    public mutating func permitTrial() { pausedUntil = 0 }

    public mutating func succeeded() {
        failures = 0
        reason = nil
        since = nil
        pausedUntil = 0
        trialEnds = nil
    }

    /// The trial ended without saying anything of the route.
    public mutating func withdrew() { trialEnds = nil }

    public mutating func failed(_ reason: String, at now: Int) {
        // Those that were under way together when it went down are one failure.
        if failures > 0, now < pausedUntil, trialEnds == nil { return }
        failures += 1
        since = since ?? now
        self.reason = reason
        trialEnds = nil
        pausedUntil = now + min(maximumPause, firstPause << min(failures - 1, 5))
    }
}
