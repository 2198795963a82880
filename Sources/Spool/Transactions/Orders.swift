import Glibc

/// The orders of an operator about standing messages. Each is one rename or one unlink, which is made durable: killed
/// at any instant, it was carried out or it was not. A program that takes the message in the same instant wins, and the
/// order is told so.
extension Spool {
    /// Moves a message that `ses` put away to `retry`, where it is due at once.
    /// - Parameters:
    ///   - message: One of `retry` or `blocked`.
    ///   - order: ``NameFacts/Order/release`` to pass it on as it arrived; nil to process it by the workflows.
    ///   - attempts: The attempts that count as completed.
    /// - Returns: The new file; nil if it was taken away meanwhile.
    /// - Throws: ``SpoolError`` of kind `layout` for a message whose name says no direction. The message is then where
    ///   it was.
    public func resume(
        _ message: StandingMessage, order: NameFacts.Order?, attempts: Int = 0
    ) throws(SpoolError) -> PublishedFile? {
        let name = try named(message)
        let facts = NameFacts(
            envelopeOctets: name.facts.envelopeOctets, origin: name.facts.origin, attempts: attempts, due: clock.now(),
            order: order)
        guard let file = try move(message, to: .retry, facts) else { return nil }
        try ring(Self.bell)
        return file
    }

    /// Has the relay try a deferred message now: a new name for its directory. Nothing has to be made durable, because
    /// a power loss leaves it deferred in any case.
    /// - Parameter message: One of ``StandingPlace/deferred``.
    /// - Returns: False if it was taken away meanwhile.
    /// - Throws: ``SpoolError``. The message is then where it was.
    public func expedite(_ message: StandingMessage) throws(SpoolError) -> Bool {
        var name = try named(message)
        name.unique = makeUniqueName(name.unique.entry)
        name.facts.due = clock.now()
        guard case .done = try message.directory.rename(message.fileName, to: message.directory, name.description)
        else { return false }
        try ring(Self.relayBell)
        return true
    }

    /// Moves a message that the relay gave up on back to where the relay takes it from.
    /// - Returns: The new file; nil if it was taken away meanwhile.
    /// - Throws: ``SpoolError`` of kind `layout` for a message whose name says no direction. The message is then where
    ///   it was.
    public func relayAgain(_ message: StandingMessage) throws(SpoolError) -> PublishedFile? {
        let name = try named(message)
        return try move(
            message, to: .delivered,
            NameFacts(envelopeOctets: name.facts.envelopeOctets, origin: name.facts.origin))
    }

    /// Moves a message that waits to be processed to `blocked`, where it stays until somebody decides about it.
    /// - Parameter message: One of `outgoing`, `incoming` or `retry`.
    /// - Returns: The new file; nil if it was taken away meanwhile.
    /// - Throws: ``SpoolError``. The message is then where it was.
    public func hold(_ message: StandingMessage) throws(SpoolError) -> PublishedFile? {
        let origin: Origin? =
            switch message.place {
            case .outgoing: .outgoing(bare: message.isBare)
            case .incoming: .incoming(bare: message.isBare)
            case .retry, .blocked, .delivered, .admin, .failed, .corrupt, .deferred: try named(message).facts.origin
            }
        let facts = NameFacts(
            envelopeOctets: message.name?.facts.envelopeOctets, origin: origin, order: .hold)
        return try move(message, to: .blocked, facts)
    }

    /// Removes a message for good.
    /// - Returns: False if it was taken away meanwhile.
    /// - Throws: ``SpoolError``. The message is then where it was, or gone without being durably so.
    public func remove(_ message: StandingMessage) throws(SpoolError) -> Bool {
        try durability.check(path)
        guard try message.directory.unlink(message.fileName) else { return false }
        try durability.sync(directory: message.directory)
        return true
    }

    /// Removes the copies in `blocked` of which somebody was told that long ago, and about which nobody decided.
    /// - Parameters:
    ///   - age: Seconds.
    ///   - tell: Called with each that was removed.
    /// - Throws: ``SpoolError`` if the folder cannot be listed, or a copy not be removed.
    public func removeToldCopies(olderThan age: Int, _ tell: (StandingMessage) -> Void) throws(SpoolError) {
        let now = clock.now()
        try forEachStanding(in: .blocked) { (message) throws(SpoolError) in
            if message.name?.facts.order == .told, now - message.since > age, try remove(message) { tell(message) }
            return true
        }
    }

    /// Claims a message of `blocked` so that something can be published in its place. A process that dies before the
    /// commit leaves it to the daemon, which puts it back into `blocked`.
    /// - Throws: ``SpoolError``. The message is then where it was, or claimed and found by the next recovery.
    public func claimHeld(_ message: StandingMessage) throws(SpoolError) -> ClaimResult {
        var facts = try named(message).facts
        facts.order = .hold
        return try claim(
            Candidate(
                queue: .retry, isBare: false, name: message.fileName, due: nil, facts: facts, entry: message.entry,
                directory: message.directory))
    }

    /// The directory that a daemon watches for orders about `retry`.
    public static let bell = StandingPlace.retry.rawValue

    /// The directory that a relay watches for orders about deferred messages.
    public static let relayBell = StandingPlace.delivered.rawValue

    /// Wakes a daemon that watches, so that it looks at once for what is due, and not at its next turn.
    private func ring(_ path: String) throws(SpoolError) {
        let directory = try root.descend(path)
        let name = ".order-\(getpid())"
        _ = try directory.createFile(name, mode: Layout.fileMode)
        try directory.unlink(name)
    }

    private func named(_ message: StandingMessage) throws(SpoolError) -> SpoolName {
        guard let name = message.name, name.facts.origin != nil else {
            throw SpoolError(
                .layout, path: message.path,
                "its name is not of the spool's form, so its direction is unknown: move it to outgoing/new or incoming/new"
            )
        }
        return name
    }

    private func move(
        _ message: StandingMessage, to folder: Folder, _ facts: NameFacts
    ) throws(SpoolError) -> PublishedFile? {
        try durability.check(path)
        let target = try self.folder(folder).open().directory
        let entry = message.entry ?? EntryID(random: random)
        for _ in 0..<8 {
            let name = SpoolName(makeUniqueName(entry), facts)
            switch try message.directory.rename(message.fileName, to: target, name.description) {
            case .done:
                try durability.sync(directory: target)
                return PublishedFile(folder: folder, name: name)
            case .missing: return nil
            case .exists: continue
            }
        }
        throw SpoolError(.raced, path: target.path, errno: EEXIST, "no free name was found in the folder")
    }
}
