import Foundation
import ProgramLife
import Relaying
import SESConfiguration
import Spool

/// What a running relay says of itself in `relay/ses-relay-PID.json`.
struct PublishedRelayState: Codable, Sendable, Equatable {
    struct Route: Codable, Sendable, Equatable {
        let route: String
        let reason: String
        /// Unix seconds.
        let since: Int
    }

    let v: Int
    let started: Int
    let reasons: [String]
    let lastError: String?
    /// Those that are closed.
    let routes: [Route]
    let deferred: Int
    let counters: RelayCounters.Values
    let watches: Bool
}

/// Renews this process's state, and its metrics where a file is configured, on every change and every 10 s.
final class RelayPost: Sendable {
    static let program = "ses-relay"

    private let bell: WakeBell
    private let spool: Spool
    private let settings: ActiveSettings
    private let lanes: LaneBoard
    private let board: HealthBoard
    private let counters: RelayCounters
    private let deferred: @Sendable () -> Int
    private let clock: SpoolClock
    private let started: Int
    private let watches: Bool

    init(
        bell: WakeBell, spool: Spool, settings: ActiveSettings, lanes: LaneBoard, board: HealthBoard,
        counters: RelayCounters, deferred: @escaping @Sendable () -> Int, clock: SpoolClock, watches: Bool
    ) {
        self.bell = bell
        self.spool = spool
        self.settings = settings
        self.lanes = lanes
        self.board = board
        self.counters = counters
        self.deferred = deferred
        self.clock = clock
        self.watches = watches
        started = clock.now()
    }

    func run() async {
        repeat {
            publish()
        } while await bell.wait(atMost: .seconds(10))
        // What was counted last shall be seen, too.
        writeMetrics()
        // One that cannot be removed is left out by readers, because its process is dead.
        try? spool.removeState(program: Self.program)
    }

    func end() { bell.silence() }

    private func publish() {
        let health = board.snapshot
        let state = PublishedRelayState(
            v: 1, started: started, reasons: health.reasons.sorted { $0.key < $1.key }.map(\.value),
            lastError: health.lastError,
            routes: lanes.closed().prefix(100).map {
                PublishedRelayState.Route(
                    route: "\($0.destination)", reason: $0.health.reason ?? "", since: $0.health.since ?? 0)
            }, deferred: deferred(), counters: counters.current, watches: watches)
        guard let json = try? JSONEncoder().encode(state) else { return }
        // A disk that is full is told by the fault that stops the intake; the state is only for looking at.
        try? spool.publishState([UInt8](json), program: Self.program)
        writeMetrics()
    }

    private func writeMetrics() {
        guard let path = settings.current.configuration.metricsPath else { return }
        let text = RelayMetrics(
            counters: counters.current, deferred: deferred(), closedRoutes: lanes.closed().count, started: started
        ).text
        do {
            // A new file renamed into place: the exporter never reads half of one.
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
            board.lift("metrics")
        } catch {
            board.raise("metrics", "the metrics cannot be written to \(path): \(error.localizedDescription)")
        }
    }
}

/// The text format of Prometheus, for the node exporter's text collector.
struct RelayMetrics {
    let counters: RelayCounters.Values
    let deferred: Int
    let closedRoutes: Int
    let started: Int

    var text: String {
        func line(_ name: String, _ type: String, _ help: String, _ value: Int) -> String {
            "# HELP ses_relay_\(name) \(help)\n# TYPE ses_relay_\(name) \(type)\nses_relay_\(name) \(value)\n"
        }
        return line("sent_recipients_total", "counter", "Recipients whose server took a message.", counters.sent)
            + line("failed_recipients_total", "counter", "Recipients refused for good.", counters.failed)
            + line(
                "deferred_recipients_total", "counter", "Recipients put off, once for each attempt.", counters.deferred)
            + line(
                "possible_repeats_total", "counter",
                "Recipients to whom a message may have gone twice, because no reply to its end was recorded.",
                counters.possibleRepeats)
            + line("sent_messages_total", "counter", "Messages that all their recipients have.", counters.messagesSent)
            + line("failed_messages_total", "counter", "Messages put into failed.", counters.messagesFailed)
            + line("reports_total", "counter", "Delivery reports sent to senders.", counters.reports)
            + line("deferred_messages", "gauge", "Messages that wait for another attempt.", deferred)
            + line("closed_routes", "gauge", "Routes that are not tried for now.", closedRoutes)
            + line("start_time_seconds", "gauge", "When the program was started.", started)
    }
}
