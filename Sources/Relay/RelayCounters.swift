import Synchronization

/// What a relay has done since it started, for its state and its metrics.
package final class RelayCounters: Sendable {
    package struct Values: Sendable, Hashable, Codable {
        /// Recipients.
        package var sent = 0
        package var failed = 0
        package var deferred = 0
        /// Recipients to whom a message may have gone twice: no reply to the final dot was recorded.
        package var possibleRepeats = 0
        /// Messages.
        package var messagesSent = 0
        package var messagesFailed = 0
        package var messagesDeferred = 0
        package var reports = 0

        package init() {}
    }

    private let values = Mutex(Values())

    package init() {}

    package var current: Values { values.withLock { $0 } }
    func add(_ change: (inout Values) -> Void) { values.withLock { change(&$0) } }
}
