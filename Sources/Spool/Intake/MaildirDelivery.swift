import Glibc
public import Octets

/// The delivery of one message into `outgoing` or `incoming`, as by `ses drop`: created in `tmp/`, made durable, then
/// moved into `new/`.
/// Requires only the right to write there. An uncommitted message is removed.
public struct MaildirDelivery: ~Copyable {
    private let temporary: Directory
    private let new: Directory
    private let file: OpenFile
    private let clock: SpoolClock
    private let random: SpoolRandom
    private let unique: UniqueName
    private let durability: Durability
    private var isPending = true

    /// The folders that take new messages.
    public enum Destination: String, Sendable, Hashable, CaseIterable {
        case outgoing, incoming
    }

    /// Creates the file in `tmp/`.
    /// - Throws: ``SpoolError`` if the file cannot be made.
    public init(
        spool: String, queue: Destination, clock: SpoolClock = .system, random: SpoolRandom = .system
    ) throws(SpoolError) {
        try self.init(spool: spool, queue: queue, clock: clock, random: random, durability: Durability())
    }

    init(
        spool: String, queue: Destination, clock: SpoolClock, random: SpoolRandom, durability: Durability
    ) throws(SpoolError) {
        let root = try Directory(path: spool, searchOnly: true)
        try Layout.refuseWorldWritable(root)
        let maildir = try root.directory(queue.rawValue, searchOnly: true)
        let temporary = try maildir.directory("tmp", searchOnly: true)
        // Opened for reading: only such a descriptor can be synced.
        let new = try maildir.directory("new")
        for directory in [maildir, temporary, new] { try Layout.refuseWorldWritable(directory) }
        let unique = UniqueName(entry: EntryID(random: random), clock: clock, random: random)
        let file = try temporary.createFile(unique.description, mode: Layout.fileMode)
        guard fchmod(file.descriptor, Layout.fileMode) == 0 else {
            let error = file.failure(errno, "cannot set the mode of the new message")
            try temporary.unlink(unique.description)
            throw error
        }
        self.file = file
        self.temporary = temporary
        self.new = new
        self.clock = clock
        self.random = random
        self.unique = unique
        self.durability = durability
    }

    deinit {
        // A file that cannot be removed is not a message; `ses` removes it from tmp/ after 36 hours.
        if isPending { _ = unlinkat(temporary.descriptor, unique.description, 0) }
    }

    /// The entry that `X-SES-Entry` of its envelope block may name.
    public var entry: EntryID { unique.entry }

    /// Adds octets at the end of the message.
    /// - Throws: ``SpoolError`` if the octets cannot be written.
    public borrowing func write(_ octets: UnsafeRawBufferPointer) throws(SpoolError) { try file.write(octets) }

    /// Appends octets to the message.
    /// - Throws: ``SpoolError`` if the octets cannot be written.
    public borrowing func write(_ octets: OctetString) throws(SpoolError) {
        try octets.withUnsafeBytes { (buffer: UnsafeRawBufferPointer) throws(SpoolError) in try file.write(buffer) }
    }

    /// Hands the message over. When this returns, it is durable and the spool's.
    /// - Parameter envelopeOctets: The number of octets of envelope block at its head; nil for none.
    /// - Returns: Its name in `new/`.
    /// - Throws: ``SpoolError``. The message is removed then, so that the sender may try again without a duplicate.
    public consuming func commit(envelopeOctets: Int?) throws(SpoolError) -> SpoolName {
        try durability.sync(file: file)
        var name = SpoolName(unique, NameFacts(envelopeOctets: envelopeOctets))
        for _ in 0..<8 {
            switch try temporary.rename(unique.description, to: new, name.description) {
            case .done:
                isPending = false
                do {
                    try durability.sync(directory: new)
                } catch {
                    if try withdraw(name, after: error) { throw error }
                }
                return name
            case .missing:
                throw SpoolError(.raced, path: new.path, errno: ENOENT, "tmp/ or new/ was taken away during a delivery")
            case .exists:
                name.unique = UniqueName(entry: unique.entry, clock: clock, random: random)
            }
        }
        throw SpoolError(.raced, path: new.path, errno: EEXIST, "no free name was found")
    }

    /// Takes a message out of `new/` that could not be made durable there.
    /// - Returns: False if it is gone: a program has taken it.
    private borrowing func withdraw(_ name: SpoolName, after error: SpoolError) throws(SpoolError) -> Bool {
        guard unlinkat(new.descriptor, name.description, 0) != 0 else { return true }
        let cause = errno
        guard cause != ENOENT else { return false }
        throw SpoolError(
            .directorySync, path: new.path + "/" + name.description, errno: cause,
            "it could not be made durable (\(error)) and not be taken back: remove it, or the next attempt brings it twice"
        )
    }
}
