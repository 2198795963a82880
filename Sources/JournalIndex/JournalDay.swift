import Glibc

/// The journals of one day, open for a search: by their index as far as it goes, and by their lines behind that.
final class JournalDay {
    /// `20260102`
    let day: String
    private let files: [String: JournalFile]
    private var index: DayIndex?
    private var names: [Int64: String] = [:]
    private var ids: [String: Int64] = [:]
    /// The lines that the index does not have.
    private var rests: [String: LineBatch] = [:]

    /// - Parameter writes: True to bring the index up to date first, where this process may.
    init(_ day: String, _ sources: [JournalSource], spool: String, writes: Bool) {
        self.day = day
        let open = sources.compactMap { JournalFile($0) }
        files = Dictionary(open.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let path = DayIndex.path(spool: spool, day: day)
        var known: [String: DayIndex.Source] = [:]
        func look() {
            index = try? DayIndex(reading: path)
            known = (try? index?.sources()) ?? [:]
        }
        look()
        let isWhole = files.values.allSatisfy {
            known[$0.name]?.upto == $0.count && known[$0.name]?.fingerprint == $0.fingerprint
        }
        if writes, !isWhole {
            index = nil
            _ = Self.update(path, open)
            look()
        }
        adopt(known)
    }

    private func adopt(_ known: [String: DayIndex.Source]) {
        for file in files.values {
            var begin = 0
            if let source = known[file.name], file.fingerprint == source.fingerprint, source.upto <= file.count {
                names[source.id] = file.name
                ids[file.name] = source.id
                begin = source.upto
            }
            if begin < file.count { rests[file.name] = LineBatch(file, from: begin) }
        }
    }

    /// Brings the index at `path` up to date. One that is damaged, or of other journals, is made again.
    /// - Returns: Nil, or why it could not be written.
    static func update(
        _ path: String, _ files: [JournalFile], isStopping: () -> Bool = { false }
    ) -> String? {
        var reason: String?
        for _ in 0..<2 {
            do throws(DatabaseError) {
                let index = try DayIndex(writing: path)
                for file in files { try index.add(file, isStopping: isStopping) }
                return nil
            } catch {
                reason = error.text
                guard error.isDamage else { return reason }
                for suffix in ["", "-journal", "-wal", "-shm"] { unlink(path + suffix) }
            }
        }
        return reason
    }

    // MARK: - Search

    /// The keys of entries that have the word, with the time of the line, the latest first.
    func entries(_ word: SearchWord, _ times: ClosedRange<Int>, limit: Int) -> [(key: Int64, time: Int)] {
        var found: [(key: Int64, time: Int)] = []
        if let rows = try? index?.entries(word.key, times, limit: limit) { found += rows.map { ($0.0, $0.time) } }
        for rest in rests.values {
            found += rest.words.filter { $0.word == word.key && times.contains($0.time / 1_000) }.map {
                ($0.entry, $0.time)
            }
        }
        return found
    }

    /// The lines of the entries whose key is in `keys`.
    func records(_ keys: ClosedRange<Int64>, limit: Int) -> [JournalRecord] {
        var found: [JournalRecord] = []
        for place in (try? index?.places(keys, limit: limit)) ?? [] {
            guard let name = names[place.source], let file = files[name] else { continue }
            if let record = file.record(at: place.at) { found.append(record) }
        }
        for (name, rest) in rests {
            guard let file = files[name] else { continue }
            for line in rest.lines where keys.contains(line.entry) {
                if let record = file.record(at: line.at) { found.append(record) }
            }
        }
        return found
    }

    /// Seconds by which the lines of several processes may be out of order.
    private static let disorder = 60

    /// The entries with a line in a range of time, each with the time of its last one there, the latest first.
    func entries(between times: ClosedRange<Int>, limit: Int) -> [(entry: String, time: Int)] {
        var last: [String: Int] = [:]
        for file in files.values {
            // Backwards, piece by piece, until there are enough.
            var end = Int.max
            var own: [String: Int] = [:]
            for mark in marks(of: file, before: times.upperBound) {
                file.forEachLine(from: mark.at) { at, line in
                    guard at < end else { return false }
                    guard let (entry, time) = LineBatch.identity(of: line) else { return true }
                    if times.contains(time / 1_000) { own[entry] = max(own[entry] ?? 0, time) }
                    return time / 1_000 <= times.upperBound + Self.disorder
                }
                end = mark.at
                // The times of several processes may be out of order by a little.
                if own.count >= limit || mark.time < times.lowerBound - Self.disorder { break }
            }
            last.merge(own) { max($0, $1) }
        }
        return last.sorted { ($0.value, $0.key) > ($1.value, $1.key) }.prefix(limit).map { ($0.key, $0.value) }
    }

    private func marks(of file: JournalFile, before time: Int) -> [(at: Int, time: Int)] {
        var marks = (rests[file.name]?.marks ?? []).filter { $0.time <= time }.map { (at: $0.at, time: $0.time) }
        if let id = ids[file.name], let indexed = try? index?.marks(id, before: time) { marks += indexed }
        return marks.sorted { $0.at > $1.at }
    }
}
