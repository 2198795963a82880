import Delivery
import Monitoring
import ProgramLife
import Synchronization

/// The relay's counts since it started, for its state and its metrics.
final class RelayCounters: Sendable {
    struct Values: Sendable, Hashable {
        /// Recipients.
        var sent = 0
        var failed = 0
        var deferred = 0
        /// Recipients to whom a message may have gone twice: no reply to the final dot was recorded.
        var possibleRepeats = 0
        /// Messages.
        var messagesSent = 0
        var messagesFailed = 0
        var messagesDeferred = 0
        var reports = 0

        init() {}
    }

    let tally: DayTally
    private let durations = DurationBook(
        "ses_relay_delivery_duration_seconds", "Time of the delivery of one message to one destination.",
        labels: ["route", "result"])
    private let values = Mutex(Values())

    /// - Parameter day: The counts of an earlier process.
    init(continuing day: DayTally.Day = .init()) {
        tally = DayTally(continuing: day) { StatusWords.today() }
    }

    var current: Values { values.withLock { $0 } }

    func add(_ change: (inout Values) -> Void) {
        let (before, after) = values.withLock { values in
            let before = values
            change(&values)
            return (before, values)
        }
        if after.messagesSent > before.messagesSent { tally.add("sent", after.messagesSent - before.messagesSent) }
        if after.messagesFailed > before.messagesFailed {
            tally.add("given up on", after.messagesFailed - before.messagesFailed)
        }
    }

    /// Counts one delivery.
    /// - Parameter hasEndedWell: False if the destination could not be reached, or gave up.
    func delivered(to destination: Destination, in duration: Duration, hasEndedWell: Bool) {
        durations.observe(duration, [destination.routeName, hasEndedWell ? "answered" : "unanswered"])
    }

    var families: [MetricFamily] {
        let values = current
        func counter(_ name: String, _ help: String, _ value: Int) -> MetricFamily {
            MetricFamily("ses_relay_" + name, .counter, help, value: value)
        }
        return [
            counter("sent_recipients_total", "Recipients whose server took a message.", values.sent),
            counter("failed_recipients_total", "Recipients refused permanently.", values.failed),
            counter("deferred_recipients_total", "Recipients put off, once for each attempt.", values.deferred),
            counter(
                "possible_repeats_total",
                "Recipients to whom a message may have gone twice, because no reply to its end was recorded.",
                values.possibleRepeats),
            counter("sent_messages_total", "Messages that all their recipients have.", values.messagesSent),
            counter("failed_messages_total", "Messages put into failed.", values.messagesFailed),
            counter("deferred_messages_total", "Messages put off, once for each attempt.", values.messagesDeferred),
            counter("reports_total", "Delivery reports sent to senders.", values.reports), durations.family,
        ]
    }
}
