import Synchronization

/// A wish, from any thread, that whoever waits on a connection should stop waiting. It cannot be taken back.
public final class Interruption: Sendable {
    private let flag = Atomic(false)

    public init() {}

    public var isRaised: Bool { flag.load(ordering: .acquiring) }

    /// Waits end within half a second; within about one second while a connection is being made.
    public func raise() { flag.store(true, ordering: .releasing) }
}
