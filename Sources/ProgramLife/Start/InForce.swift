import Synchronization

/// The configuration in force now, with what is built from it once. A good new one takes effect for messages claimed
/// later; those in work keep the one that they began with.
package final class InForce<Configuration: Sendable>: Sendable {
    private let held: Mutex<Configuration>

    package init(_ first: Configuration) { held = Mutex(first) }

    package var current: Configuration { held.withLock { $0 } }

    /// Puts a new configuration in force.
    /// - Returns: The former one. The last reference to it may be this, so it is not released while the lock is held.
    @discardableResult
    package func replace(with new: Configuration) -> Configuration {
        held.withLock { held in
            defer { held = new }
            return held
        }
    }
}
