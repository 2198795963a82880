import CLinux
import Glibc
public import Octets

/// The record `done` of a relay's entry, which holds the outcome for each recipient: lines that are appended and never
/// changed.
///
/// The relay gives the lines their meaning. A line cut short by a crash becomes a line of its own, which has no meaning
/// because it ends too early. Of lines that mean something only together, a power loss leaves all or none: they stand
/// in one line of the file, between its first field and its last, with a tab before each.
public final class DeliveryLedger: Sendable {
    static let name = "done"
    /// More would be a damaged file: a line a recipient and attempt is far below.
    private static let largest = 64 << 20
    private static let firstOfGroup = "together\t"
    private static let endOfGroup = "\t."

    private let file: OpenFile
    private let durability: Durability

    init(in directory: Directory, _ durability: Durability) throws(SpoolError) {
        self.durability = durability
        file = try directory.openForAppending(Self.name, mode: Layout.fileMode)
        guard try file.status().st_mode & S_IFMT == S_IFREG else {
            throw SpoolError(
                .raced, path: file.path, "the record of deliveries was replaced by something that is no file")
        }
        // A line cut short by a crash becomes one without a meaning; the next begins at its own start.
        try file.endTornLine()
    }

    /// The whole lines, without their ends, in the order in which they were written.
    /// - Throws: ``SpoolError`` if the record cannot be read.
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
            lines += Self.parts(of: octets.slice(start..<end))
            start = end + 1
        }
        return lines
    }

    /// The lines that a line of the file stands for: itself, or those of a whole group. None for a group of which a
    /// part is missing, at its end or, filled with zeros, within it.
    private static func parts(of line: OctetString) -> [OctetString] {
        line.withUnsafeBytes { octets in
            guard octets.starts(with: firstOfGroup.utf8) else { return [line] }
            let inner = octets.dropFirst(firstOfGroup.utf8.count)
            guard inner.suffix(endOfGroup.utf8.count).elementsEqual(endOfGroup.utf8), !inner.contains(0) else {
                return []
            }
            return inner.dropLast(endOfGroup.utf8.count).split(separator: 0x09).map { OctetString(Array($0)) }
        }
    }

    /// Makes sure that `octets` more can be appended whatever else fills the file system.
    ///
    /// To be called before the first action outside whose outcome must be recorded. The reserved space is given back
    /// with the file.
    /// - Throws: ``SpoolError``, a local fault, when there is not so much room.
    public func reserve(_ octets: Int) throws(SpoolError) {
        while true {
            let size = Int(try file.status().st_size)
            if clinux_allocate_behind_end(file.descriptor, size, octets) == 0 { return }
            switch errno {
            case EINTR: continue
            case EOPNOTSUPP, ENOSYS: return try requireFreeSpace(octets)
            default:
                throw file.failure(
                    errno, "there is no room for the record of a delivery, so nothing is sent (\(octets) octets needed)"
                )
            }
        }
    }

    /// For a file system that cannot reserve: there must be many times as much room as needed.
    private func requireFreeSpace(_ octets: Int) throws(SpoolError) {
        var facts = statvfs()
        guard fstatvfs(file.descriptor, &facts) == 0 else {
            throw file.failure(errno, "cannot ask how much room there is for the record of a delivery")
        }
        guard Int(facts.f_bavail) * Int(facts.f_frsize) >= octets * 16 + (1 << 20) else {
            throw file.failure(ENOSPC, "there is too little room for the record of a delivery, so nothing is sent")
        }
    }

    /// Appends lines of which a power loss leaves all or none.
    /// - Parameters:
    ///   - group: Each without a line end and without a tab.
    ///   - isDurable: True if they must have reached the disk when this returns.
    /// - Throws: ``SpoolError``, as ``append(_:isDurable:)``.
    public func append(together group: [String], isDurable: Bool) throws(SpoolError) {
        let line = "\(Self.firstOfGroup)\(group.joined(separator: "\t"))\(Self.endOfGroup)"
        try append([line], isDurable: isDurable)
    }

    /// Appends lines in one write. After a power loss the front of them may be there without the rest.
    /// - Parameters:
    ///   - lines: Each without a line end.
    ///   - isDurable: True if they must have reached the disk when this returns.
    /// - Throws: ``SpoolError``; the lines are not in the record then, as far as the file can be shortened.
    public func append(_ lines: [String], isDurable: Bool) throws(SpoolError) {
        let size = try file.status().st_size
        do throws(SpoolError) {
            try file.write(Array(lines.map { $0 + "\n" }.joined().utf8))
            if isDurable { try durability.sync(file: file) }
        } catch {
            // The first error says more than one of this call. A remaining part of a line is ended by the next process
            // that opens the record.
            _ = ftruncate(file.descriptor, size)
            throw error
        }
    }
}

extension Transaction {
    /// Returns the record of deliveries of this entry, made if there is none.
    /// - Throws: ``SpoolError`` if the record cannot be opened or made.
    public func openLedger() throws(SpoolError) -> DeliveryLedger {
        if let ledger { return ledger }
        let opened = try DeliveryLedger(in: place.directory, spool.durability)
        ledger = opened
        return opened
    }

    /// Makes sure that a power loss cannot bring the message back to where it waited without its record: syncs this
    /// entry's directory, then the one that holds it. To be called before the first action that cannot be undone.
    /// - Throws: ``SpoolError`` if a directory cannot be synced.
    public func makeClaimDurable() throws(SpoolError) {
        try require(.working)
        try spool.durability.check(place.directory.path)
        try spool.durability.sync(directory: place.directory)
        owesRemovals = false
        try spool.durability.sync(try spool.workGroup, of: try spool.work)
    }

    func removeLedger() throws(SpoolError) {
        guard spool.territory.keepsRecord else { return }
        try place.directory.unlink(DeliveryLedger.name)
    }
}
