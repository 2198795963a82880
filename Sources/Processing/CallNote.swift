import Synchronization

/// Notes which signing server answered the calls of one message. It explains and decides nothing.
public final class CallNote: Sendable {
    /// The note of the message that the present task works on; nil if nobody asks.
    @TaskLocal public static var current: CallNote?

    private let state = Mutex<String?>(nil)

    public init() {}

    /// The address that answered last, without credentials; nil if none did.
    public var address: String? { state.withLock { $0 } }

    public func answered(_ address: String) { state.withLock { $0 = address } }
}
