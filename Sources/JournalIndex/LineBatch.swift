/// The rows that some lines of a journal have in an index.
struct LineBatch {
    private(set) var lines: [(entry: Int64, at: Int)] = []
    /// The times are milliseconds.
    private(set) var words: [(word: Int64, time: Int, entry: Int64)] = []
    /// The times are seconds.
    private(set) var marks: [(time: Int, at: Int)] = []
    /// The place at which the next line begins.
    private(set) var end: Int

    /// Octets of the journal between two marks of time.
    private static let markOctets = 1 << 16

    /// - Parameters:
    ///   - begin: The place of the first line.
    ///   - maximum: The number of lines.
    init(_ file: JournalFile, from begin: Int, maximum: Int = .max) {
        end = begin
        var count = 0
        var nextMark = begin
        var batch = self
        file.forEachLine(from: begin) { at, line in
            if let time = batch.add(line, at), at >= nextMark {
                batch.marks.append((time / 1_000, at))
                nextMark = at + Self.markOctets
            }
            batch.end = at + line.count + 1
            count += 1
            return count < maximum
        }
        self = batch
    }

    /// The entry of a line and its time in milliseconds; nil if it is no line of a journal.
    static func identity(of line: UnsafeRawBufferPointer) -> (entry: String, time: Int)? {
        var found: (entry: String, time: Int) = ("", 0)
        let isWhole = LineScan.fields(of: line) { name, value in
            switch name {
            case "t": found.time = value.int ?? value.string.flatMap(JournalRecord.milliseconds) ?? 0
            case "e": found.entry = value.string ?? ""
            default: break
            }
        }
        return isWhole && !found.entry.isEmpty && found.time > 0 ? found : nil
    }

    /// - Returns: Its time in milliseconds; nil if it is no line of a journal.
    private mutating func add(_ line: UnsafeRawBufferPointer, _ at: Int) -> Int? {
        var time = 0
        var entry: Int64?
        let firstWord = words.count
        let isWhole = LineScan.fields(of: line) { name, value in
            switch name {
            case "t": time = value.int ?? value.string.flatMap(JournalRecord.milliseconds) ?? 0
            case "e": if case .text(let digits, _) = value { entry = SearchWord.entryKey(digits) }
            case "qid", "mid", "from", "au", "rcpt", "hto", "f":
                guard case .text(let octets, let isEscaped) = value, !octets.isEmpty else { return }
                words.append((isEscaped ? SearchWord(value.string ?? "").key : SearchWord.key(octets), 0, 0))
            case "sub": for word in SearchWord.words(of: value.string ?? "") { words.append((word.key, 0, 0)) }
            default: break
            }
        }
        guard isWhole, let entry, time > 0 else {
            words.removeSubrange(firstWord...)
            return nil
        }
        lines.append((entry, at))
        for index in firstWord..<words.count { words[index] = (words[index].word, time, entry) }
        return time
    }

    /// Writes the rows in the order of the tables, so that neighbours are written together.
    func write(to database: Database, source: Int64) throws(DatabaseError) {
        let line = try database.statement("INSERT OR IGNORE INTO line VALUES(?, ?, ?)")
        for row in lines.sorted(by: { ($0.entry, $0.at) < ($1.entry, $1.at) }) {
            try line.run(row.entry, source, Int64(row.at))
        }
        let word = try database.statement("INSERT OR IGNORE INTO word VALUES(?, ?, ?)")
        for row in words.sorted(by: { ($0.word, $0.time, $0.entry) < ($1.word, $1.time, $1.entry) }) {
            try word.run(row.word, Int64(row.time), row.entry)
        }
        let mark = try database.statement("INSERT OR IGNORE INTO mark VALUES(?, ?, ?)")
        for row in marks { try mark.run(source, Int64(row.time), Int64(row.at)) }
    }
}
