import Synchronization

/// The files that could not be taken from where they wait, with the reason of each, reported as one reason.
package final class LeftBehind: Sendable {
    private let names = Mutex<[String: String]>([:])
    private static let limit = 1_000

    package init() {}

    package func note(_ name: String, _ reason: String) {
        names.withLock { if $0.count < Self.limit || $0[name] != nil { $0[name] = reason } }
    }

    package func remove(_ name: String) { names.withLock { $0[name] = nil } }

    /// Keeps of those whose names begin with `prefix` only what a listing saw.
    package func keep(_ seen: Set<String>, of prefix: String) {
        names.withLock { names in names = names.filter { !$0.key.hasPrefix(prefix) || seen.contains($0.key) } }
    }

    package func contains(_ name: String) -> Bool { names.withLock { $0[name] != nil } }

    /// The first file, and one sentence about all; nil when there is nothing.
    package var reason: (name: String, text: String)? {
        names.withLock { names in
            guard let first = names.min(by: { $0.key < $1.key }) else { return nil }
            let more = names.count > 1 ? " (and \(names.count - 1) more)" : ""
            return (first.key, "\(first.key) was left where it is: \(first.value)\(more)")
        }
    }
}
