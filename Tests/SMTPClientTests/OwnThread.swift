import Glibc

/// Runs `body`, which may block for minutes, on a thread of its own, and gives what it gives.
///
/// The thread blocks SIGPIPE, so that writing to a connection that a peer has closed is an error and not the end of the
/// process.
/// - Throws: ``OwnThreadError`` when the system has no thread to give.
func onOwnThread<Result: Sendable>(
    _ body: @escaping @Sendable () -> Result
) async throws(OwnThreadError) -> Result {
    let outcome: Swift.Result<Result, OwnThreadError> = await withCheckedContinuation { continuation in
        let work = ThreadWork { continuation.resume(returning: .success(body())) }
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                var signals = sigset_t()
                sigemptyset(&signals)
                sigaddset(&signals, SIGPIPE)
                pthread_sigmask(SIG_BLOCK, &signals, nil)
                Unmanaged<ThreadWork>.fromOpaque(context).takeRetainedValue().body()
                return nil
            }, Unmanaged.passRetained(work).toOpaque())
        if code == 0 {
            pthread_detach(thread)
        } else {
            Unmanaged.passUnretained(work).release()
            continuation.resume(returning: .failure(OwnThreadError(errno: code)))
        }
    }
    return try outcome.get()
}

/// The system has no thread to give.
struct OwnThreadError: Error, Hashable, Sendable {
    let errno: Int32
}

private final class ThreadWork: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
