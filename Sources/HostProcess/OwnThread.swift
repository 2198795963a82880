import CProcess
import Glibc

/// Threads outside of Swift's pool, for work that blocks.
public enum OwnThread {
    /// Runs `body` on a new thread, which ends with it.
    ///
    /// The process ends if the system has no thread left, as Foundation's threads do: whoever starts one needs it.
    /// - Parameters:
    ///   - name: The system shows its first 15 octets.
    ///   - stackSize: Octets; nil for the system's default.
    public static func start(_ name: String, stackSize: Int? = nil, _ body: @escaping @Sendable () -> Void) {
        var attributes = pthread_attr_t()
        var outcome = pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        if outcome == 0 { outcome = pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED)) }
        if outcome == 0, let stackSize { outcome = pthread_attr_setstacksize(&attributes, stackSize) }
        guard outcome == 0 else { fatalError("a thread cannot be set up: \(String(cString: strerror(outcome)))") }
        let context = Unmanaged.passRetained(Start(name, body))
        var thread = pthread_t()
        outcome = pthread_create(&thread, &attributes, run, context.toOpaque())
        guard outcome == 0 else { fatalError("no thread can be started: \(String(cString: strerror(outcome)))") }
    }

    /// The name and the work of a new thread.
    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    private static let run: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
        guard let context else { return nil }
        let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
        cprocess_name_thread(start.name)
        start.body()
        return nil
    }
}
