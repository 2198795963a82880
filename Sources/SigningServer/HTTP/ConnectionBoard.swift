import NIOCore
import Synchronization

/// The connections that are open, and which of them gives way when there are too many.
///
/// Nobody is known before a request has arrived, so all are treated alike: room is made at the cost of the address that
/// holds most connections, and there of one that keeps its place without using it.
final class ConnectionBoard: Sendable {
    /// The activity of a connection.
    enum Phase: Sendable, Hashable {
        /// There is no request, or only a part of its head.
        case silent
        /// A request is arriving.
        case receiving
        /// A request is here as a whole; such a connection never gives way.
        case answering
    }

    private struct Entry {
        let channel: any Channel
        /// The client's address; empty for all of a Unix socket.
        let origin: String
        var phase = Phase.silent
        /// The time at which the phase began.
        var since: NIODeadline
        /// Octets of the body that has arrived in this phase.
        var received = 0

        /// Octets a second; what has just begun is not judged by the little it could send.
        func rate(_ now: NIODeadline) -> Int64 {
            let elapsed = (now - since).nanoseconds / 1_000_000
            return elapsed < 200 ? .max : Int64(received) * 1_000 / elapsed
        }
    }

    /// The most connections.
    let limit: Int
    private let entries = Mutex<[ObjectIdentifier: Entry]>([:])

    init(limit: Int) { self.limit = limit }

    /// Adds a new connection. If there are too many it closes one: another one, or the new one if all others are being
    /// answered.
    func add(_ channel: any Channel, now: NIODeadline) {
        let entry = Entry(channel: channel, origin: channel.remoteAddress?.ipAddress ?? "", since: now)
        let victim = entries.withLock { entries -> (any Channel)? in
            guard entries.count >= limit else {
                entries[ObjectIdentifier(channel)] = entry
                return nil
            }
            guard let victim = Self.victim(in: entries, now) else { return channel }
            entries[ObjectIdentifier(victim)] = nil
            entries[ObjectIdentifier(channel)] = entry
            return victim
        }
        victim?.close(promise: nil)
    }

    func remove(_ channel: any Channel) { entries.withLock { $0[ObjectIdentifier(channel)] = nil } }

    func set(_ phase: Phase, of channel: any Channel, now: NIODeadline) {
        entries.withLock { entries in
            entries[ObjectIdentifier(channel)]?.phase = phase
            entries[ObjectIdentifier(channel)]?.since = now
            entries[ObjectIdentifier(channel)]?.received = 0
        }
    }

    func note(_ octets: Int, from channel: any Channel) {
        entries.withLock { $0[ObjectIdentifier(channel)]?.received += octets }
    }

    /// Closes one connection, for want of descriptors; none where all are being answered.
    func makeRoom(now: NIODeadline) {
        let victim = entries.withLock { entries -> (any Channel)? in
            let victim = Self.victim(in: entries, now)
            if let victim { entries[ObjectIdentifier(victim)] = nil }
            return victim
        }
        victim?.close(promise: nil)
    }

    /// The one that gives way: of the address with most connections that may give way the longest silent one, else the
    /// slowest.
    private static func victim(in entries: [ObjectIdentifier: Entry], _ now: NIODeadline) -> (any Channel)? {
        let yielding = entries.values.filter { $0.phase != .answering }
        let counts = Dictionary(yielding.map { ($0.origin, 1) }, uniquingKeysWith: +)
        guard let origin = counts.max(by: { $0.value < $1.value })?.key else { return nil }
        let own = yielding.filter { $0.origin == origin }
        let silent = own.filter { $0.phase == .silent }.min { $0.since < $1.since }
        return (silent ?? own.min { $0.rate(now) < $1.rate(now) })?.channel
    }
}
