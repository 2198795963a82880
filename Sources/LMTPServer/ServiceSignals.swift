import Glibc
import Synchronization

/// Signals as octets in a pipe, which the service waits for beside its sockets.
enum ServiceSignals {
    private static let target = Atomic<CInt>(-1)

    /// Begins to take SIGTERM, SIGINT and SIGHUP. SIGPIPE and SIGXFSZ are ignored: write(2) returns an error instead.
    /// - Parameter pipe: The end to write to.
    static func begin(to pipe: CInt) {
        target.store(pipe, ordering: .sequentiallyConsistent)
        for number in [SIGTERM, SIGINT] { _ = signal(number) { ServiceSignals.pass($0) } }
        _ = signal(SIGPIPE, SIG_IGN)
        _ = signal(SIGXFSZ, SIG_IGN)
        // There is no configuration to read again; and the end of a terminal must not end the service.
        _ = signal(SIGHUP, SIG_IGN)
    }

    /// Asks the service to stop, from any thread.
    static func raiseStop() { pass(SIGTERM) }

    private static func pass(_ number: CInt) {
        let cause = errno
        var octet = UInt8(truncatingIfNeeded: number)
        _ = write(target.load(ordering: .sequentiallyConsistent), &octet, 1)
        errno = cause
    }
}
