import Foundation
import ProgramLife
import SESConfiguration

/// Writes the metrics of a relay to the file that the configuration names.
struct MetricsFile: Sendable {
    let settings: InForce<RelaySettings>
    let board: HealthBoard
    let metrics: @Sendable () -> RelayMetrics

    /// Writes them; a fault makes the status unhealthy until they can be written.
    func write() {
        guard let path = settings.current.configuration.metricsPath else { return }
        do {
            // A new file renamed into place: the exporter never reads half of one.
            try Data(metrics().text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
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
            + line("closed_routes", "gauge", "Routes that are not answering.", closedRoutes)
            + line("start_time_seconds", "gauge", "When the program was started.", started)
    }
}
