import Composition
public import HostProcess
import MailEnvelope
import ProgramLife
import Spool

/// One message of a spool: where it stands, what its envelope and header say, and what the journal tells of it.
public struct ShowReport: ConsoleReport, Sendable {
    struct Field: Encodable, Sendable {
        let name: String
        let text: String
    }

    let v = 1
    /// The files of the entry; more than one if it has several results.
    public let messages: [ListReport.Row]
    let fields: [Field]
    let journal: [JournalScan.Line]
    private let now: Int

    private enum CodingKeys: String, CodingKey { case v, messages, fields, journal }

    /// - Parameter entry: The digits of the entry, or the first of them.
    /// - Throws: ``ProgramError`` with 66 if there is no such message and the journal knows none, 64 if several entries
    ///   begin with these digits.
    public static func make(_ steered: SteeredSpool, entry: String) throws(ProgramError) -> ShowReport {
        let selection = try MessageSelection(entries: [entry])
        let standing = try steered.standing(in: StandingPlace.allCases, selection)
        let journal = JournalScan(spool: steered.spool.path).lines(of: entry)
        try MessageSelection.requireOne(of: Set(standing.compactMap(\.entry?.digits) + journal.map(\.entry)), entry)
        var rows: [ListReport.Row] = []
        var fields: [Field] = []
        for message in standing {
            guard let facts = steered.facts(of: message) else { continue }
            rows.append(ListReport.Row(message, facts))
            if fields.isEmpty { fields = facts.fields.map { Field(name: $0.name, text: $0.text) } }
        }
        guard !rows.isEmpty || !journal.isEmpty else { throw MessageSelection.nothing(entry) }
        return ShowReport(messages: rows, fields: fields, journal: journal, now: steered.clock.now())
    }

    private init(messages: [ListReport.Row], fields: [Field], journal: [JournalScan.Line], now: Int) {
        self.messages = messages
        self.fields = fields
        self.journal = journal
        self.now = now
    }

    /// The path of the first file, for `ses explain`; nil if no file stands there any more.
    public var firstPath: String? { messages.first?.path }

    public var status: ExitStatus { .success }

    /// For people.
    public var text: String {
        func shown(_ text: String) -> String { UntrustedText.plainTextLine(text, limit: 300) }
        var lines: [String] = []
        func add(_ name: String, _ text: String?) {
            guard let text else { return }
            lines.append(name + String(repeating: " ", count: max(1, 12 - name.count)) + shown(text))
        }
        if messages.isEmpty { lines.append("It stands in no folder any more.") }
        for row in messages {
            add("entry", row.entry)
            add("place", "\(row.place), for \(PlaceCount.span(max(0, now - row.since)))")
            add("file", row.path)
            add("size", ListReport.size(row.octets))
            add("sender", row.sender.map { $0.isEmpty ? "<>" : $0 })
            add("recipients", row.recipients.isEmpty ? nil : row.recipients.joined(separator: ", "))
            add("queue id", row.queueID ?? journal.lazy.compactMap(\.queueID).first)
            add("outcome", row.outcome)
            add("workflow", row.workflow)
            add("reason", row.reason)
            add("attempts", row.attempts > 0 ? "\(row.attempts)" : nil)
            if let due = row.due { add("next", due > now ? "in \(PlaceCount.span(due - now))" : "now") }
            lines.append("")
        }
        if !fields.isEmpty {
            lines += fields.map { "\($0.name): \(shown($0.text))" }
            lines.append("")
        }
        lines += JournalScan.read(journal)
        if lines.last == "" { lines.removeLast() }
        return lines.joined(separator: "\n")
    }
}

extension MessageSelection {
    static func nothing(_ entry: String) -> ProgramError {
        ProgramError(
            .noInput,
            "no message of entry \(entry) stands in the spool, and the journal has no line about it: `ses list` shows what"
                + " stands in the folders")
    }

    static func requireOne(of digits: Set<String>, _ entry: String) throws(ProgramError) {
        guard digits.count > 1 else { return }
        throw ProgramError(
            .usage,
            "\(digits.count) entries begin with \(entry): give more digits (\(digits.sorted().prefix(3).map { $0.prefix(12) }.joined(separator: ", ")))"
        )
    }
}
