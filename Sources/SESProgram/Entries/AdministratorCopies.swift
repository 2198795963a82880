import Composition
import InternetMessage
import Octets
import Processing
import Spool
import Synchronization

/// Counts the administrator's copies of messages that go on to their recipients, and remembers those that are left out.
///
/// Without `AdminCopiesPerHour` no copy is left out. Copies that are left out are recorded in the log and the journal
/// at once, and in a summary for the administrator when the hour or the process ends.
final class AdministratorCopies: Sendable {
    /// The copies that are left out in one clock hour.
    struct LeftOut: Sendable, Equatable {
        /// Hours after 1970-01-01T00:00:00Z.
        let hour: Int
        let limit: Int
        /// All of them, also those that are not among ``mentions``.
        fileprivate(set) var count = 0
        /// The first ones, in order.
        fileprivate(set) var mentions: [Notice.Mention] = []
    }

    private struct State {
        var hour = 0
        var admitted = 0
        var current: LeftOut?
        var ended: [LeftOut] = []
    }

    /// A summary with more entries than this would not be read; the journal has them all.
    static let maximumMentions = 1_000
    private let now: @Sendable () -> Int
    private let state = Mutex(State())

    /// - Parameter now: Unix seconds.
    init(now: @escaping @Sendable () -> Int) { self.now = now }

    /// Counts one more copy; false when it is left out.
    /// - Parameter limit: Copies in one clock hour; nil for no limit.
    func admits(_ mention: Notice.Mention, limit: Int?) -> Bool {
        let hour = now() / 3_600
        return state.withLock { state in
            Self.turn(&state, to: hour)
            guard let limit else { return true }
            guard state.admitted >= limit else {
                state.admitted += 1
                return true
            }
            var leftOut = state.current ?? LeftOut(hour: hour, limit: limit)
            leftOut.count += 1
            if leftOut.mentions.count < Self.maximumMentions { leftOut.mentions.append(mention) }
            state.current = leftOut
            return false
        }
    }

    /// Returns the copies left out in hours that ended, and if `isFinal`, in the present one; each is returned once.
    func removeLeftOut(isFinal: Bool) -> [LeftOut] {
        let hour = now() / 3_600
        return state.withLock { state in
            Self.turn(&state, to: hour)
            if isFinal, let current = state.current {
                state.ended.append(current)
                state.current = nil
            }
            defer { state.ended = [] }
            return state.ended
        }
    }

    /// Puts back what could not be told.
    func restore(_ leftOut: [LeftOut]) { state.withLock { $0.ended = leftOut + $0.ended } }

    private static func turn(_ state: inout State, to hour: Int) {
        guard state.hour != hour else { return }
        if let current = state.current { state.ended.append(current) }
        state.hour = hour
        state.admitted = 0
        state.current = nil
    }
}

extension AdministratorCopies.LeftOut {
    /// The summary for the administrator.
    func notice(from: AddrSpec, to administrator: AddrSpec) -> Notice {
        let begin = MailDate(unixSeconds: Int64(hour * 3_600))
        var why =
            "AdminCopiesPerHour of ses.xml allows \(limit) copies in an hour. From \(begin) on, \(count) more messages went to"
            + " their recipients without a copy to you; each is named below by its entry, with its Message-ID and the reason."
        if count > mentions.count {
            why += " These are the first \(mentions.count) of them; the journal of the spool has all."
        }
        return Notice(
            from: from, to: administrator, what: count == 1 ? "1 copy left out" : "\(count) copies left out", why: why,
            entry: "", original: .none, mentioned: mentions)
    }
}
