import Composition
public import HostProcess
import JournalIndex
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
    /// Of the first file; nil if it stands nowhere, or is no message.
    @OrNull var content: MessageContent?
    /// The commands that apply to it.
    let commands: [String]
    let journal: [Journey.Line]
    private let journeys: [Journey]
    private let now: Int

    private enum CodingKeys: String, CodingKey { case v, messages, fields, content, commands, journal }

    /// - Parameter entry: The digits of the entry, or the first of them.
    /// - Throws: ``ProgramError`` with 66 if there is no such message and the journal knows none, 64 if several entries
    ///   begin with these digits.
    public static func make(_ steered: SteeredSpool, entry: String) throws(ProgramError) -> ShowReport {
        let selection = try MessageSelection(entries: [entry])
        // The message itself before what was made of it, such as a notice.
        let all = try steered.standing(in: StandingPlace.allCases, selection)
        let standing = all.filter { direction(of: $0) != nil } + all.filter { direction(of: $0) == nil }
        let found = JournalSearch(spool: steered.spool.path).find(SearchWord(entry), limit: 100).journeys
            .filter { $0.entry.hasPrefix(entry) }
        try MessageSelection.requireOne(of: Set(standing.compactMap(\.entry?.digits) + found.map(\.entry)), entry)
        var rows: [ListReport.Row] = []
        var fields: [Field] = []
        var content: MessageContent?
        for message in standing {
            guard let facts = steered.facts(of: message) else { continue }
            rows.append(ListReport.Row(message, facts))
            if content == nil { content = try steered.content(of: message, octets: facts.octets) }
            if fields.isEmpty { fields = facts.fields.map { Field(name: $0.name, text: $0.text) } }
        }
        guard !rows.isEmpty || !found.isEmpty else { throw MessageSelection.nothing(entry) }
        var report = ShowReport(
            messages: rows, fields: fields, content: content, commands: Self.commands(standing, entry),
            journeys: try steered.journeys(found), now: steered.clock.now())
        report.direction = standing.first.flatMap(direction(of:))
        return report
    }

    private static func direction(of message: StandingMessage) -> String? {
        switch message.place {
        case .outgoing, .incoming: message.place.rawValue
        case .retry, .blocked:
            switch message.name?.facts.origin {
            case .outgoing?: "outgoing"
            case .incoming?: "incoming"
            case nil: nil
            }
        case .delivered, .admin, .failed, .corrupt, .deferred: nil
        }
    }

    private init(
        messages: [ListReport.Row], fields: [Field], content: MessageContent?, commands: [String],
        journeys: [Journey], now: Int
    ) {
        self.messages = messages
        self.content = content
        self.commands = commands
        self.fields = fields
        self.journeys = journeys
        journal = journeys.flatMap(\.lines)
        self.now = now
    }

    /// The path of the first file, for `ses explain`; nil if no file stands there any more.
    public var firstPath: String? { messages.first?.path }
    /// `outgoing` or `incoming`, of a message as received; nil of a result, which no workflow decides about any more.
    public private(set) var direction: String?

    /// The commands that mean something for the messages, in the order in which a person thinks of them.
    private static func commands(_ standing: [StandingMessage], _ entry: String) -> [String] {
        let orders: [Order] = [.release, .requeue, .retry, .hold, .reject(nil), .bounce(nil), .remove]
        let places = Set(standing.map(\.place))
        return orders.filter { !places.isDisjoint(with: $0.places) }.map { "ses \($0.word) \(entry)" }
            + (standing.isEmpty ? [] : ["ses export \(entry)"])
    }

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
        if let content {
            if let protection = content.protection { add("form", protection) }
            for part in content.parts {
                let name = part.name.map { " \"\($0)\"" } ?? ""
                add("part", "\(part.path) \(part.mediaType)\(name), \(ListReport.size(part.octets))")
            }
            lines.append("")
        }
        if !fields.isEmpty {
            lines += fields.map { "\($0.name): \(shown($0.text))" }
            lines.append("")
        }
        for journey in journeys { lines += JourneyText(journey, now: now).lines }
        if !commands.isEmpty { lines += ["", "commands    " + commands.joined(separator: "   ")] }
        if lines.last == "" { lines.removeLast() }
        return lines.joined(separator: "\n")
    }
}

extension SteeredSpool {
    fileprivate func content(of message: StandingMessage, octets: Int) throws(ProgramError) -> MessageContent? {
        do throws(SpoolError) {
            return try MessageContent(message, octets: octets, in: spool)
        } catch {
            // The row says why it cannot be read.
            return nil
        }
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
