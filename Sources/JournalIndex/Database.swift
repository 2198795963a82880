import CSQLite

/// SQLite refused something.
struct DatabaseError: Error {
    let code: Int32
    let text: String

    /// True if the file is no sound index: it is made again.
    var isDamage: Bool {
        [SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_ERROR, SQLITE_SCHEMA].contains(code & 0xFF)
    }
}

/// An open SQLite database, used by one thread at a time.
final class Database {
    private let handle: OpaquePointer

    /// - Parameter isReadOnly: The file must exist then.
    init(_ path: String, isReadOnly: Bool) throws(DatabaseError) {
        var handle: OpaquePointer?
        let flags =
            (isReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) | SQLITE_OPEN_NOMUTEX
        let code = sqlite3_open_v2(path, &handle, flags, nil)
        guard code == SQLITE_OK, let handle else {
            defer { sqlite3_close_v2(handle) }
            throw DatabaseError(code: code, text: "\(path): \(String(cString: sqlite3_errstr(code)))")
        }
        self.handle = handle
        sqlite3_busy_timeout(handle, Self.patience)
    }

    deinit { sqlite3_close_v2(handle) }

    /// Milliseconds for which another process that writes is waited for.
    private static let patience: Int32 = 1_000

    func run(_ sql: String) throws(DatabaseError) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw failure(code) }
    }

    func statement(_ sql: String) throws(DatabaseError) -> Statement {
        var prepared: OpaquePointer?
        let code = sqlite3_prepare_v2(handle, sql, -1, &prepared, nil)
        guard code == SQLITE_OK, let prepared else { throw failure(code) }
        return Statement(prepared, self)
    }

    /// Runs `body` in a transaction that keeps other writers out from its beginning.
    func transaction(_ body: () throws(DatabaseError) -> Void) throws(DatabaseError) {
        try run("BEGIN IMMEDIATE")
        do throws(DatabaseError) {
            try body()
            try run("COMMIT")
        } catch {
            sqlite3_exec(handle, "ROLLBACK", nil, nil, nil)
            throw error
        }
    }

    fileprivate func failure(_ code: Int32) -> DatabaseError {
        DatabaseError(code: code, text: String(cString: sqlite3_errmsg(handle)))
    }
}

/// A prepared statement.
final class Statement {
    private let handle: OpaquePointer
    private let database: Database

    fileprivate init(_ handle: OpaquePointer, _ database: Database) {
        self.handle = handle
        self.database = database
    }

    deinit { sqlite3_finalize(handle) }

    /// Runs it with these values and calls `body` with each row until that returns false.
    func run(_ values: Int64..., text: String? = nil, row: (Statement) -> Bool = { _ in true }) throws(DatabaseError) {
        defer { sqlite3_reset(handle) }
        for (index, value) in values.enumerated() { sqlite3_bind_int64(handle, Int32(index + 1), value) }
        if let text {
            // SQLITE_TRANSIENT: SQLite makes a copy.
            let copies = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
            sqlite3_bind_text(handle, Int32(values.count + 1), text, -1, copies)
        }
        while true {
            switch sqlite3_step(handle) {
            case SQLITE_ROW: if !row(self) { return }
            case SQLITE_DONE: return
            case let code: throw database.failure(code)
            }
        }
    }

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    func text(_ column: Int32) -> String {
        sqlite3_column_text(handle, column).map { String(cString: $0) } ?? ""
    }
}
