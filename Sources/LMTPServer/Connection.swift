import Glibc
import LMTP

/// A client's connection: reading and writing with deadlines, and an end as soon as the service stops.
struct Connection: ~Copyable {
    enum Ended: Error {
        /// The client has gone, or the connection is broken.
        case closed
        /// The client did not send, or did not read, for too long.
        case late
        /// The service is to stop.
        case stopped
    }

    private let descriptor: CInt
    /// Readable once the service is to stop.
    private let stop: CInt
    private var unsent: [UInt8] = []

    init(adopting descriptor: CInt, stop: CInt) {
        self.descriptor = descriptor
        self.stop = stop
    }

    deinit { close(descriptor) }

    mutating func queue(_ reply: LMTPReply) { unsent += reply.octets }

    var owesMuch: Bool { unsent.count > 1 << 16 }

    /// Sends the replies that were queued.
    mutating func flush(by deadline: Deadline) throws(Ended) {
        var sent = 0
        while sent < unsent.count {
            let count = unsent.withUnsafeBytes { octets in
                send(
                    descriptor, octets.baseAddress.map { $0 + sent }, octets.count - sent,
                    CInt(MSG_NOSIGNAL | MSG_DONTWAIT))
            }
            if count > 0 {
                sent += count
            } else if count < 0 && errno == EAGAIN {
                // An order to stop does not cut a reply in two.
                try wait(for: Int16(POLLOUT), by: deadline, heedsStop: false)
            } else if count < 0 && errno != EINTR {
                throw .closed
            }
        }
        unsent.removeAll(keepingCapacity: true)
    }

    /// Waits for octets and reads them.
    /// - Returns: Their number, at least one.
    func read(into buffer: UnsafeMutableRawBufferPointer, by deadline: Deadline) throws(Ended) -> Int {
        while true {
            try wait(for: Int16(POLLIN), by: deadline, heedsStop: true)
            let count = recv(descriptor, buffer.baseAddress, buffer.count, CInt(MSG_DONTWAIT))
            if count > 0 { return count }
            if count == 0 || errno != EAGAIN && errno != EINTR { throw .closed }
        }
    }

    private func wait(for events: Int16, by deadline: Deadline, heedsStop: Bool) throws(Ended) {
        var waited = [
            pollfd(fd: descriptor, events: events, revents: 0),
            pollfd(fd: heedsStop ? stop : -1, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            let left = deadline.millisecondsLeft
            guard left > 0 else { throw .late }
            let count = poll(&waited, 2, CInt(clamping: left))
            if count < 0 && errno != EINTR { throw .closed }
            if waited[1].revents != 0 { throw .stopped }
            if count > 0 { return }
        }
    }
}

/// A time by which something must have happened, on the clock that never jumps.
struct Deadline {
    private let end: ContinuousClock.Instant

    init(seconds: Int) { end = ContinuousClock.now + .seconds(seconds) }

    init(milliseconds: Int) { end = ContinuousClock.now + .milliseconds(milliseconds) }

    private init(end: ContinuousClock.Instant) { self.end = end }

    /// The earlier of both.
    func before(_ other: Deadline?) -> Deadline { Deadline(end: min(end, other?.end ?? end)) }

    var millisecondsLeft: Int {
        let left = end - ContinuousClock.now
        let (seconds, attoseconds) = left.components
        return Int(seconds) * 1_000 + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
