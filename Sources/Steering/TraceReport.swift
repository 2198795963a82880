import Composition
import FoundationEssentials
import Glibc
public import HostProcess
import JournalIndex
import MailEnvelope
import ProgramLife
import Spool

/// The way of messages through the programs, from the journals of both and from what stands in the folders.
public struct TraceReport: ConsoleReport, Sendable {
    let v = 1
    /// The latest last.
    let journeys: [Journey]
    /// The number of further entries that fit, all of them older, as far as they were counted.
    let more: Int
    /// The first and the last day whose journals were searched, as in the names of the files; nil without journals.
    @OrNull var first: String?
    @OrNull var last: String?
    private let wanted: String?
    private let now: Int

    private enum CodingKeys: String, CodingKey { case v, journeys, more, first, last }

    /// The text and the times that are looked for.
    public struct Question: Sendable {
        /// An entry or its first digits, the mail server's queue id, a Message-ID with or without brackets, an address
        /// of envelope or header, or a word of the subject; nil for all.
        public var text: String?
        /// `2026-11-30 16:00`, `16:00` or an age such as `2h`.
        public var since: String?
        public var until: String?
        /// The number of messages that are shown.
        public var limit: Int

        public init(text: String?, since: String? = nil, until: String? = nil, limit: Int) {
            self.text = text
            self.since = since
            self.until = until
            self.limit = limit
        }
    }

    /// Finds the messages, and what became of them.
    /// - Throws: ``ProgramError`` with 64 for a question that says nothing or cannot be read.
    public static func make(_ steered: SteeredSpool, _ question: Question) throws(ProgramError) -> TraceReport {
        let now = steered.clock.now()
        let text = question.text.flatMap { $0.isEmpty ? nil : $0 }
        guard text != nil || question.since != nil || question.until != nil else {
            throw ProgramError(.usage, "say what to look for: \(kinds)")
        }
        func moment(_ text: String?, _ option: String) throws(ProgramError) -> Int? {
            guard let text else { return nil }
            if let time = LocalTime.parse(text, now: now) { return time }
            throw ProgramError(
                .usage,
                "\(option) \(UntrustedText.quotedName(text)) is no time: write 2026-11-30, \"2026-11-30 16:00\", 16:00, or 2h"
                    + " for two hours ago")
        }
        let from = try moment(question.since, "--since") ?? 0
        let to = try moment(question.until, "--until") ?? JournalSearch.always.upperBound
        guard from <= to else { throw ProgramError(.usage, "--since is later than --until") }
        let search = JournalSearch(spool: steered.spool.path)
        let limit = max(1, question.limit)
        let found =
            text.map { search.find(SearchWord($0), times: from...to, limit: limit) }
            ?? search.find(times: from...to, limit: limit)
        var journeys = found.journeys
        // A message that waits for its first claim is in no journal.
        if let text, let selection = try? MessageSelection(entries: [text]) {
            for message in try steered.standing(in: StandingPlace.allCases, selection) {
                guard let entry = message.entry?.digits, !journeys.contains(where: { $0.entry == entry }) else {
                    continue
                }
                journeys.insert((entry, []), at: 0)
            }
        }
        return TraceReport(
            journeys: try steered.journeys(journeys).reversed(), more: found.more, first: search.days?.first,
            last: search.days?.last, wanted: text, now: now)
    }

    private static let kinds =
        "an entry or its first digits, a queue id, a Message-ID, an address, or a time (--since, --until)"

    private init(
        journeys: [Journey], more: Int, first: String?, last: String?, wanted: String?, now: Int
    ) {
        self.journeys = journeys
        self.more = more
        self.wanted = wanted
        self.now = now
        self.first = first
        self.last = last
    }

    public var status: ExitStatus { journeys.isEmpty ? .noInput : .success }

    /// For people.
    public var text: String {
        guard !journeys.isEmpty else { return nothing }
        var lines: [String] = []
        for journey in journeys { lines += JourneyText(journey, now: now).lines + [""] }
        if more > 0 { lines.append("and \(more) older: --limit shows more") } else { lines.removeLast() }
        return lines.joined(separator: "\n")
    }

    private var nothing: String {
        let what = wanted.map { " for " + UntrustedText.plainTextLine($0, limit: 200) } ?? " in that time"
        let journals =
            first.flatMap { first in
                last.map { "the journals of ses and of the relay from \(first) to \($0) (UTC days)" }
            }
            ?? "no journal (there is none)"
        return """
            Nothing was found\(what).
            Searched: \(journals), and the folders of the spool.
            To try: \(Self.kinds);
              an address in full, as the envelope or the header had it (ses list --from TEXT finds parts of one);
              the mail server's log, which has the queue id, and says whether the message came here at all.
            Subjects are found only if JournalSubjects was set when the message came.
            """
    }
}

extension SteeredSpool {
    /// The journeys of entries with where each stands now.
    func journeys(_ found: [(entry: String, records: [JournalRecord])]) throws(ProgramError) -> [Journey] {
        // Without entries a selection is of all messages.
        guard !found.isEmpty else { return [] }
        let entries = found.map(\.entry)
        let messages = try standing(in: StandingPlace.allCases, MessageSelection(entries: entries))
        let standing = Dictionary(grouping: messages) { $0.entry?.digits ?? "" }
        let work = workplaces(of: Set(entries).subtracting(standing.keys))
        return found.map { entry, records in
            let rows = (standing[entry] ?? []).compactMap { message in
                facts(of: message).map { ListReport.Row(message, $0) }
            }
            return Journey(entry, records, standing: rows, work: work[entry])
        }
    }

    /// The directories in which programs work on these entries at this moment.
    private func workplaces(of entries: Set<String>) -> [String: String] {
        var found: [String: String] = [:]
        guard !entries.isEmpty else { return found }
        for path in ["work", "publish", "relay/work", "relay/publish"] {
            // A relay that was never started has none.
            for name in (try? FileManager.default.contentsOfDirectory(atPath: spool.path + "/" + path)) ?? [] {
                if let entry = UniqueName(parsing: name)?.entry.digits, entries.contains(entry) {
                    found[entry] = spool.path + "/" + path + "/" + name
                }
            }
        }
        return found
    }
}
