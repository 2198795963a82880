import Relaying
import Synchronization

/// Which destinations are worth a try now, and how many deliveries are under way to each.
final class LaneBoard: Sendable {
    enum Admission: Sendable, Hashable {
        case go
        /// As many as are allowed are under way.
        case full
        /// Unix seconds.
        case closedUntil(Int)
    }

    enum Ending: Sendable, Hashable {
        case succeeded
        case failed(String)
        /// It says nothing of the destination.
        case nothing
    }

    private struct Lane {
        var health = RouteHealth()
        var active = 0
    }

    /// Closed destinations that are remembered: mail to made-up domains must not fill the memory.
    private static let limit = 10_000

    private let lanes = Mutex<[Destination: Lane]>([:])
    private let changed: @Sendable () -> Void

    /// - Parameter changed: Called when a destination was closed or opened.
    init(changed: @escaping @Sendable () -> Void) { self.changed = changed }

    /// Asks for leave to deliver; with `.go`, ``leave(_:_:at:)`` must follow.
    func enter(_ destination: Destination, limit: Int, at now: Int) -> Admission {
        lanes.withLock { lanes in
            var lane = lanes[destination] ?? Lane()
            guard lane.active < limit else { return .full }
            switch lane.health.ask(at: now) {
            case .waitUntil(let time):
                lanes[destination] = lane
                return .closedUntil(time)
            case .go:
                lane.active += 1
                lanes[destination] = lane
                return .go
            }
        }
    }

    func leave(_ destination: Destination, _ ending: Ending, at now: Int) {
        let hasChanged = lanes.withLock { lanes in
            guard var lane = lanes[destination] else { return false }
            let wasOpen = lane.health.isOpen
            lane.active -= 1
            switch ending {
            case .succeeded: lane.health.succeeded()
            case .failed(let reason): lane.health.failed(reason, at: now)
            case .nothing: lane.health.withdrew()
            }
            let isForgotten = lane.active == 0 && (lane.health.isOpen || lanes.count > Self.limit)
            lanes[destination] = isForgotten ? nil : lane
            return wasOpen != lane.health.isOpen
        }
        if hasChanged { changed() }
    }

    /// The closed destinations.
    func closed() -> [(destination: Destination, health: RouteHealth)] {
        lanes.withLock { lanes in lanes.filter { !$0.value.health.isOpen }.map { ($0.key, $0.value.health) } }
            .sorted { "\($0.0)" < "\($1.0)" }
    }
}
