import Glibc
public import Octets

/// A claimed message's octets.
public struct ClaimedFile: Sendable {
    /// The whole file, the envelope block included.
    public let octets: OctetString
    /// The envelope block, nil without one.
    public let block: OctetString?
    /// The octets after the envelope block.
    public let message: OctetString

    init(_ octets: OctetString, envelopeOctets: Int?) {
        self.octets = octets
        let end = min(envelopeOctets ?? 0, octets.count)
        block = envelopeOctets == nil ? nil : octets.slice(0..<end)
        message = octets.slice(end..<octets.count)
    }
}

extension Transaction {
    /// Reads the message.
    ///
    /// A file up to `smallLimit` octets is read into memory. A larger one is copied to a private file and mapped, so
    /// that its writer cannot change what was read.
    /// - Throws: kind `tooLarge` when it has more than `maximum` octets.
    public func read(smallLimit: Int = 1 << 20, maximum: Int) throws(SpoolError) -> ClaimedFile {
        try require(.working)
        let file: OpenFile
        // The file that was judged at the claim need not be opened again. If its name leads elsewhere by now, the
        // commit notices.
        if let judged { file = judged } else { file = try place.directory.openFile(messageName) }
        judged = nil
        let status = try file.status()
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw SpoolError(.raced, path: file.path, "the claimed message was replaced by something that is no file")
        }
        let size = Int(status.st_size)
        guard size <= maximum else {
            throw SpoolError(.tooLarge(octets: size), path: file.path, "the message has more than \(maximum) octets")
        }
        observed = Observation(status, isBeingWritten: false)
        let octets: OctetString
        if size <= smallLimit {
            octets = try file.contents(size)
        } else {
            octets = try scratchSpace.copy(of: file, limit: size)
        }
        return ClaimedFile(octets, envelopeOctets: facts.envelopeOctets)
    }

    /// Returns true if the claimed file is another one, or was written to, since it was read.
    /// - Throws: ``SpoolError`` if the file cannot be examined.
    public func hasChanged() throws(SpoolError) -> Bool {
        guard let observed else { return false }
        guard let status = try place.directory.status(messageName) else { return true }
        return Observation(status, isBeingWritten: false) != observed
    }

    /// Returns the reason why the claimed file cannot be a message; nil if it can.
    func defect() throws(SpoolError) -> String? {
        let file: OpenFile
        do throws(SpoolError) {
            file = try place.directory.openFile(messageName)
        } catch {
            switch error.errno {
            case ELOOP: return "it is a symbolic link"
            case ENXIO: return "it is a socket or a device without a driver"
            // It could be read while it waited: somebody changed its mode since, or the file system is at fault.
            default: throw error
            }
        }
        let status = try file.status()
        guard status.st_mode & S_IFMT == S_IFREG else { return "it is not a regular file" }
        guard status.st_size > 0 else { return "it is empty" }
        if let envelopeOctets = facts.envelopeOctets, envelopeOctets > status.st_size {
            return "its name says \(envelopeOctets) octets of envelope, but it has only \(status.st_size)"
        }
        judged = file
        return nil
    }

    /// One rename to `corrupt/`, or `failed/` where the relay does it, and the end of the entry.
    func moveToCorrupt() throws(SpoolError) {
        var facts = facts
        facts.starts = nil
        facts.waits = nil
        facts.attempts = nil
        _ = try move(to: spool.folder(spool.territory.unfitFolder).open().directory, facts)
        try finish()
    }
}

extension OpenFile {
    /// The first `size` octets, or fewer when the file has become shorter.
    func contents(_ size: Int) throws(SpoolError) -> OctetString {
        var outcome: Result<Int, SpoolError> = .success(0)
        let octets = OctetString(count: size) { buffer in
            do throws(SpoolError) {
                outcome = .success(try read(into: buffer))
            } catch {
                outcome = .failure(error)
            }
        }
        return octets.slice(0..<(try outcome.get()))
    }
}
