import Glibc
public import Octets

/// A file that waits to be claimed, as the listing shows it; it may be gone by now.
public struct Candidate: Sendable {
    public let queue: Queue
    /// A `*.eml`, in any case, directly in `outgoing/` or `incoming/`: to be claimed only once it lies still.
    public let isBare: Bool
    public let name: FileName
    /// For retry: Unix seconds from which it may be tried again.
    public let due: Int?
    /// The facts in its name that may be believed in this place.
    public let facts: NameFacts
    /// The entry that its name gives; nil for a name that is not of the spool's form.
    public let entry: EntryID?
    /// True if its name is not of the spool's form, in a place where only such names are believed.
    public let isForeign: Bool
    /// Unix seconds at which it was put there, by its name; nil for a name that is not of the spool's form.
    public var made: Int? { name.text.flatMap { SpoolName(parsing: $0) }?.unique.seconds }
    let directory: Directory

    init(
        queue: Queue, isBare: Bool, name: FileName, due: Int?, facts: NameFacts, entry: EntryID?, directory: Directory,
        isForeign: Bool = false
    ) {
        self.queue = queue
        self.isBare = isBare
        self.name = name
        self.due = due
        self.facts = facts
        self.entry = entry
        self.directory = directory
        self.isForeign = isForeign
    }

    /// The same file with facts that its name does not say, because its content does.
    public func adopted(_ facts: NameFacts) -> Candidate {
        Candidate(
            queue: queue, isBare: isBare, name: name, due: due, facts: facts, entry: entry, directory: directory,
            isForeign: isForeign)
    }

    /// Returns true if a retry is due: its time has come, or lies further ahead than any delay could have set it,
    /// because the clock jumped.
    public func isDue(now: Int, maximumDelay: Int) -> Bool {
        guard let due else { return true }
        return due <= now || due - now > maximumDelay
    }
}

/// Something that waits and cannot be taken; it stays where it is, and the status is unhealthy.
public struct LeftInPlace: Sendable, Hashable {
    public let path: String
    public let reason: String
    /// True if it has a name that no program of the spool makes, so that it is never taken.
    public let isForeign: Bool

    public init(path: String, reason: String, isForeign: Bool = false) {
        self.path = path
        self.reason = reason
        self.isForeign = isForeign
    }
}

extension Spool {
    /// The number of files left in place that one listing reports.
    static let maximumReported = 100

    /// Lists what waits in `queue`, to its end, in the order of the directory: `new/`, then the bare `*.eml` beside it.
    ///
    /// A file that we cannot read is left in place. Names that begin with a dot or end with `.part` or `.tmp` are never
    /// seen.
    /// - Parameters:
    ///   - judgeForeign: Gets each regular file whose name is not of the spool's form, in a queue where such names are
    ///     not taken otherwise. Returns the reason why it stays, or nil if nothing is to be said of it.
    ///   - body: Claims or notes the candidate; returns false to stop the listing. It may rename files away meanwhile.
    /// - Returns: The files that cannot be taken and the reasons, at most 100.
    /// - Throws: ``SpoolError`` if the folder cannot be listed, or `body` throws.
    @discardableResult
    public func forEachWaiting(
        in queue: Queue, judgeForeign: (Candidate) throws(SpoolError) -> String? = Spool.leaveForeign,
        _ body: (Candidate) throws(SpoolError) -> Bool
    ) throws(SpoolError) -> [LeftInPlace] {
        var left: [LeftInPlace] = []
        var goesOn = true
        func visit(_ directory: Directory, isBare: Bool) throws(SpoolError) {
            try directory.forEachName { (name, type) throws(SpoolError) in
                guard !name.hasPrefix("."), !name.hasSuffix(".part"), !name.hasSuffix(".tmp"),
                    !isBare || name.isMessageName
                else { return true }
                guard let candidate = candidate(queue, name, isBare: isBare, directory) else {
                    let stranger = Candidate(
                        queue: queue, isBare: false, name: name, due: nil, facts: NameFacts(), entry: nil,
                        directory: directory, isForeign: true)
                    switch readability(stranger, type) {
                    case .gone: break
                    case .refused(let reason): note(reason, isForeign: true)
                    case .granted:
                        if let reason = try judgeForeign(stranger) { note(reason, isForeign: true) }
                    }
                    return true
                }
                switch readability(candidate, type) {
                case .gone: return true
                case .refused(let reason):
                    note(reason)
                    return true
                case .granted:
                    goesOn = try body(candidate)
                    return goesOn
                }

                func note(_ reason: String, isForeign: Bool = false) {
                    guard left.count < Self.maximumReported else { return }
                    left.append(LeftInPlace(path: "\(directory.path)/\(name)", reason: reason, isForeign: isForeign))
                }
            }
        }
        // Opened anew for each listing: somebody may have moved the directory away and made another.
        try visit(directory(of: queue), isBare: false)
        if goesOn && !queue.isOurs { try visit(root.descend(queue.rawValue), isBare: true) }
        return left
    }

    /// Judges that a file with a foreign name stays where it is.
    /// - Returns: The reason.
    public static func leaveForeign(_ candidate: Candidate) -> String? {
        "its name is not of the spool's form, so its direction is unknown; move it to outgoing/new or incoming/new"
    }

    /// Returns at most `limit` octets from the beginning of a file that waits.
    /// - Returns: Nil if it is gone, or is no regular file.
    /// - Throws: ``SpoolError`` if it cannot be read.
    public func readHead(of candidate: Candidate, limit: Int) throws(SpoolError) -> OctetString? {
        let file: OpenFile
        do throws(SpoolError) {
            file = try candidate.directory.openFile(candidate.name)
        } catch let error where [ENOENT, ELOOP, ENXIO].contains(error.errno) {
            return nil
        }
        let status = try file.status()
        guard status.st_mode & S_IFMT == S_IFREG else { return nil }
        return try file.contents(min(Int(status.st_size), limit))
    }

    /// The directory in which messages of `queue` wait, made again where somebody has removed it.
    func directory(of queue: Queue) throws(SpoolError) -> Directory {
        let path = queue.rawValue + "/new"
        do throws(SpoolError) {
            return try root.descend(path)
        } catch let error where error.kind == .layout && error.errno == ENOENT {
            try Layout.make(queue, in: root)
            return try root.descend(path)
        }
    }

    private func candidate(_ queue: Queue, _ name: FileName, isBare: Bool, _ directory: Directory) -> Candidate? {
        let parsed = isBare ? nil : name.text.flatMap { SpoolName(parsing: $0) }
        switch queue {
        case .retry, .delivered, .admin:
            guard let parsed, parsed.facts.origin != nil else { return nil }
            return Candidate(
                queue: queue, isBare: false, name: name, due: queue == .retry ? parsed.facts.due ?? 0 : nil,
                facts: parsed.facts,
                entry: parsed.unique.entry, directory: directory)
        case .outgoing, .incoming:
            let origin: Origin = queue == .outgoing ? .outgoing(bare: isBare) : .incoming(bare: isBare)
            let facts = NameFacts(envelopeOctets: parsed?.facts.envelopeOctets, origin: origin, attempts: 0)
            // `ses drop` told its caller the entry that it put into the name. An entry decides nothing, so it is
            // believed here, too.
            return Candidate(
                queue: queue, isBare: isBare, name: name, due: nil, facts: facts, entry: parsed?.unique.entry,
                directory: directory)
        }
    }

    private enum Readability { case granted, gone, refused(String) }

    /// Asks access(2), which considers groups and access lists too. A file that is not regular is judged after the
    /// claim.
    private func readability(_ candidate: Candidate, _ type: EntryType) -> Readability {
        guard type == .file || type == .unknown else { return .granted }
        let outcome = candidate.name.withPointer {
            faccessat(candidate.directory.descriptor, $0, R_OK, AT_EACCESS | AT_SYMLINK_NOFOLLOW)
        }
        if outcome == 0 { return .granted }
        switch errno {
        case ENOENT: return .gone
        case EACCES: return .refused("not readable for this program; give it to the spool's group or user")
        default: return .refused("cannot be looked at: " + String(cString: strerror(errno)))
        }
    }
}
