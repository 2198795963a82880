import Glibc

/// The handling of signals before a program does anything else.
public enum EarlySignals {
    /// To be called first, while there is one thread.
    ///
    /// SIGPIPE is ignored: if a reader of the output or the log has gone, write(2) fails, and the program goes on.
    /// SIGHUP waits until somebody listens to it, so that the order to read the configuration again does not end a
    /// program that is still starting.
    public static func prepare() {
        _ = signal(SIGPIPE, SIG_IGN)
        change(SIG_BLOCK)
    }

    /// Lets SIGHUP end the program as usual: for a command that reads no configuration again.
    public static func releaseHangup() { change(SIG_UNBLOCK) }

    private static func change(_ how: CInt) {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGHUP)
        pthread_sigmask(how, &signals, nil)
    }
}
