import DSSClient
import HouseStatus
import Monitoring
import Processing
import ProgramLife
import Workflows

/// The counts of a running `ses`: for its metrics, and of the day for the status.
final class SESMeter: Sendable {
    let tally: DayTally
    private let messages = CounterBook(
        "ses_messages_total", "Messages brought to an end of an attempt.",
        labels: ["direction", "workflow", "outcome", "verdict"])
    private let durations = DurationBook(
        "ses_message_duration_seconds", "Time from the claim of a message to the end of the attempt.",
        labels: ["direction"])
    private let calls = DurationBook(
        "ses_server_request_duration_seconds", "Time of a call of the signing server.", labels: ["service", "result"])

    /// - Parameter day: The counts of an earlier process.
    init(continuing day: DayTally.Day = .init()) {
        tally = DayTally(continuing: day) { StatusWords.today() }
    }

    /// Counts an entry whose work has ended.
    func ended(_ run: EntryRun, _ direction: Direction) {
        let words = (run.outcome ?? "").split(separator: ",").map(String.init)
        // A message and a notice about it are one outcome.
        let outcome = words.first { $0 != "notice" } ?? words.first ?? "none"
        let verdict = run.account.verdict
        messages.add([direction.word, run.account.workflow ?? "", outcome, verdict ?? ""])
        durations.observe(run.duration, [direction.word])
        if outcome == "signed" { tally.add("signed") }
        if let verdict, outcome != "deferred" {
            tally.add("verified")
            tally.add(verdict)
        }
        if outcome == "failed" || outcome == "blocked" { tally.add("failed") }
    }

    func called(_ call: DSSCall) {
        calls.observe(call.duration, [call.service.rawValue, call.wasAnswered ? "answered" : "unanswered"])
    }

    var families: [MetricFamily] { [messages.family, durations.family, calls.family] }
}

extension Direction {
    /// The value of a label.
    fileprivate var word: String {
        switch self {
        case .outgoing: "outgoing"
        case .incoming: "incoming"
        }
    }
}
