import ProgramLife
import Delivery
import Spool

/// The fields of `ses-relay` in its published state.
struct RelayProgress: Codable, Sendable, Equatable {
    struct Route: Codable, Sendable, Equatable {
        let route: String
        let reason: String
        /// Unix seconds.
        let since: Int
    }

    /// Those that are not answering.
    let routes: [Route]
    let deferred: Int
    let counters: RelayCounters.Values
}

/// The source of a running relay's progress, for its published state and its metrics.
struct ProgressSource: Sendable {
    let engine: RelayEngine
    let counters: RelayCounters
    private static let maximumRoutes = 100

    var progress: RelayProgress {
        RelayProgress(
            routes: engine.lanes.notAnswering().prefix(Self.maximumRoutes).map {
                RelayProgress.Route(
                    route: String("\($0.destination)".prefix(150)),
                    reason: String(($0.health.reason ?? "").prefix(300)),
                    since: unixTime($0.health.since))
            }, deferred: engine.agenda.count, counters: counters.current)
    }

    /// The metrics of a relay that runs since `started`, in Unix seconds.
    func metrics(since started: Int) -> RelayMetrics {
        RelayMetrics(
            counters: counters.current, deferred: engine.agenda.count, closedRoutes: engine.lanes.notAnswering().count,
            started: started)
    }

    /// Returns the Unix time of a second of the monotonic clock.
    private func unixTime(_ second: Int?) -> Int {
        guard let second else { return 0 }
        return engine.clock.now() - (Int(engine.clock.monotonic().components.seconds) - second)
    }
}
