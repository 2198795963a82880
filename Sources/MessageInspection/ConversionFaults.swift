import Synchronization

/// Faults of this machine while text was converted: a character set that could not be loaded for want of descriptors or
/// memory. The text was read as if the set were unknown, so whatever was made of it must not be used.
public enum ConversionFaults {
    /// The last errno of one piece of work.
    private final class Note: Sendable {
        let errno = Mutex<Int32?>(nil)
    }

    @TaskLocal private static var present: Note?

    /// Runs `work`, and tells of the fault that it met, on whatever thread.
    public static func noting<Result: Sendable>(
        _ work: () async -> Result
    ) async -> (result: Result, errno: Int32?) {
        let note = Note()
        let result = await $present.withValue(note, operation: work)
        return (result, note.errno.withLock { $0 })
    }

    static func note(_ errno: Int32) { present?.errno.withLock { $0 = errno } }
}
