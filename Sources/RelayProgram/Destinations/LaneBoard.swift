import Delivery
import SESConfiguration

/// The destinations that are worth a try now, and the number of deliveries under way to each.
///
/// A delivery attempt waits here if its destination has reached its limit of connections, but never so many that none
/// is left for other destinations. A delivery that takes long leaves its place in the total to others, so that
/// destinations that hang do not hold up the rest. If there are several destinations, each begins with one delivery at
/// a time, and each that ends well makes room for more. Unchecked: everything that changes is guarded by `condition`.
/// Times are seconds of a clock that never jumps.
final class LaneBoard: @unchecked Sendable {
    enum Admission: Sendable, Hashable {
        case go
        /// As many as are allowed are under way there, and as many as may wait do.
        case full
        /// As many as are allowed are under way in all, and as many as may wait do.
        case crowded
        case closedUntil(Int)
        /// The limits under which it waited are no longer in force; it may ask again under the new ones.
        case sentAway
        /// The program is to stop.
        case stopping
    }

    enum Ending: Sendable, Hashable {
        case succeeded
        case failed(String)
        /// It says nothing of the destination.
        case nothing
    }

    /// The limits on deliveries under way and waiting.
    struct Limits: Sendable, Hashable {
        /// Deliveries under way to one destination.
        var perDestination: Int
        /// Deliveries under way in all, those that take long apart.
        var inAll: Int
        /// Attempts that may wait for one destination, and in all.
        var waitingForOne: Int
        var waitingInAll: Int
        /// Deliveries under way that take long.
        var slow = LaneBoard.maximumSlow
        /// True if a destination begins with one delivery at a time, because there are others that it could hold up.
        var beginsNarrow = false
    }

    private struct Lane {
        var health = RouteHealth()
        /// The time at which each delivery under way began, the oldest first.
        var begun: [ContinuousClock.Instant] = []
        var waiting = 0
        /// The number that may be under way, by what is known of the destination.
        var window = 1

        var isIdle: Bool { begun.isEmpty && waiting == 0 }
    }

    /// The time a delivery may take before it leaves its place to others.
    static let slowAfter = Duration.milliseconds(500)
    static let maximumSlow = 56
    /// Destinations that are remembered: mail to made-up domains must not fill the memory.
    private static let limit = 10_000

    private let condition = MonotonicCondition()
    private var lanes: [Destination: Lane] = [:]
    /// Those with deliveries under way.
    private var served: Set<Destination> = []
    private var waiting = 0
    private var isStopping = false
    /// The number of times that there were new limits.
    private var rounds = 0
    private let changed: @Sendable () -> Void

    /// - Parameter changed: Called when a destination was closed or opened.
    init(changed: @escaping @Sendable () -> Void) { self.changed = changed }

    /// Asks for permission to deliver, and waits for a turn if that is allowed; with `.go`, ``leave(_:_:at:)`` must
    /// follow.
    /// - Parameters:
    ///   - round: The value of ``round`` from before the settings were read that `limits` come from; nil for its
    ///     present value.
    ///   - now: Asked anew after waiting.
    func enter(
        _ destination: Destination, _ limits: Limits, round: Int? = nil, now: () -> Int
    ) -> Admission {
        condition.lock()
        defer { condition.unlock() }
        let round = round ?? rounds
        while true {
            if isStopping { return .stopping }
            // Before anybody is let in: there may be room by `limits` that are no longer in force.
            guard round == rounds else { return .sentAway }
            var lane = lanes[destination] ?? Lane(health: RouteHealth(isGateway: destination.domain == nil))
            let own = limits.beginsNarrow ? min(lane.window, limits.perDestination) : limits.perDestination
            let hasOwnRoom = lane.begun.count < own
            let turn = turnInAll(limits)
            let hasRoom = hasOwnRoom && turn == .now
            if hasRoom || !lane.health.isAnswering {
                let permission = lane.health.ask(at: now())
                if case .waitUntil(let time) = permission {
                    lanes[destination] = lane
                    return .closedUntil(time)
                }
                if hasRoom {
                    lane.begun.append(.now)
                    served.insert(destination)
                    lanes[destination] = lane
                    return .go
                }
                lane.health.withdrew()
            }
            guard lane.waiting < limits.waitingForOne, waiting < limits.waitingInAll else {
                keep(lane, of: destination)
                return hasOwnRoom ? .crowded : .full
            }
            lane.waiting += 1
            waiting += 1
            lanes[destination] = lane
            var time: Duration?
            if hasOwnRoom, case .after(let duration) = turn { time = duration }
            condition.wait(atMost: time)
            waiting -= 1
            lanes[destination]?.waiting -= 1
        }
    }

    private enum Turn: Equatable {
        case now
        /// The time until the next delivery under way has taken so long that it leaves its place.
        case after(Duration)
        case whenOneEnds
    }

    private func turnInAll(_ limits: Limits) -> Turn {
        let border = ContinuousClock.now - Self.slowAfter
        var fast = 0
        var slow = 0
        var oldest: ContinuousClock.Instant?
        for destination in served {
            for instant in lanes[destination]?.begun ?? [] {
                if instant <= border {
                    slow += 1
                } else {
                    fast += 1
                    oldest = min(oldest ?? instant, instant)
                }
            }
        }
        if fast < limits.inAll, fast + slow < limits.inAll + limits.slow { return .now }
        guard let oldest, fast >= limits.inAll, slow < limits.slow else { return .whenOneEnds }
        return .after(max(.milliseconds(1), oldest - border))
    }

    /// Returns the reason why nothing is sent to `destination` at present; nil if something may be.
    func trouble(of destination: Destination) -> String? {
        condition.withLock { lanes[destination]?.health.reason }
    }

    func leave(_ destination: Destination, _ ending: Ending, at now: Int) {
        condition.lock()
        guard var lane = lanes[destination] else { return condition.unlock() }
        let wasAnswering = lane.health.isAnswering
        // Which of them ends is not known. The youngest is taken: those that hang are the oldest.
        if !lane.begun.isEmpty { lane.begun.removeLast() }
        if lane.begun.isEmpty { served.remove(destination) }
        switch ending {
        case .succeeded:
            lane.health.succeeded()
            lane.window = min(lane.window * 2, 256)
        case .failed(let reason):
            lane.health.failed(reason, at: now)
            lane.window = 1
        case .nothing: lane.health.withdrew()
        }
        keep(lane, of: destination)
        condition.broadcast()
        condition.unlock()
        if wasAnswering != lane.health.isAnswering { changed() }
    }

    /// Remembers what is known of a destination, as long as there is room.
    private func keep(_ lane: Lane, of destination: Destination) {
        let isForgotten = lane.isIdle && lanes.count > Self.limit
        lanes[destination] = isForgotten ? nil : lane
    }

    /// Admits nothing more, and sends away those that wait.
    func stop() {
        condition.withLock {
            isStopping = true
            condition.broadcast()
        }
    }

    /// The number of the limits in force; it changes with ``sendAwayWaiting()``.
    var round: Int { condition.withLock { rounds } }

    /// Sends away attempts that wait under former limits, and those that come with them later.
    func sendAwayWaiting() {
        condition.withLock {
            rounds += 1
            condition.broadcast()
        }
    }

    /// Returns true if nothing is under way there and nothing waits.
    func isIdle(_ destination: Destination) -> Bool { condition.withLock { lanes[destination]?.isIdle ?? true } }

    /// The number of attempts that wait for a turn now.
    var waitingCount: Int { condition.withLock { waiting } }

    /// Permits a trial of each closed destination at once, because an operator orders an attempt.
    func permitTrials() {
        condition.withLock {
            for destination in lanes.keys { lanes[destination]?.health.permitTrial() }
            condition.broadcast()
        }
    }

    /// Returns true if something was delivered to the destination, or tried, since it answers.
    func hasServed(_ destination: Destination) -> Bool { condition.withLock { lanes[destination] != nil } }

    /// The destination was seen to answer, by other means than a delivery.
    func foundAnswering(_ destination: Destination) {
        let hasChanged = condition.withLock {
            guard lanes[destination]?.health.isAnswering == false else { return false }
            lanes[destination]?.health.succeeded()
            condition.broadcast()
            return true
        }
        if hasChanged { changed() }
    }

    /// Forgets all troubles, because other settings are in force: what did not answer may be another server now.
    func forgetTroubles() {
        condition.withLock {
            for (destination, lane) in lanes where !lane.health.isAnswering {
                lanes[destination]?.health.succeeded()
                if lane.isIdle { lanes[destination] = nil }
            }
            condition.broadcast()
        }
        changed()
    }

    /// The destinations that are not answering.
    func notAnswering() -> [(destination: Destination, health: RouteHealth)] {
        condition.withLock {
            lanes.filter { !$0.value.health.isAnswering }.map { ($0.key, $0.value.health) }.sorted {
                "\($0.0)" < "\($1.0)"
            }
        }
    }
}

extension RelaySettings {
    /// Besides the workers that deliver there are as many that may wait for their turn.
    static let waitingWorkers = 32

    var workers: Int { configuration.deliveryThreads + LaneBoard.maximumSlow + Self.waitingWorkers }
    /// The threads for the workers, and for the loops, recovery and the re-reading.
    var threads: Int { workers + 8 }

    /// Of one destination never so many that none is left for another.
    func limits(of destination: Destination) -> LaneBoard.Limits {
        let routes = configuration.routes
        let threads = configuration.deliveryThreads
        let isAlone = routes.count == 1 && destination.domain == nil
        let most = isAlone ? threads : destination.domain == nil ? threads - 1 : threads / 2
        return LaneBoard.Limits(
            perDestination: max(1, min(routes[destination.route].maxConnections, most)), inAll: threads,
            waitingForOne: isAlone ? .max : Self.waitingWorkers * 3 / 4,
            waitingInAll: isAlone ? .max : Self.waitingWorkers - 1, beginsNarrow: !isAlone)
    }
}
