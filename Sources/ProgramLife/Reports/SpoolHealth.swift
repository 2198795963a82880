/// The times within which programs renew what they say of themselves.
package enum SpoolHealth {
    /// A process renews its published state at least this often, and not more often than
    /// ``shortestStateInterval``.
    package static let stateInterval = Duration.seconds(4)
    package static let shortestStateInterval = Duration.milliseconds(250)
    /// Seconds after which a living process should have renewed its published state.
    package static let silence = 3 * Int(stateInterval.components.seconds)
}
