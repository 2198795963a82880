import Foundation
import Relaying
import SESConfiguration

/// Which destinations are worth a try now, and how many deliveries are under way to each.
///
/// Who finds a destination full waits here for his turn, but never so many that nobody is left for the others.
/// Unchecked: everything that changes is guarded by `condition`.
final class LaneBoard: @unchecked Sendable {
    enum Admission: Sendable, Hashable {
        case go
        /// As many as are allowed are under way, and as many as may wait do.
        case full
        /// Unix seconds.
        case closedUntil(Int)
        /// The limits by which he waited hold no more: he may ask again by the new ones.
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

    /// How many go and wait.
    struct Limits: Sendable, Hashable {
        /// Deliveries under way to one destination.
        var perDestination: Int
        /// Deliveries under way in all.
        var inAll: Int
        /// Who may wait for one destination, and in all.
        var waitingForOne: Int
        var waitingInAll: Int
    }

    private struct Lane {
        var health = RouteHealth()
        var active = 0
        var waiting = 0

        var isIdle: Bool { active == 0 && waiting == 0 }
    }

    /// Closed destinations that are remembered: mail to made-up domains must not fill the memory.
    private static let limit = 10_000

    private let condition = NSCondition()
    private var lanes: [Destination: Lane] = [:]
    private var active = 0
    private var waiting = 0
    private var isStopping = false
    /// How often there were new limits.
    private var rounds = 0
    private let changed: @Sendable () -> Void

    /// - Parameter changed: Called when a destination was closed or opened.
    init(changed: @escaping @Sendable () -> Void) { self.changed = changed }

    /// Asks for leave to deliver, and waits for its turn where that is allowed; with `.go`, ``leave(_:_:at:)`` must follow.
    /// - Parameters:
    ///   - round: ``round`` before the settings were looked at that `limits` are of; nil: now.
    ///   - now: Unix seconds, asked anew after waiting.
    func enter(
        _ destination: Destination, _ limits: Limits, round: Int? = nil, now: () -> Int
    ) -> Admission {
        condition.lock()
        defer { condition.unlock() }
        var isWaiting = false
        let round = round ?? rounds
        while true {
            if isWaiting {
                waiting -= 1
                lanes[destination]?.waiting -= 1
                isWaiting = false
            }
            if isStopping { return .stopping }
            // Before anybody is let in: there may be room by `limits` that are no longer in force.
            guard round == rounds else { return .sentAway }
            var lane = lanes[destination] ?? Lane()
            let hasRoom = lane.active < limits.perDestination && active < limits.inAll
            if hasRoom || !lane.health.isOpen {
                let permission = lane.health.ask(at: now())
                if case .waitUntil(let time) = permission {
                    lanes[destination] = lane
                    return .closedUntil(time)
                }
                if hasRoom {
                    lane.active += 1
                    active += 1
                    lanes[destination] = lane
                    return .go
                }
                lane.health.withdrew()
            }
            guard lane.waiting < limits.waitingForOne, waiting < limits.waitingInAll else {
                lanes[destination] = lane
                return .full
            }
            lane.waiting += 1
            waiting += 1
            isWaiting = true
            lanes[destination] = lane
            condition.wait()
        }
    }

    /// Why nobody is sent to `destination` at present; nil when somebody may be.
    func trouble(of destination: Destination) -> String? {
        condition.lock()
        defer { condition.unlock() }
        return lanes[destination]?.health.reason
    }

    func leave(_ destination: Destination, _ ending: Ending, at now: Int) {
        condition.lock()
        guard var lane = lanes[destination] else { return condition.unlock() }
        let wasOpen = lane.health.isOpen
        lane.active -= 1
        active -= 1
        switch ending {
        case .succeeded: lane.health.succeeded()
        case .failed(let reason): lane.health.failed(reason, at: now)
        case .nothing: lane.health.withdrew()
        }
        let isForgotten = lane.isIdle && (lane.health.isOpen || lanes.count > Self.limit)
        lanes[destination] = isForgotten ? nil : lane
        condition.broadcast()
        condition.unlock()
        if wasOpen != lane.health.isOpen { changed() }
    }

    /// Lets nobody in any more, and sends away those who wait.
    func stop() {
        condition.lock()
        isStopping = true
        condition.broadcast()
        condition.unlock()
    }

    /// Which limits hold: a number that is another after ``sendAwayWaiting()``.
    var round: Int {
        condition.lock()
        defer { condition.unlock() }
        return rounds
    }

    /// Sends away those who wait by former limits, and who come with them later.
    func sendAwayWaiting() {
        condition.lock()
        rounds += 1
        condition.broadcast()
        condition.unlock()
    }

    /// Whether nobody is under way there and nobody waits.
    func isIdle(_ destination: Destination) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        return lanes[destination]?.isIdle ?? true
    }

    /// Who waits for a turn now.
    var waitingCount: Int {
        condition.lock()
        defer { condition.unlock() }
        return waiting
    }

    /// The closed destinations.
    func closed() -> [(destination: Destination, health: RouteHealth)] {
        condition.lock()
        defer { condition.unlock() }
        return lanes.filter { !$0.value.health.isOpen }.map { ($0.key, $0.value.health) }.sorted {
            "\($0.0)" < "\($1.0)"
        }
    }
}

extension RelaySettings {
    /// Beside those who deliver there are as many workers who may wait for their turn.
    static let waitingWorkers = 32

    var workers: Int { configuration.deliveryThreads + Self.waitingWorkers }
    /// For the workers, and for what goes on beside them: the loops, recovery and the re-reading.
    var threads: Int { workers + 6 }

    /// Of one destination never so many that none is left for another.
    func limits(of destination: Destination) -> LaneBoard.Limits {
        let routes = configuration.routes
        let threads = configuration.deliveryThreads
        let isAlone = routes.count == 1 && destination.domain == nil
        let most = isAlone ? threads : destination.domain == nil ? threads - 1 : threads / 2
        return LaneBoard.Limits(
            perDestination: max(1, min(routes[destination.route].maxConnections, most)), inAll: threads,
            waitingForOne: isAlone ? .max : Self.waitingWorkers * 3 / 4,
            waitingInAll: isAlone ? .max : Self.waitingWorkers - 1)
    }
}
