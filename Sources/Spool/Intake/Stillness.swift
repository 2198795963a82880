import CLinux
import Glibc

/// The result of a look at a bare `*.eml`.
public struct Observation: Hashable, Sendable {
    let identity: FileIdentity
    let size: Int
    let modified: Int
    let changed: Int
    /// Somebody is seen to have it open for writing.
    public let isBeingWritten: Bool

    init(_ status: stat, isBeingWritten: Bool) {
        identity = FileIdentity(status)
        size = Int(status.st_size)
        modified = status.st_mtim.tv_sec &* 1_000_000_000 &+ status.st_mtim.tv_nsec
        changed = status.st_ctim.tv_sec &* 1_000_000_000 &+ status.st_ctim.tv_nsec
        self.isBeingWritten = isBeingWritten
    }

    /// Returns true if nothing was written between the two observations; a rename may lie between them.
    func hasSameContent(as other: Observation) -> Bool {
        identity == other.identity && size == other.size && modified == other.modified
    }
}

extension Spool {
    /// Looks at a bare `*.eml`. A read lease tells, where it can be had, whether somebody is writing.
    /// - Returns: nil when it is gone.
    /// - Throws: ``SpoolError`` if the file cannot be examined.
    public func observe(_ candidate: Candidate) throws(SpoolError) -> Observation? {
        guard let status = try candidate.directory.status(candidate.name) else { return nil }
        guard status.st_mode & S_IFMT == S_IFREG else { return Observation(status, isBeingWritten: false) }
        let isBeingWritten: Bool
        do throws(SpoolError) {
            let file = try candidate.directory.openFile(candidate.name)
            // Only EAGAIN says something; without the right to leases (EACCES) stillness decides alone.
            isBeingWritten = file.isOpenForWriting
        } catch let error where error.errno == ENOENT {
            return nil
        } catch let error where [ELOOP, ENXIO, EACCES, EPERM].contains(error.errno) {
            // Swapped for a link or a device, or made unreadable, since the listing: the next listing judges it.
            isBeingWritten = true
        }
        return Observation(status, isBeingWritten: isBeingWritten)
    }
}

/// Decides when a bare `*.eml` may be claimed: its size and times were the same twice, 2 s apart, and nobody is seen
/// writing it.
public struct StillnessJudge: Sendable {
    public static let interval: Duration = .seconds(2)

    public enum Verdict: Hashable, Sendable {
        case still
        /// Look again at this time of the monotonic clock.
        case lookAgain(at: Duration)
    }

    private struct Key: Hashable {
        let queue: Queue
        let name: FileName
    }

    private struct First {
        let observation: Observation
        let time: Duration
        var seen: Duration
    }

    private var first: [Key: First] = [:]

    public init() {}

    /// Takes note of what was seen of `candidate` at `now` of the monotonic clock.
    public mutating func judge(_ candidate: Candidate, _ observation: Observation, now: Duration) -> Verdict {
        let key = Key(queue: candidate.queue, name: candidate.name)
        if var known = first[key], known.observation == observation, !observation.isBeingWritten {
            if now - known.time >= Self.interval {
                first[key] = nil
                return .still
            }
            known.seen = now
            first[key] = known
            return .lookAgain(at: known.time + Self.interval)
        }
        first[key] = First(observation: observation, time: now, seen: now)
        return .lookAgain(at: now + Self.interval)
    }

    /// The time at which the first of those noted may be found still; nil if there is none.
    public var nextLook: Duration? { first.values.map { $0.time + Self.interval }.min() }

    /// Forgets files not seen since `time`: they are gone.
    public mutating func forget(notSeenSince time: Duration) {
        first = first.filter { $0.value.seen >= time }
    }
}

extension OpenFile {
    /// True if a process has the file open for writing, as far as a read lease can tell; false if it cannot.
    fileprivate var isOpenForWriting: Bool {
        // A lease that is broken before it is given back raises a signal. The default, SIGIO, would end the process;
        // SIGURG is ignored.
        guard fcntl(descriptor, CInt(clinux_set_signal), SIGURG) == 0 else { return false }
        guard fcntl(descriptor, CInt(clinux_set_lease), CInt(F_RDLCK)) == 0 else { return errno == EAGAIN }
        // The lease ends with the descriptor at the latest.
        _ = fcntl(descriptor, CInt(clinux_set_lease), CInt(F_UNLCK))
        return false
    }
}
