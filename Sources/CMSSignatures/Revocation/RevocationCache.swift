import Octets
import Synchronization

/// Remembers answers of OCSP responders and fetched lists until the next one is due, and for a short time which sources
/// did not answer.
///
/// Only what was found reliable is remembered. One cache may serve any number of threads and policies.
public final class RevocationCache: Sendable {
    /// The most answers and lists, and the most octets of them in all; what ends soonest makes room.
    public let maximumEntries: Int
    public let maximumOctets: Int

    /// The time in seconds after which an answer is requested again, even if the next one is due much later: a
    /// revocation should be noticed within hours.
    static let maximumLife = 4 * 3_600
    /// The life in seconds of an answer that does not say when the next one is due.
    static let shortLife = 300
    /// The time in seconds for which a source that did not answer is not asked again: a dead responder must not hold up
    /// every message.
    static let failureLife = 30

    enum Key: Hashable {
        /// CertID in DER.
        case response(OctetString)
        /// An address.
        case list(String)
        case failure(String)
    }

    enum Value {
        case response(OCSPResponse)
        case list(RevocationList)
        /// The error of the request.
        case failure(String)

        fileprivate var octetCount: Int {
            switch self {
            case .response(let response): response.der.count
            case .list(let list): list.der.count
            case .failure(let words): words.utf8.count
            }
        }
    }

    private struct Entry {
        let value: Value
        let octetCount: Int
        /// Unix seconds. The beginning counts too: a policy's time of verification may lie anywhere.
        let life: Range<Int>
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var octetCount = 0

        mutating func remove(_ key: Key) {
            if let entry = entries.removeValue(forKey: key) { octetCount -= entry.octetCount }
        }
    }

    private let state = Mutex(State())

    public init(maximumEntries: Int = 1_024, maximumOctets: Int = 67_108_864) {
        self.maximumEntries = maximumEntries
        self.maximumOctets = maximumOctets
    }

    /// The number of answers and lists it holds.
    public var count: Int { state.withLock { $0.entries.count } }

    func value(_ key: Key, now: Int) -> Value? {
        state.withLock { state in
            guard let entry = state.entries[key] else { return nil }
            if entry.life.contains(now) { return entry.value }
            if entry.life.upperBound <= now { state.remove(key) }
            return nil
        }
    }

    /// - Parameter nextUpdate: The time at which the next one is due, Unix seconds.
    func store(_ value: Value, for key: Key, now: Int, nextUpdate: Int?) {
        let end: Int
        if case .failure = value {
            end = now + Self.failureLife
        } else {
            end = min(nextUpdate ?? now + Self.shortLife, now + Self.maximumLife)
        }
        let octetCount = value.octetCount
        guard end > now, octetCount <= maximumOctets, maximumEntries > 0 else { return }
        state.withLock { state in
            state.remove(key)
            while state.entries.count >= maximumEntries || state.octetCount + octetCount > maximumOctets {
                guard let first = state.entries.min(by: { $0.value.life.upperBound < $1.value.life.upperBound }) else {
                    break
                }
                state.remove(first.key)
            }
            state.entries[key] = Entry(value: value, octetCount: octetCount, life: now..<end)
            state.octetCount += octetCount
        }
    }
}
