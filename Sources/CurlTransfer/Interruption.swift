import Synchronization

/// A request, from any thread, that those who wait on a connection stop waiting. It cannot be taken back.
public final class Interruption: Sendable {
    private let flag = Atomic(false)

    public init() {}

    public var isRaised: Bool { flag.load(ordering: .acquiring) }

    /// Waits end within half a second; within about one second while a connection is being made.
    public func raise() { flag.store(true, ordering: .releasing) }
}
