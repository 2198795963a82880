import Glibc
import Synchronization

/// The room for new messages in `outgoing` or `incoming`, for a program that puts them in one after the other.
///
/// Requires only the right to write there.
public final class IntakeRoom: Sendable {
    private struct Count {
        var files = 0
        var next: Duration?
    }

    private let spool: String
    private let queue: MaildirDelivery.Destination
    private let maximumWaiting: Int?
    private let leastFree: Int?
    private let clock: SpoolClock
    private let count = Mutex(Count())

    /// - Parameters:
    ///   - maximumWaiting: The number of files in the folder from which on it is full; nil for no such mark.
    ///   - leastFree: The octets of the file system that stay free; nil for as many as it needs to be of use.
    public init(
        spool: String, queue: MaildirDelivery.Destination, maximumWaiting: Int?, leastFree: Int?,
        clock: SpoolClock = .system
    ) {
        self.spool = spool
        self.queue = queue
        self.maximumWaiting = maximumWaiting
        self.leastFree = leastFree
        self.clock = clock
    }

    /// Returns the reason why no message of so many octets can be taken now; nil if there is room.
    /// - Throws: ``SpoolError`` if the spool cannot be looked at.
    public func lack(forOctets octets: Int) throws(SpoolError) -> String? {
        let new = try Directory(path: spool, searchOnly: true).descend(queue.rawValue + "/new")
        if let lack = try Spool.lackOfRoom(in: new, least: leastFree, octets: octets) { return lack }
        guard let maximumWaiting else { return nil }
        let waiting = try waiting(in: new)
        guard waiting >= maximumWaiting else { return nil }
        return "\(waiting) messages wait in \(queue.rawValue), as many as may (--max-waiting): see if ses is running"
    }

    /// Counts a message that was put in, so that the mark holds between two listings.
    public func noteArrival() { count.withLock { $0.files += 1 } }

    /// The folder is listed once a second at most, a large one less often: that takes time by the number of files.
    private func waiting(in new: Directory) throws(SpoolError) -> Int {
        let now = clock.monotonic()
        let known = count.withLock { count -> Int? in
            guard let next = count.next, now < next else {
                // Others use the count of before meanwhile.
                if count.next != nil { count.next = now + .seconds(1) }
                return nil
            }
            return count.files
        }
        if let known { return known }
        var files = 0
        try new.forEachName { (name, _) throws(SpoolError) in
            if !name.hasPrefix(".") { files += 1 }
            return true
        }
        let found = files
        count.withLock { $0 = Count(files: found, next: now + .seconds(found < 20_000 ? 1 : 10)) }
        return found
    }
}
