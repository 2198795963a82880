import CivilTime
import Glibc

/// Keeps indexes up to date, compresses the journals of past days, and removes the oldest. Any number of processes may
/// do so at the same time, and each may be killed at any instant.
public struct JournalKeeper: Sendable {
    /// The work that was done, for the log.
    public struct Account: Sendable, Hashable {
        /// The journals that were compressed.
        public internal(set) var compressed: [String] = []
        /// The days whose journals and index were removed, `20260102`, each with the reason.
        public internal(set) var removed: [String: String] = [:]
        /// The faults, a sentence each.
        public internal(set) var troubles: [String] = []
    }

    private let spool: String
    private let days: Int
    private let maximumOctets: Int

    /// Days after which nobody writes into a journal any more, also if the clock is a little off.
    private static let openDays = 2

    /// - Parameters:
    ///   - spool: The path of the spool.
    ///   - days: The days for which journals are kept, today included.
    ///   - maximumOctets: The size that all journals and indexes may have together.
    public init(spool: String, days: Int, maximumOctets: Int) {
        self.spool = spool
        self.days = days
        self.maximumOctets = maximumOctets
    }

    /// The UTC day of a time in Unix seconds: `20260102`.
    static func day(of time: Int) -> String {
        let date = CivilDate(dayNumber: time.floorDivided(by: 86_400).quotient)
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
        }
        return padded(date.year, 4) + padded(date.month, 2) + padded(date.day, 2)
    }

    // MARK: - Indexes

    /// Brings the indexes up to date.
    /// - Parameters:
    ///   - least: Octets that must have been added to the journals of a day; fewer are left to whoever asks.
    ///   - isStopping: Asked now and then.
    /// - Returns: The indexes that could not be written, a sentence each.
    public func updateIndexes(least: Int = 1, isStopping: () -> Bool = { false }) -> [String] {
        var troubles: [String] = []
        let sources = Dictionary(grouping: JournalSource.all(in: spool), by: \.day)
        for day in sources.keys.sorted(by: >) where !isStopping() {
            let files = (sources[day] ?? []).compactMap { JournalFile($0) }
            let path = DayIndex.path(spool: spool, day: day)
            let known = (try? DayIndex(reading: path).sources()) ?? [:]
            let added = files.reduce(0) { $0 + abs($1.count - (known[$1.name]?.upto ?? 0)) }
            if added < least { continue }
            if let trouble = JournalDay.update(path, files, isStopping: isStopping) {
                troubles.append("\(path): \(trouble)")
            }
        }
        return troubles
    }

    // MARK: - Retention

    /// Compresses and removes what is due. Does nothing while another process is at it.
    /// - Parameter now: Unix seconds.
    public func keep(now: Int, isStopping: () -> Bool = { false }) -> Account {
        var account = Account()
        let lock = open(spool + "/journal", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard lock >= 0 else { return account }
        defer { close(lock) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else { return account }
        remove(now: now, &account)
        let last = Self.day(of: now - Self.openDays * 86_400)
        for source in JournalSource.all(in: spool) where source.day <= last && !isStopping() {
            do throws(KeepingError) {
                if try Self.compress(source) { account.compressed.append(source.name) }
            } catch {
                account.troubles.append(error.text)
            }
        }
        return account
    }

    private func remove(now: Int, _ account: inout Account) {
        let today = Self.day(of: now)
        let oldest = Self.day(of: now - (days - 1) * 86_400)
        let byDay = Dictionary(grouping: files(), by: \.day)
        var total = byDay.values.reduce(0) { $0 + $1.reduce(0) { $0 + $1.octets } }
        for day in byDay.keys.sorted() where day < today {
            let octets = byDay[day]?.reduce(0) { $0 + $1.octets } ?? 0
            let reason: String
            if day < oldest {
                reason = "older than \(days) days (JournalDays)"
            } else if total > maximumOctets {
                reason = "all journals together have more than \(maximumOctets) octets (JournalMaxSize)"
            } else {
                continue
            }
            total -= octets
            // The index first: without the journals it would lead nowhere.
            for file in byDay[day] ?? [] where unlink(file.path) != 0 && errno != ENOENT {
                account.troubles.append("\(file.path) cannot be removed: \(String(cString: strerror(errno)))")
            }
            account.removed[day] = reason
        }
    }

    /// The journals and indexes, the indexes of a day first.
    private func files() -> [(path: String, day: String, octets: Int)] {
        var files: [(path: String, day: String, octets: Int)] = []
        func add(_ path: String, _ day: String) {
            var status = stat()
            if lstat(path, &status) == 0 { files.append((path, day, Int(status.st_size))) }
        }
        for name in FolderNames.of(spool + "/journal") where name.hasPrefix("index-") {
            let day = name.dropFirst(6).prefix(8)
            if day.utf8.count == 8, day.utf8.allSatisfy({ (0x30...0x39).contains($0) }), name.contains(".sqlite") {
                add(spool + "/journal/" + name, String(day))
            }
        }
        for source in JournalSource.all(in: spool) {
            add(source.plainPath, source.day)
            add(source.compressedPath, source.day)
        }
        return files
    }

    struct KeepingError: Error { let text: String }

    /// Writes the compressed form beside the journal, makes it durable under its name, and then removes the journal.
    /// Killed before that, both are there, and the next call sees that they are the same.
    /// - Returns: False if it is compressed already.
    static func compress(_ source: JournalSource) throws(KeepingError) -> Bool {
        guard let plain = MappedFile(source.plainPath) else { return false }
        if let old = MappedFile(source.compressedPath) {
            // What was added later, by a clock that was set back, keeps a file of its own.
            guard let total = BlockFile.total(old.octets), total == plain.octets.count else {
                return try setAside(source)
            }
            return try finish(source)
        }
        let scratch = source.folder + "/.compress-" + source.name
        unlink(scratch)
        let file = open(scratch, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o640)
        guard file >= 0 else { throw failure(scratch, "cannot be made") }
        defer { close(file) }
        do throws(KeepingError) {
            try write(plain.octets, JournalFile.fingerprint(of: plain.octets), to: file, scratch)
            guard fsync(file) == 0 else { throw failure(scratch, "cannot be made durable") }
            guard rename(scratch, source.compressedPath) == 0 else { throw failure(scratch, "cannot be renamed") }
        } catch {
            unlink(scratch)
            throw error
        }
        return try finish(source)
    }

    private static func finish(_ source: JournalSource) throws(KeepingError) -> Bool {
        let folder = open(source.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failure(source.folder, "cannot be opened") }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw failure(source.folder, "cannot be made durable") }
        guard unlink(source.plainPath) == 0 || errno == ENOENT else {
            throw failure(source.plainPath, "cannot be removed")
        }
        return true
    }

    private static func setAside(_ source: JournalSource) throws(KeepingError) -> Bool {
        for number in 2..<100 {
            let path = "\(source.folder)/\(source.program)-\(source.day)-\(number).jsonl"
            guard access(path, F_OK) != 0, access(path + ".gz", F_OK) != 0 else { continue }
            guard rename(source.plainPath, path) == 0 else { throw failure(source.plainPath, "cannot be renamed") }
            return false
        }
        throw KeepingError(text: "\(source.plainPath) finds no free name")
    }

    private static func write(
        _ octets: UnsafeRawBufferPointer, _ fingerprint: Int64, to file: Int32, _ path: String
    ) throws(KeepingError) {
        var begin = 0
        while begin < octets.count {
            var end = min(begin + BlockFile.blockOctets, octets.count)
            if end < octets.count, let line = octets[end...].firstIndex(of: 0x0A) {
                end = line + 1
            } else {
                end = octets.count
            }
            let block = UnsafeRawBufferPointer(rebasing: octets[begin..<end])
            try append(BlockFile.member(block, begin: begin), to: file, path)
            begin = end
        }
        try append(BlockFile.lastMember(total: begin, fingerprint: fingerprint), to: file, path)
    }

    private static func append(_ member: [UInt8]?, to file: Int32, _ path: String) throws(KeepingError) {
        guard let member else { throw KeepingError(text: "\(path) cannot be compressed: no memory") }
        var written = 0
        while written < member.count {
            let count = member.withUnsafeBytes {
                Glibc.write(file, $0.baseAddress.map { $0 + written }, $0.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure(path, "cannot be written") }
            written += count
        }
    }

    private static func failure(_ path: String, _ what: String) -> KeepingError {
        KeepingError(text: "\(path) \(what): \(String(cString: strerror(errno)))")
    }
}
