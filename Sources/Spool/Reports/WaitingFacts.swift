import Glibc

/// The number of messages that wait in a folder for longer than they should.
public struct Overdue: Sendable, Hashable {
    public internal(set) var count = 0
    /// Seconds for which the first of them has waited.
    public internal(set) var longest = 0

    mutating func add(_ seconds: Int) {
        count += 1
        longest = max(longest, seconds)
    }
}

extension Spool {
    /// Messages that wait in `queue` and came, or became due, before `then`, those that cannot be read included.
    ///
    /// The time of the last change of a file's metadata counts, which a copy cannot preserve; of a retry that of its
    /// name.
    /// - Parameters:
    ///   - then: Unix seconds.
    ///   - maximumDelay: Seconds; a retry that is due further ahead of `then` is due at once, because the clock must
    ///     have jumped. Nil if unknown.
    /// - Throws: ``SpoolError`` if the folder cannot be listed.
    public func waiting(in queue: Queue, since then: Int, maximumDelay: Int? = nil) throws(SpoolError) -> Overdue {
        var overdue = Overdue()
        let now = clock.now()
        let left = try forEachWaiting(in: queue) { (candidate) throws(SpoolError) in
            if let due = candidate.due {
                if due < then || maximumDelay.map({ due - then > $0 }) ?? false { overdue.add(max(0, now - due)) }
            } else if let status = try candidate.directory.status(candidate.name), status.st_ctim.tv_sec < then {
                overdue.add(max(0, now - status.st_ctim.tv_sec))
            }
            return true
        }
        for one in left where !one.isForeign && one.isWaitingSince(then) { overdue.add(max(0, now - then)) }
        return overdue
    }
}

extension LeftInPlace {
    /// Returns true if the file has been there since before `then`.
    fileprivate func isWaitingSince(_ then: Int) -> Bool {
        var status = stat()
        return lstat(path, &status) != 0 || status.st_ctim.tv_sec < then
    }
}
