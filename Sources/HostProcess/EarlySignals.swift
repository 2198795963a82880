import Glibc
import Synchronization

/// The handling of signals from the first line of a program on, before anything else listens to them.
public enum EarlySignals {
    private static let holdsHangup = Atomic(false)
    private static let sawHangup = Atomic(false)

    /// Prepares a program for SIGPIPE and SIGHUP. To be called first, while there is one thread.
    ///
    /// SIGPIPE is ignored: when the reader of the output or of the log has gone away, write(2) returns an error and the
    /// program goes on. SIGXFSZ is ignored: when a file would become larger than the limit, write(2) returns an error.
    /// SIGHUP is noted until ``consumeHangup()`` asks for it, so that the order to read the configuration again does
    /// not end a program that is still starting. (A signal mask would not do: the main thread of an async program waits
    /// in sigsuspend(2) with an empty one.) If SIGHUP is ignored already, as by nohup(1), it stays ignored. Messages of
    /// libdispatch to the system's log are turned off, unless `LIBDISPATCH_LOG` says otherwise.
    public static func prepare() {
        _ = signal(SIGPIPE, SIG_IGN)
        _ = signal(SIGXFSZ, SIG_IGN)
        // libdispatch would write to the system's log, once for each start, that an ordinary user may not raise the
        // priority of its threads.
        setenv("LIBDISPATCH_LOG", "NO", 0)
        var former = sigaction()
        guard sigaction(SIGHUP, nil, &former) == 0, !former.isIgnored else { return }
        // The values are made here: a signal handler must not be the first to ask for them.
        holdsHangup.store(true, ordering: .sequentiallyConsistent)
        sawHangup.store(false, ordering: .sequentiallyConsistent)
        _ = signal(SIGHUP) { _ in EarlySignals.sawHangup.store(true, ordering: .sequentiallyConsistent) }
    }

    /// Lets SIGHUP end the program as usual, also one that came before: for a command that does not read the
    /// configuration again.
    public static func releaseHangup() {
        guard holdsHangup.exchange(false, ordering: .sequentiallyConsistent) else { return }
        _ = signal(SIGHUP, SIG_DFL)
        if consumeHangup() { _ = raise(SIGHUP) }
    }

    /// Returns true if SIGHUP came before something else began to listen to it. The answer is given once.
    package static func consumeHangup() -> Bool { sawHangup.exchange(false, ordering: .sequentiallyConsistent) }
}

extension sigaction {
    fileprivate var isIgnored: Bool {
        unsafeBitCast(__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
