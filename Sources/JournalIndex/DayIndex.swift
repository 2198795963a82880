import Glibc

/// The index of the journals of one day: a database beside them, made from them alone.
struct DayIndex {
    private let database: Database

    /// The form of the tables. Another one is made again.
    private static let version: Int64 = 1
    /// Lines that are indexed in one transaction: bounds the memory, and how long others wait.
    private static let batch = 50_000

    /// A place in the journals of the day.
    struct Place: Hashable {
        let source: Int64
        let at: Int
    }

    static func path(spool: String, day: String) -> String { "\(spool)/journal/index-\(day).sqlite" }

    /// Opens the index for reading.
    /// - Throws: ``DatabaseError`` if there is none or it is damaged.
    init(reading path: String) throws(DatabaseError) {
        database = try Database(path, isReadOnly: true)
        try requireVersion()
    }

    /// Opens the index for writing, and makes it where it is missing.
    init(writing path: String) throws(DatabaseError) {
        // SQLite would make it by the umask.
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o640)
        if descriptor >= 0 { close(descriptor) }
        database = try Database(path, isReadOnly: false)
        try database.run("PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16384; PRAGMA temp_store=MEMORY")
        var isNew = false
        try database.statement("PRAGMA user_version").run { row in
            isNew = row.integer(0) == 0
            return false
        }
        guard isNew else {
            try requireVersion()
            return
        }
        let database = database
        try database.transaction { () throws(DatabaseError) in
            try database.run(
                """
                CREATE TABLE IF NOT EXISTS source(
                    id INTEGER PRIMARY KEY, name TEXT UNIQUE, upto INTEGER, fingerprint INTEGER);
                CREATE TABLE IF NOT EXISTS line(
                    entry INTEGER, source INTEGER, at INTEGER, PRIMARY KEY(entry, source, at)) WITHOUT ROWID;
                CREATE TABLE IF NOT EXISTS word(
                    word INTEGER, t INTEGER, entry INTEGER, PRIMARY KEY(word, t, entry)) WITHOUT ROWID;
                CREATE TABLE IF NOT EXISTS mark(
                    source INTEGER, t INTEGER, at INTEGER, PRIMARY KEY(source, at)) WITHOUT ROWID;
                PRAGMA user_version=\(Self.version)
                """)
        }
    }

    private func requireVersion() throws(DatabaseError) {
        var found: Int64 = 0
        try database.statement("PRAGMA user_version").run { row in
            found = row.integer(0)
            return false
        }
        guard found == Self.version else { throw DatabaseError(code: 1, text: "another form of index: \(found)") }
    }

    // MARK: - Reading

    /// One journal, as far as it is indexed.
    struct Source {
        let id: Int64
        /// The octets that are indexed.
        let upto: Int
        let fingerprint: Int64
    }

    /// The journals that are indexed, by their names.
    func sources() throws(DatabaseError) -> [String: Source] {
        var found: [String: Source] = [:]
        try database.statement("SELECT id, upto, fingerprint, name FROM source").run { row in
            found[row.text(3)] = Source(id: row.integer(0), upto: Int(row.integer(1)), fingerprint: row.integer(2))
            return true
        }
        return found
    }

    /// The places of the lines of entries whose key is in `keys`.
    func places(_ keys: ClosedRange<Int64>, limit: Int) throws(DatabaseError) -> [Place] {
        var found: [Place] = []
        try database.statement("SELECT source, at FROM line WHERE entry BETWEEN ? AND ? LIMIT ?")
            .run(keys.lowerBound, keys.upperBound, Int64(limit)) { row in
                found.append(Place(source: row.integer(0), at: Int(row.integer(1))))
                return true
            }
        return found
    }

    /// The keys of the entries that have the word, with the time in milliseconds, the latest first.
    /// - Parameter times: Unix seconds.
    func entries(_ word: Int64, _ times: ClosedRange<Int>, limit: Int) throws(DatabaseError) -> [(Int64, time: Int)] {
        var found: [(Int64, time: Int)] = []
        try database.statement(
            "SELECT entry, t FROM word WHERE word = ? AND t BETWEEN ? AND ? ORDER BY t DESC LIMIT ?"
        ).run(word, Int64(times.lowerBound * 1_000), Int64(times.upperBound * 1_000 + 999), Int64(limit)) { row in
            found.append((row.integer(0), Int(row.integer(1))))
            return true
        }
        return found
    }

    /// The marks of a journal that stand before a time, the latest first.
    func marks(_ source: Int64, before time: Int) throws(DatabaseError) -> [(at: Int, time: Int)] {
        var found: [(at: Int, time: Int)] = []
        try database.statement("SELECT at, t FROM mark WHERE source = ? AND t <= ? ORDER BY at DESC")
            .run(source, Int64(time)) { row in
                found.append((Int(row.integer(0)), Int(row.integer(1))))
                return true
            }
        return found
    }

    // MARK: - Writing

    /// Indexes what was added to a journal.
    /// - Throws: ``DatabaseError``. What was indexed before stays.
    func add(_ file: JournalFile, isStopping: () -> Bool = { false }) throws(DatabaseError) {
        var isDone = false
        while !isDone, !isStopping() {
            let database = database
            try database.transaction { () throws(DatabaseError) in
                let known = try sources()[file.name]
                if let known, known.upto > file.count || known.fingerprint != file.fingerprint {
                    throw DatabaseError(code: 1, text: "the journal \(file.name) is another one")
                }
                let begin = known?.upto ?? 0
                guard begin < file.count else {
                    isDone = true
                    return
                }
                try database.statement("INSERT OR IGNORE INTO source(upto, fingerprint, name) VALUES(0, ?, ?)")
                    .run(file.fingerprint, text: file.name)
                guard let id = try sources()[file.name]?.id else { return }
                let batch = LineBatch(file, from: begin, maximum: Self.batch)
                try batch.write(to: database, source: id)
                try database.statement("UPDATE source SET upto = ? WHERE id = ?").run(Int64(batch.end), id)
            }
        }
    }
}
