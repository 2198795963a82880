import Glibc
public import Octets

/// A place of the spool where messages stand until a program or a person takes them.
public enum StandingPlace: String, Sendable, Hashable, CaseIterable {
    case outgoing, incoming, retry, blocked, delivered, admin, failed, corrupt
    /// Messages that wait for the relay's next attempt: directories, each with the record of its recipients.
    case deferred

    /// The directories that it consists of, from the spool's root.
    var paths: [String] {
        switch self {
        case .outgoing, .incoming: [rawValue + "/new", rawValue]
        case .retry, .blocked, .delivered, .admin: [rawValue + "/new"]
        case .failed, .corrupt: [rawValue]
        case .deferred: [Territory.relay.deferredPath].compactMap(\.self)
        }
    }
}

/// A message as it stands in a place. By the time that it is used, it may have been taken away.
public struct StandingMessage: Sendable {
    public let place: StandingPlace
    /// True if a person put it there as a `*.eml` beside `new/`.
    public let isBare: Bool
    /// Its name, read; nil for a bare file, and for one with a name that is not of the spool's form.
    public let name: SpoolName?
    /// Unix seconds since when it stands there: the time in its name, otherwise that of the last change of the file's
    /// metadata.
    public let since: Int
    let fileName: FileName
    let directory: Directory

    /// The path of the file, or of the directory, as an administrator sees it.
    public var path: String { "\(directory.path)/\(fileName)" }
    /// The message's identity; nil before its first claim, except where the name gives one.
    public var entry: EntryID? { name?.unique.entry }
    /// The name of the file as it can be shown.
    public var fileNameShown: String { fileName.shown }
}

/// The beginning of a standing message.
public struct StandingHead: Sendable {
    /// Octets of the whole file.
    public let octets: Int
    /// The envelope block; nil without one.
    public let block: OctetString?
    /// The front of the message behind the block.
    public let front: OctetString
}

extension Spool {
    /// Lists the messages in `place`, in the order of the directory.
    /// - Parameters:
    ///   - entries: Only messages whose name gives an entry that begins with one of these; all if there are none. Other
    ///     names are passed over without a look, of which a folder may have a hundred thousand.
    ///   - body: Returns false to stop the listing.
    /// - Throws: ``SpoolError`` if a directory cannot be listed, or `body` throws.
    public func forEachStanding(
        in place: StandingPlace, entries: [String] = [], _ body: (StandingMessage) throws(SpoolError) -> Bool
    ) throws(SpoolError) {
        var goesOn = true
        for path in place.paths where goesOn {
            let directory: Directory
            do throws(SpoolError) {
                directory = try root.descend(path)
            } catch let error where error.isMissingDirectory {
                continue
            }
            // Beside `new/` stand its sister directories, and bare messages.
            let isTop = place.paths.count > 1 && path == place.rawValue
            try directory.forEachName { (name, _) throws(SpoolError) in
                guard !name.hasPrefix("."), !isTop || name.isMessageName else { return true }
                guard entries.isEmpty || entries.contains(where: { name.mayGiveEntry($0) }) else { return true }
                // Anybody may choose the name of a bare file, so none of its facts is believed.
                let parsed = isTop ? nil : name.text.flatMap { SpoolName(parsing: $0) }
                var since = parsed?.unique.seconds
                if since == nil { since = try directory.status(name)?.st_ctim.tv_sec }
                guard let since else { return true }
                goesOn = try body(
                    StandingMessage(
                        place: place, isBare: isTop, name: parsed, since: since, fileName: name, directory: directory))
                return goesOn
            }
        }
    }

    /// Reads the front of a standing message.
    /// - Parameter limit: Octets of the message that are read at most, behind its block.
    /// - Returns: nil if it is gone.
    /// - Throws: ``SpoolError`` if it cannot be read, or is no regular file.
    public func head(of message: StandingMessage, limit: Int = 1 << 16) throws(SpoolError) -> StandingHead? {
        guard let (file, size, envelope) = try open(message) else { return nil }
        let contents = try file.contents(min(size, envelope + limit))
        let end = min(envelope, contents.count)
        return StandingHead(
            octets: size, block: envelope > 0 ? contents.slice(0..<end) : nil,
            front: contents.slice(end..<contents.count))
    }

    /// Calls `body` with the octets of a standing message behind its block, piece by piece.
    /// - Returns: False if it is gone; nothing was read then.
    /// - Throws: ``SpoolError`` if it cannot be read, or is no regular file.
    public func read(
        _ message: StandingMessage, _ body: (UnsafeRawBufferPointer) throws(SpoolError) -> Void
    ) throws(SpoolError) -> Bool {
        guard let (file, _, envelope) = try open(message) else { return false }
        var skipped = envelope
        while true {
            let chunk = try file.contents(1 << 16)
            guard !chunk.isEmpty else { return true }
            let dropped = min(skipped, chunk.count)
            skipped -= dropped
            var outcome: Result<Void, SpoolError> = .success(())
            chunk.slice(dropped..<chunk.count).withUnsafeBytes { octets in
                do throws(SpoolError) { try body(octets) } catch { outcome = .failure(error) }
            }
            try outcome.get()
        }
    }

    /// Reads the record of a message of ``StandingPlace/deferred``, line by line.
    /// - Returns: Empty if it is gone, or has none.
    /// - Throws: ``SpoolError`` if it cannot be read.
    public func record(of message: StandingMessage) throws(SpoolError) -> [String] {
        guard message.place == .deferred else { return [] }
        do throws(SpoolError) {
            let directory = try message.directory.directory(message.fileName.shown)
            let file = try directory.openFile(DeliveryLedger.name)
            let octets = try file.contents(Int(try file.status().st_size))
            return octets.array.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
        } catch let error where error.errno == ENOENT {
            return []
        }
    }

    /// - Returns: The file with its size and the octets of its envelope block; nil if it is gone.
    private func open(_ message: StandingMessage) throws(SpoolError) -> (OpenFile, size: Int, envelope: Int)? {
        let file: OpenFile
        var envelope = message.name?.facts.envelopeOctets ?? 0
        do throws(SpoolError) {
            if message.place == .deferred {
                let directory = try message.directory.directory(message.fileName.shown)
                var found: (name: FileName, facts: NameFacts)?
                for name in try directory.names() {
                    if case .message(let facts) = TransactionFile(name) { found = (name, facts) }
                }
                guard let found else { return nil }
                envelope = found.facts.envelopeOctets ?? 0
                file = try directory.openFile(found.name)
            } else {
                file = try message.directory.openFile(message.fileName)
            }
        } catch let error where error.errno == ENOENT {
            return nil
        }
        let status = try file.status()
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw SpoolError(.raced, path: message.path, "it is no regular file, so it is not read")
        }
        let size = Int(status.st_size)
        return (file, size, min(envelope, size))
    }
}
