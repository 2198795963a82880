import Composition
public import HostProcess
import MailEnvelope
import ProgramLife
import Spool

/// The messages that stand in the folders of a spool, with the reasons.
public struct ListReport: ConsoleReport, Sendable {
    /// One message.
    public struct Row: Encodable, Sendable {
        /// 32 hexadecimal digits; nil for a file that was never claimed and whose name gives none.
        @OrNull var entry: String?
        let place: String
        let path: String
        /// Unix seconds.
        let since: Int
        /// Empty for the null sender; nil if unknown.
        @OrNull var sender: String?
        /// The address in From.
        @OrNull var author: String?
        let recipients: [String]
        @OrNull var subject: String?
        @OrNull var messageID: String?
        let octets: Int
        @OrNull var outcome: String?
        @OrNull var workflow: String?
        @OrNull var reason: String?
        /// The mail server's identifier.
        @OrNull var queueID: String?
        /// Attempts completed.
        let attempts: Int
        /// Unix seconds of the next attempt; nil if none is planned.
        @OrNull var due: Int?

        init(_ message: StandingMessage, _ facts: StandingFacts) {
            entry = message.entry?.digits
            place = message.place.rawValue
            path = message.path
            since = message.since
            sender = facts.sender
            author = facts.author
            recipients = facts.recipients
            subject = facts.subject
            messageID = facts.messageID
            octets = facts.octets
            outcome = facts.outcome
            workflow = facts.workflow
            reason = facts.reason ?? (message.name?.facts.order == .hold ? "held by an operator" : nil)
            queueID = facts.queueID
            attempts = message.name?.facts.attempts ?? 0
            due = message.place == .retry || message.place == .deferred ? message.name?.facts.due : nil
        }
    }

    let v = 1
    /// The oldest first.
    public let messages: [Row]
    /// The number of further messages that are not shown.
    public let more: Int
    private let now: Int

    private enum CodingKeys: String, CodingKey { case v, messages, more }

    /// Lists the messages that `selection` admits, the oldest first.
    /// - Parameter limit: The number of rows; 0 for all.
    /// - Throws: ``ProgramError`` if a folder cannot be listed or a message cannot be read.
    public static func make(
        _ steered: SteeredSpool, _ selection: MessageSelection, limit: Int
    ) throws(ProgramError) -> ListReport {
        let now = steered.clock.now()
        let places = StandingPlace.allCases.filter { selection.places.isEmpty || selection.places.contains($0) }
        var rows: [Row] = []
        var more = 0
        // A filter by content must read each message; without one only those that are shown are read.
        for message in try steered.standing(in: places, selection) {
            guard limit == 0 || rows.count < limit else {
                more += 1
                continue
            }
            guard let facts = steered.facts(of: message), selection.admits(facts) else { continue }
            rows.append(Row(message, facts))
        }
        return ListReport(messages: rows, more: more, now: now)
    }

    private init(messages: [Row], more: Int, now: Int) {
        self.messages = messages
        self.more = more
        self.now = now
    }

    public var status: ExitStatus { .success }

    /// For people.
    public var text: String {
        guard !messages.isEmpty else { return "no message" }
        var table = [["ENTRY", "PLACE", "SINCE", "FROM", "TO", "SIZE", "WHY"]]
        for row in messages { table.append(cells(row)) }
        // The last column is as long as it is.
        let widths = (0..<6).map { column in table.map { $0[column].count }.max() ?? 0 }
        var lines = table.map { cells in
            (0..<6).map { cells[$0] + String(repeating: " ", count: widths[$0] - cells[$0].count) }
                .joined(separator: "  ") + "  " + cells[6]
        }
        if more > 0 { lines.append("and \(more) more: --limit 0 shows all of them") }
        return lines.joined(separator: "\n")
    }

    private func cells(_ row: Row) -> [String] {
        func shown(_ text: String, _ limit: Int) -> String { UntrustedText.plainTextLine(text, limit: limit) }
        let sender = row.sender.map { $0.isEmpty ? "<>" : $0 } ?? row.author ?? "?"
        let others = row.recipients.count > 1 ? " +\(row.recipients.count - 1)" : ""
        var why = row.reason ?? row.outcome ?? "-"
        if let due = row.due {
            why += due > now ? "; next attempt in \(PlaceCount.span(due - now))" : "; due now"
        }
        return [
            row.entry.map { String($0.prefix(8)) } ?? "-", row.place, PlaceCount.span(max(0, now - row.since)),
            shown(sender, 30), shown(row.recipients.first ?? "?", 30) + others, Self.size(row.octets), shown(why, 160),
        ]
    }

    /// `940 B`, `12.4 KB`, `3.0 MB`: by 1,000.
    static func size(_ octets: Int) -> String {
        func tenths(_ unit: Int, _ name: String) -> String {
            let count = (octets * 10 + unit / 2) / unit
            return "\(count / 10).\(count % 10) \(name)"
        }
        return octets < 1_000 ? "\(octets) B" : octets < 999_950 ? tenths(1_000, "KB") : tenths(1_000_000, "MB")
    }
}

extension SteeredSpool {
    /// The messages in `places` that the selection admits by name and time, the oldest first.
    func standing(
        in places: [StandingPlace], _ selection: MessageSelection
    ) throws(ProgramError) -> [StandingMessage] {
        let now = clock.now()
        var found: [StandingMessage] = []
        do throws(SpoolError) {
            for place in places {
                try spool.forEachStanding(in: place, entries: selection.entries) { (message) throws(SpoolError) in
                    if selection.admits(message, now: now) { found.append(message) }
                    return true
                }
            }
        } catch {
            throw ProgramError(.system, error.description)
        }
        return found.sorted { ($0.since, $0.path) < ($1.since, $1.path) }
    }

    /// - Returns: nil if it is gone.
    func facts(of message: StandingMessage) -> StandingFacts? {
        do throws(SpoolError) {
            return try StandingFacts(message, in: spool)
        } catch {
            // A file that cannot be read is shown, too: it may be the one that an administrator looks for.
            return StandingFacts(unreadable: error.description)
        }
    }
}
