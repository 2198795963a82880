import Glibc
public import Octets

/// `done`, the file in a relay's directory that says what became of each recipient: lines that are appended and never changed.
///
/// What a line means is the relay's concern. What was torn by a crash is made a line of its own, which means
/// nothing as it ends too early.
public final class DeliveryLedger: Sendable {
    static let name = "done"
    /// More would be a damaged file: a line a recipient and attempt is far below.
    private static let largest = 64 << 20

    private let file: OpenFile
    private let durability: Durability

    init(in directory: Directory, _ durability: Durability) throws(SpoolError) {
        self.durability = durability
        file = try directory.openForAppending(Self.name, mode: Layout.fileMode)
        guard try file.status().st_mode & S_IFMT == S_IFREG else {
            throw SpoolError(
                .raced, path: file.path, "the record of deliveries was replaced by something that is no file")
        }
        // What a crash tore becomes a line that means nothing; the next one begins at its own start.
        try file.endTornLine()
    }

    /// The whole lines, without their ends, in the order in which they were written.
    public func lines() throws(SpoolError) -> [OctetString] {
        let size = Int(try file.status().st_size)
        guard size <= Self.largest else {
            throw SpoolError(.tooLarge(octets: size), path: file.path, "the record of deliveries is damaged")
        }
        guard lseek(file.descriptor, 0, SEEK_SET) == 0 else { throw file.failure(errno, "cannot read from the start") }
        let octets = try file.contents(size)
        var lines: [OctetString] = []
        var start = 0
        while let end = octets.withUnsafeBytes({ $0.firstOffset(of: 0x0A, from: start) }) {
            lines.append(octets.slice(start..<end))
            start = end + 1
        }
        return lines
    }

    /// Appends lines in one write.
    /// - Parameters:
    ///   - lines: Each without a line end.
    ///   - isDurable: Whether they must have reached the disk when this returns.
    public func append(_ lines: [String], isDurable: Bool) throws(SpoolError) {
        var text = lines.map { $0 + "\n" }.joined()
        var outcome: Result<Void, SpoolError> = .success(())
        text.withUTF8 { octets in
            do throws(SpoolError) { try file.write(UnsafeRawBufferPointer(octets)) } catch { outcome = .failure(error) }
        }
        try outcome.get()
        if isDurable { try durability.sync(file: file) }
    }
}

extension Transaction {
    /// The record of deliveries of this entry, made where there is none.
    public func openLedger() throws(SpoolError) -> DeliveryLedger {
        if let ledger { return ledger }
        let opened = try DeliveryLedger(in: place.directory, spool.durability)
        ledger = opened
        return opened
    }

    /// Makes sure that a power loss cannot bring the message back to where it waited, without what its record will say:
    /// this entry's directory, then the one that holds it. To be called before the first thing that cannot be taken back.
    public func makeClaimDurable() throws(SpoolError) {
        try require(.working)
        try spool.durability.check(place.directory.path)
        try spool.durability.sync(directory: place.directory)
        try spool.durability.sync(spool.workGroup, of: spool.work)
    }

    func removeLedger() throws(SpoolError) {
        guard spool.program == .relay else { return }
        try place.directory.unlink(DeliveryLedger.name)
    }
}
