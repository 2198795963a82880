import Foundation
import Logging
import ProgramLife
import Relaying
import SESConfiguration
import Spool

/// The state that a running relay publishes in `relay/ses-relay-PID.json`.
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

/// Renews this process's state, and its metrics where a file is configured, on every change and every 4 s.
final class RelayPost: Sendable {
    static let program = "ses-relay"
    static let longestInterval = Duration.seconds(4)
    private static let shortestInterval = Duration.milliseconds(250)
    private static let mostRoutes = 100

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
    private let gate: IntakeGate

    init(
        bell: WakeBell, spool: Spool, settings: ActiveSettings, lanes: LaneBoard, board: HealthBoard,
        counters: RelayCounters, deferred: @escaping @Sendable () -> Int, clock: SpoolClock, watches: Bool,
        gate: IntakeGate
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
        self.gate = gate
        started = clock.now()
    }

    func run() async {
        repeat {
            publish()
            // Whatever changes, and however often: no more than this.
            try? await Task.sleep(for: Self.shortestInterval)
        } while await bell.wait(atMost: Self.longestInterval)
        // The last counts must be visible too.
        writeMetrics()
        // One that cannot be removed is left out by readers, because its process is dead.
        try? spool.removeState(program: Self.program)
    }

    func end() { bell.silence() }

    private func publish() {
        let health = board.snapshot
        let state = PublishedRelayState(
            v: 1, started: started, reasons: health.told, lastError: health.lastErrorTold,
            routes: lanes.closed().prefix(Self.mostRoutes).map {
                PublishedRelayState.Route(
                    route: String("\($0.destination)".prefix(150)),
                    reason: String(($0.health.reason ?? "").prefix(300)),
                    since: unixTime($0.health.since))
            }, deferred: deferred(), counters: counters.current, watches: watches)
        do {
            try spool.publishState([UInt8](try JSONEncoder().encode(state)), program: Self.program)
        } catch let error as SpoolError {
            // `ses-relay status` itself shows that it is old.
            gate.note(error, about: "the state of this process")
        } catch {
            preconditionFailure("the state is made of what JSON has: \(error)")
        }
        writeMetrics()
    }

    /// Of a second of the monotonic clock.
    private func unixTime(_ second: Int?) -> Int {
        guard let second else { return 0 }
        return clock.now() - (Int(clock.monotonic().components.seconds) - second)
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
            + line("failed_recipients_total", "counter", "Recipients refused permanently.", counters.failed)
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
