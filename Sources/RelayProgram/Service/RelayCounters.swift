import Synchronization

/// The relay's counts since it started, for its state and its metrics.
final class RelayCounters: Sendable {
    struct Values: Sendable, Hashable, Codable {
        /// Recipients.
        var sent = 0
        var failed = 0
        var deferred = 0
        /// Recipients to whom a message may have gone twice: no reply to the final dot was recorded.
        var possibleRepeats = 0
        /// Messages.
        var messagesSent = 0
        var messagesFailed = 0
        var messagesDeferred = 0
        var reports = 0

        init() {}
    }

    private let values = Mutex(Values())

    init() {}

    var current: Values { values.withLock { $0 } }
    func add(_ change: (inout Values) -> Void) { values.withLock { change(&$0) } }
}
