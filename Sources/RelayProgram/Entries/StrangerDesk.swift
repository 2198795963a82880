import Composition
import InternetMessage
import Octets
import Spool
import Synchronization

/// Judges files in `delivered/new` and `admin/new` whose names are not of the spool's form: copies put there by hand,
/// or by another program. One that says in its own trace fields from whom and to whom it is, is sent; any other stays.
///
/// Such a file is claimed like all others, by one rename into a transaction with a name of the spool's form, so that it
/// is sent once. A copy of a message that SES itself made is not sent: whether the message was sent is not known here.
final class StrangerDesk: Sendable {
    enum Verdict {
        case fit(Candidate)
        /// It may not be complete yet.
        case waits
        /// It stays where it is; the reason, with advice.
        case unfit(String)
    }

    private struct Judged {
        let observation: Observation
        let reason: String
        var seen: Duration
    }

    private struct State {
        var still: [Queue: StillnessJudge] = [:]
        /// Those that stay, so that each is read once.
        var judged: [String: Judged] = [:]
    }

    private let spool: Spool
    private let clock: SpoolClock
    private let state = Mutex(State())

    /// The octets within which the header of such a file must end.
    private static let maximumHead = 256 << 10
    private static let maximumJudged = 1_000

    init(spool: Spool, clock: SpoolClock) {
        self.spool = spool
        self.clock = clock
    }

    /// The time until a file can be known to be complete; nil if none is waited for.
    var nextLook: Duration? {
        let next = state.withLock { $0.still.values.compactMap(\.nextLook).min() }
        return next.map { max($0 - clock.monotonic(), .milliseconds(50)) }
    }

    func judge(_ stranger: Candidate) throws(SpoolError) -> Verdict {
        guard let observation = try spool.observe(stranger) else { return .waits }
        let now = clock.monotonic()
        let key = "\(stranger.queue.rawValue)/\(stranger.name)"
        let known = state.withLock { state -> Verdict? in
            if var judged = state.judged[key], judged.observation == observation {
                judged.seen = now
                state.judged[key] = judged
                return .unfit(judged.reason)
            }
            state.judged[key] = nil
            let isStill = state.still[stranger.queue, default: StillnessJudge()].judge(stranger, observation, now: now)
            return isStill == .still ? nil : .waits
        }
        if let known { return known }
        guard let head = try spool.readHead(of: stranger, limit: Self.maximumHead) else { return .waits }
        switch Self.facts(in: head) {
        case .success(let facts): return .fit(stranger.adopted(facts))
        case .failure(let unfit):
            state.withLock { state in
                guard state.judged.count < Self.maximumJudged else { return }
                state.judged[key] = Judged(observation: observation, reason: unfit.reason, seen: now)
            }
            return .unfit(unfit.reason)
        }
    }

    /// Forgets files of `queue` that were not seen since `time`: they are gone.
    func forget(_ queue: Queue, notSeenSince time: Duration) {
        state.withLock { state in
            state.still[queue]?.forget(notSeenSince: time)
            state.judged = state.judged.filter { !$0.key.hasPrefix(queue.rawValue + "/") || $0.value.seen >= time }
        }
    }

    // MARK: - What it says of itself

    struct Unfit: Error {
        let reason: String
    }

    /// The facts that a name of the spool's form would say.
    static func facts(in head: OctetString) -> Result<NameFacts, Unfit> {
        if let end = endOfBlock(in: head), let block = try? EnvelopeBlock(parsing: head.slice(0..<end)) {
            guard block.entry == nil else {
                return .failure(
                    Unfit(
                        reason:
                            "it is a copy of entry \(block.entry ?? ""), which may have been sent: remove it, or put the"
                            + " message without its X-SES fields into outgoing/new"))
            }
            guard block.envelope.sender != nil, !block.envelope.recipients.isEmpty else { return .failure(.nobody) }
            let origin: Origin = block.direction == .incoming ? .incoming(bare: false) : .outgoing(bare: false)
            return .success(NameFacts(envelopeOctets: end, origin: origin))
        }
        let header: Header
        do {
            header = try Header(reading: head, limits: Message.Limits())
        } catch {
            return .failure(
                Unfit(reason: "its header cannot be read (\(error)): remove it, or put it into outgoing/new"))
        }
        guard let envelope = try? Envelope.reading(block: nil, header: header, isBare: false), envelope.sender != nil,
            !envelope.recipients.isEmpty, envelope.unreadable.isEmpty
        else { return .failure(.nobody) }
        return .success(NameFacts(origin: .outgoing(bare: false)))
    }

    /// The octets of an envelope block at the head of a file; nil if it has none.
    private static func endOfBlock(in head: OctetString) -> Int? {
        let octets = head.array
        guard let mark = octets.firstRange(of: Array("\nX-SES-End: 1".utf8)) else { return nil }
        guard let end = octets[mark.upperBound...].firstIndex(of: 0x0A) else { return nil }
        return end + 1
    }
}

extension StrangerDesk.Unfit {
    fileprivate static let nobody = StrangerDesk.Unfit(
        reason:
            "its name is not of the spool's form, and no trace fields (Return-Path, and Envelope-To or Delivered-To) at"
            + " its top say from whom and to whom it is: add them, put it into outgoing/new, or remove it")
}
