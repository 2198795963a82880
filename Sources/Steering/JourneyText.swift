import Composition
import HostProcess
import JournalIndex
import MailEnvelope
import ProgramLife

/// A journey for people: about ten lines, whatever happened.
struct JourneyText {
    private struct Step {
        let time: Int
        let word: String
        let text: String
        /// For what a later step of the same kind takes the place of this one: the last attempt says what counts.
        var replaces: String?
    }

    private let journey: Journey
    private let now: Int
    private var entry: String { String(journey.entry.prefix(8)) }

    init(_ journey: Journey, now: Int) {
        self.journey = journey
        self.now = now
    }

    var lines: [String] {
        var lines = head
        lines.append("")
        var day = lines.isEmpty ? "" : firstDay
        for step in condensed(steps) {
            let own = LocalTime.day(step.time)
            if own != day {
                lines.append("  " + own)
                day = own
            }
            lines.append(row(LocalTime.ofDay(step.time), step.word, step.text))
        }
        return lines + standing
    }

    private func row(_ time: String, _ word: String, _ text: String) -> String {
        "  " + padded(time, 12) + "   " + padded(word, 11) + "  " + text
    }

    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private func shown(_ text: String) -> String { UntrustedText.plainTextLine(text, limit: 400) }

    // MARK: - Head

    private var firstDay: String { journey.records.first.map { LocalTime.day($0.time) } ?? "" }

    private var head: [String] {
        let records = journey.records
        let row = journey.standing.first
        let messageID = records.lazy.compactMap(\.messageID).first ?? row?.messageID
        let sender = records.lazy.compactMap(\.sender).first ?? row?.sender
        let all = records.first { $0.program == "ses" && !$0.recipients.isEmpty }?.recipients ?? row?.recipients ?? []
        var people = sender.map { $0.isEmpty ? "<>" : $0 } ?? "?"
        people += " -> " + (all.isEmpty ? "?" : all.prefix(3).joined(separator: ", "))
        if all.count > 3 { people += " and \(all.count - 3) more" }
        var first = "Message " + (messageID.map(shown) ?? "without Message-ID") + "   " + shown(people)
        if let subject = records.lazy.compactMap(\.subject).first { first += "   \"\(shown(subject))\"" }
        var second = "entry \(journey.entry)"
        if let queueID = records.lazy.compactMap(\.queueID).first ?? row?.queueID {
            second += "   queue id " + shown(queueID)
        }
        if let octets = records.lazy.compactMap(\.octets).first ?? row?.octets {
            second += "   " + ListReport.size(octets)
        }
        if let time = records.first?.time { second += "   \(LocalTime.day(time)), \(LocalTime.zone(time))" }
        return [first, second]
    }

    // MARK: - Steps

    private var steps: [Step] {
        var steps: [Step] = []
        if let first = journey.records.first(where: { $0.program == "ses" && ($0.duration != nil || $0.sender != nil) })
        {
            let time = first.received.map { $0 * 1_000 } ?? first.time - (first.duration ?? 0)
            let source =
                first.queueID.map { "from the mail server, queue id " + shown($0) } ?? first.file.map(shown) ?? ""
            steps.append(Step(time: time, word: "received", text: source))
        }
        for record in journey.records { steps += record.program == "ses" ? own(record) : relayed(record) }
        return steps
    }

    private func own(_ record: JournalRecord) -> [Step] {
        func step(_ word: String, _ text: [String?], replaces: String? = nil) -> Step {
            Step(
                time: record.time, word: word,
                text: text.compactMap { $0 }.filter { !$0.isEmpty }.map(shown).joined(separator: "; "),
                replaces: replaces)
        }
        switch record.event {
        case "committed": return committed(record)
        // The line before it told what was published, if it is of this release.
        case "published": return record.to.isEmpty ? [] : committed(record)
        case "deferred":
            let attempts = record.attempts.map { "attempt \($0)" }
            return [step("waiting", [record.reason, record.server, attempts], replaces: "ses waiting")]
        case "ordered": return [step("ordered", [record.reason])]
        case "recovered": return [step("recovered", ["after a stop of the program", record.reason])]
        case "removed": return [step("removed", [record.reason])]
        case "claimed": return record.file == nil ? [step("again", ["a start before this one had no end"])] : []
        default: return [step(record.event, [record.reason, record.verdict, record.server])]
        }
    }

    private func committed(_ record: JournalRecord) -> [Step] {
        var steps: [Step] = []
        func add(_ word: String, _ text: String) { steps.append(Step(time: record.time, word: word, text: text)) }
        if let workflow = record.workflow {
            add(
                "matched",
                "workflow \"\(shown(workflow))\"" + (record.line.map { ", ses.xml line \($0)" } ?? "")
                    + "    why: ses show \(entry)")
        }
        var how: [String] = []
        if let profile = record.profile, !profile.isEmpty { how.append("profile \(profile)") }
        if record.profile != nil || record.key != nil {
            how.append("key \(record.key ?? record.sender ?? "of the profile")")
        }
        if let host = record.host { how.append(host) }
        if let time = record.serverTime { how.append("\(time) ms") }
        let work = shown(how.joined(separator: ", "))
        if let verdict = record.verdict {
            add("verified", ([shown(record.reason ?? verdict)] + (work.isEmpty ? [] : [work])).joined(separator: "; "))
        } else if record.profile != nil || record.key != nil, record.to.contains("delivered") {
            add("signed", ([record.reason].compactMap { $0 }.map(shown) + [work]).joined(separator: "; "))
        } else if let reason = record.reason {
            add(
                "decided",
                ([reason, record.server].compactMap { $0 }.map(shown) + (work.isEmpty ? [] : [work])).joined(
                    separator: "; "))
        }
        for folder in record.to {
            switch folder {
            case "delivered": add("delivered", "to the relay" + total(record))
            case "admin": add("told", "the administrator, by a notice")
            case "blocked": add("held", "in the folder blocked")
            default: add("put", "into \(folder)")
            }
        }
        return steps
    }

    private func total(_ record: JournalRecord) -> String { record.duration.map { ", after \($0) ms in all" } ?? "" }

    private func relayed(_ record: JournalRecord) -> [Step] {
        let people =
            record.recipients.prefix(3).joined(separator: ", ")
            + (record.recipients.count > 3 ? " and \(record.recipients.count - 3) more" : "")
        let reply = [record.host.map { $0 + ":" }, record.server ?? record.reason].compactMap { $0 }.joined(
            separator: " ")
        let attempts = record.attempts.map { "attempt \($0)" } ?? ""
        func step(_ word: String, _ texts: [String], replaces: String? = nil) -> Step {
            Step(
                time: record.time, word: word, text: texts.filter { !$0.isEmpty }.map(shown).joined(separator: "   "),
                replaces: replaces)
        }
        switch record.event {
        case "sent": return [step("relayed", [people, reply])]
        // Without recipients it only counts attempts.
        case "deferred":
            return record.recipients.isEmpty
                ? [] : [step("deferred", [people, reply, attempts], replaces: "deferred " + people)]
        case "failed": return [step("failed", [people, reply])]
        case "committed", "published": return record.to.isEmpty ? [] : [step("reported", ["to the sender"])]
        case "claimed": return []
        case "recovered": return [step("recovered", ["after a stop of the relay", record.reason ?? "", people])]
        default: return [step(record.event, [people, reply])]
        }
    }

    /// Leaves out a step that a later one replaces, and says how many there were.
    private func condensed(_ steps: [Step]) -> [Step] {
        var seen: [String: (count: Int, first: Int)] = [:]
        for step in steps {
            guard let kind = step.replaces else { continue }
            seen[kind] = ((seen[kind]?.count ?? 0) + 1, seen[kind]?.first ?? step.time)
        }
        var left = seen.mapValues(\.count)
        return steps.compactMap { step in
            guard let kind = step.replaces, let all = seen[kind], all.count > 1 else { return step }
            left[kind] = (left[kind] ?? 1) - 1
            guard left[kind] == 0 else { return nil }
            let since = "\(all.count) times since \(LocalTime.ofDay(all.first).prefix(5))"
            return Step(time: step.time, word: step.word, text: step.text + "   (\(since))")
        }
    }

    // MARK: - Now

    private var standing: [String] {
        guard !journey.standing.isEmpty else {
            if let work = journey.work { return [row("now", "in work", work)] }
            let isSent = journey.records.last { $0.program == "relay" }?.event == "sent"
            return [
                row("now", isSent ? "done" : "gone", isSent ? "nothing of it is left here" : "it stands in no folder")
            ]
        }
        return journey.standing.map { standing in
            var next = ""
            if let due = standing.due {
                next = due > now ? ", next attempt \(LocalTime.brief(due, now: now))" : ", due now"
            }
            let people =
                standing.recipients.isEmpty ? "" : shown("for " + standing.recipients.prefix(3).joined(separator: ", "))
            let age = "since \(PlaceCount.span(max(0, now - standing.since)))"
            let (word, command): (String, String?) =
                switch standing.place {
                case "retry", "deferred": ("waiting", "try now: ses retry \(entry)")
                case "blocked": ("held", "deliver: ses release \(entry)   refuse: ses reject \(entry)")
                case "failed": ("failed", "try again: ses retry \(entry)")
                case "corrupt": ("unreadable", "look at it: ses export \(entry)")
                default: ("waiting", nil)
                }
            let text = [people + next, "in \(standing.place) \(age)", command].compactMap { $0 }.filter { !$0.isEmpty }
            return row("now", word, text.joined(separator: "    "))
        }
    }
}
