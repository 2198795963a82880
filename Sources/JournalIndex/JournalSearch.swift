/// A search in the journals of a spool, of all programs and days.
///
/// Used by one thread at a time. Blocks.
public final class JournalSearch {
    /// The result of a search.
    public struct Found: Sendable {
        /// The entries with all their lines by time, the latest entry first.
        public let journeys: [(entry: String, records: [JournalRecord])]
        /// The number of further entries, all older, as far as they were counted.
        public let more: Int
    }

    /// The first and the last day that there are journals of, as in the names of the files; nil without any.
    public var days: (first: String, last: String)? {
        guard let first = sources.first, let last = sources.last else { return nil }
        return (first.day, last.day)
    }

    private let spool: String
    private let writes: Bool
    private let sources: [JournalSource]
    private var open: [String: JournalDay] = [:]
    private let tell: (String) -> Void

    /// Further entries are counted up to this number.
    private static let counted = 1_000
    /// Lines of one entry that are read.
    private static let maximumLines = 10_000

    /// - Parameters:
    ///   - spool: The path of the spool.
    ///   - writes: True to bring the indexes up to date, where this process may.
    ///   - tell: Called with a sentence before something that takes long.
    public init(spool: String, writes: Bool = true, tell: @escaping (String) -> Void = { _ in }) {
        self.spool = spool
        self.writes = writes
        self.tell = tell
        sources = JournalSource.all(in: spool)
    }

    /// The days, the latest first, that may have lines of these times.
    private func days(_ times: ClosedRange<Int>) -> [JournalDay] {
        var names = Array(Set(sources.map(\.day))).sorted(by: >)
        if times.lowerBound > 0 {
            let first = JournalKeeper.day(of: times.lowerBound - 86_400)
            names.removeAll { $0 < first }
        }
        if times.upperBound < Int(Int32.max) {
            let last = JournalKeeper.day(of: times.upperBound + 86_400)
            names.removeAll { $0 > last }
        }
        return names.map { name in
            if let day = open[name] { return day }
            let day = JournalDay(name, sources.filter { $0.day == name }, spool: spool, writes: writes)
            open[name] = day
            return day
        }
    }

    /// All times.
    public static let always = 0...Int(Int32.max) * 1_000

    /// Finds the entries that `word` names: an entry or its first digits, a queue id, a Message-ID, an address, or a
    /// word of a subject where these are in the journal.
    /// - Parameters:
    ///   - times: Unix seconds between which the line stands that names it.
    ///   - limit: The number of entries that are returned, the latest.
    public func find(_ word: SearchWord, times: ClosedRange<Int> = always, limit: Int) -> Found {
        var last: [Int64: Int] = [:]
        for day in days(times) where last.count < limit + Self.counted {
            for hit in day.entries(word, times, limit: limit + Self.counted) {
                last[hit.key] = max(last[hit.key] ?? 0, hit.time)
            }
        }
        var journeys = journeys(of: last.sorted { $0.value > $1.value }.map { $0.key...$0.key }, limit: limit) {
            $0.contains { $0.names(word) }
        }
        if let keys = word.entryKeys {
            let known = Set(journeys.map(\.entry))
            let byEntry = records(keys).filter { word.isPrefix(of: $0.entry) }
            for (entry, records) in Dictionary(grouping: byEntry, by: \.entry) where !known.contains(entry) {
                guard records.contains(where: { times.contains($0.time / 1_000) }) else { continue }
                journeys.append((entry, records.sorted { $0.time < $1.time }))
            }
        }
        journeys.sort { ($0.records.last?.time ?? 0, $0.entry) > ($1.records.last?.time ?? 0, $1.entry) }
        return Found(
            journeys: Array(journeys.prefix(limit)), more: max(last.count - limit, journeys.count - limit, 0))
    }

    /// Finds the entries of which something was told in a range of time. Further ones are counted as one.
    /// - Parameter times: Unix seconds.
    public func find(times: ClosedRange<Int>, limit: Int) -> Found {
        var last: [String: Int] = [:]
        for day in days(times) where last.count <= limit {
            for hit in day.entries(between: times, limit: limit + 1) {
                last[hit.entry] = max(last[hit.entry] ?? 0, hit.time)
            }
        }
        let latest = last.sorted { ($0.value, $0.key) > ($1.value, $1.key) }.prefix(limit).map(\.key)
        return Found(
            journeys: latest.map { ($0, records(of: $0)) }, more: max(0, last.count - limit))
    }

    /// The lines of one entry, by time.
    /// - Parameter entry: All of its digits.
    public func records(of entry: String) -> [JournalRecord] {
        guard let key = SearchWord.entryKey(entry.utf8) else { return [] }
        return records(key...key).filter { $0.entry == entry }.sorted { $0.time < $1.time }
    }

    private func records(_ keys: ClosedRange<Int64>) -> [JournalRecord] {
        days(Self.always).flatMap { $0.records(keys, limit: Self.maximumLines) }
    }

    private func journeys(
        of keys: [ClosedRange<Int64>], limit: Int, where isWanted: ([JournalRecord]) -> Bool
    ) -> [(entry: String, records: [JournalRecord])] {
        var journeys: [(entry: String, records: [JournalRecord])] = []
        for key in keys where journeys.count < limit {
            for (entry, records) in Dictionary(grouping: records(key), by: \.entry) where isWanted(records) {
                journeys.append((entry, records.sorted { $0.time < $1.time }))
            }
        }
        return journeys
    }
}
