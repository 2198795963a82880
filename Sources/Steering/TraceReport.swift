import Composition
public import HostProcess
import MailEnvelope
import ProgramLife
import Spool

/// The way of messages through the programs, from the journals of both and from what stands in the folders.
public struct TraceReport: ConsoleReport, Sendable {
    struct Journey: Encodable, Sendable {
        let entry: String
        let lines: [JournalScan.Line]
        let standing: [ListReport.Row]
    }

    let v = 1
    /// The latest last.
    let journeys: [Journey]
    /// The number of further entries that fit, all of them older.
    let more: Int
    /// The first day whose journal was searched, as in the names of the files; nil without a limit.
    @OrNull var since: String?
    private let wanted: String
    private let now: Int

    private enum CodingKeys: String, CodingKey { case v, journeys, more, since }

    /// Finds the entries of which a line in the journal has `wanted`: the entry or its first digits, the mail server's
    /// queue id, the Message-ID with or without brackets, or an address.
    /// - Parameters:
    ///   - days: The number of days whose journals are searched, today included; 0 for all.
    ///   - limit: The number of entries that are shown.
    /// - Throws: ``ProgramError`` with 64 for an empty text.
    public static func make(
        _ steered: SteeredSpool, _ wanted: String, days: Int, limit: Int
    ) throws(ProgramError) -> TraceReport {
        guard !wanted.isEmpty else { throw ProgramError(.usage, "say what to look for: \(Self.kinds)") }
        let since = days > 0 ? steered.clock.day(before: days - 1) : nil
        let scan = JournalScan(spool: steered.spool.path, since: since)
        var entries = scan.entries(naming: wanted)
        // A message that waits for its first claim is in no journal.
        if let selection = try? MessageSelection(entries: [wanted]) {
            for message in try steered.standing(in: StandingPlace.allCases, selection) {
                if let digits = message.entry?.digits, !entries.contains(digits) { entries.append(digits) }
            }
        }
        let shown = entries.suffix(max(1, limit))
        // Without entries a selection is of all messages.
        let found =
            shown.isEmpty
            ? [] : try steered.standing(in: StandingPlace.allCases, MessageSelection(entries: Array(shown)))
        let standing = Dictionary(grouping: found) { $0.entry?.digits ?? "" }
        let journeys = shown.map { entry in
            Journey(
                entry: entry, lines: scan.lines(of: entry),
                standing: (standing[entry] ?? []).compactMap { message in
                    steered.facts(of: message).map { ListReport.Row(message, $0) }
                })
        }
        return TraceReport(
            journeys: journeys, more: entries.count - shown.count, since: since, wanted: wanted,
            now: steered.clock.now())
    }

    private static let kinds = "an entry, a queue id, a Message-ID or an address"

    private init(journeys: [Journey], more: Int, since: String?, wanted: String, now: Int) {
        self.journeys = journeys
        self.more = more
        self.since = since
        self.wanted = wanted
        self.now = now
    }

    public var status: ExitStatus { journeys.isEmpty ? .noInput : .success }

    /// For people.
    public var text: String {
        func shown(_ text: String) -> String { UntrustedText.plainTextLine(text, limit: 600) }
        guard !journeys.isEmpty else {
            let searched = since.map { "the journals since \($0) (--days 0 searches all)" } ?? "all journals"
            return "nothing found for \(shown(wanted)) in \(searched) and in the folders; look for \(Self.kinds)"
        }
        var lines: [String] = []
        for journey in journeys {
            let messageID = journey.lines.lazy.compactMap(\.messageID).first
            let queueID = journey.lines.lazy.compactMap(\.queueID).first
            lines.append(
                "entry \(journey.entry)" + (messageID.map { "  Message-ID " + shown($0) } ?? "")
                    + (queueID.map { "  queue id " + shown($0) } ?? ""))
            lines += JournalScan.read(journey.lines).map { "  " + $0 }
            for row in journey.standing {
                let next =
                    row.due.map { $0 > now ? ", next attempt in \(PlaceCount.span($0 - now))" : ", due now" } ?? ""
                lines.append(
                    "  now stands in \(row.place) for \(PlaceCount.span(max(0, now - row.since)))\(next): \(shown(row.path))"
                )
            }
            lines.append("")
        }
        if more > 0 { lines.append("and \(more) older: --limit shows more") } else { lines.removeLast() }
        return lines.joined(separator: "\n")
    }
}
