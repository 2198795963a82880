import Synchronization

/// HTTP exchanges over connections that are kept and shared; one thread drives them all.
public final class HTTPTransfers: Sendable {
    private enum Stage {
        case unused
        case running(TransferLoop)
        case ended
    }

    private let settings: TransferSettings
    private let stage = Mutex(Stage.unused)
    private let lastID = Atomic<UInt64>(0)

    /// No library is loaded and no thread started before the first request, or ``prepare()``.
    public init(_ settings: TransferSettings) { self.settings = settings }

    deinit { startedLoop?.stop(whenDone: nil) }

    /// Loads the library and starts the thread that drives the transfers, if that has not been done.
    /// - Throws: ``TransferError`` if there is no memory or no thread, or the transfers were shut down.
    public func prepare() throws(TransferError) { _ = try loop() }

    private func loop() throws(TransferError) -> TransferLoop {
        let result = stage.withLock { stage -> Result<TransferLoop, TransferError> in
            switch stage {
            case .running(let loop): return .success(loop)
            case .ended: return .failure(TransferError(.cancelled, "transfers have been shut down"))
            case .unused:
                do throws(TransferError) {
                    let loop = try TransferLoop(settings)
                    stage = .running(loop)
                    return .success(loop)
                } catch {
                    return .failure(error)
                }
            }
        }
        return try result.get()
    }

    private var startedLoop: TransferLoop? {
        stage.withLock { stage in
            guard case .running(let loop) = stage else { return nil }
            return loop
        }
    }

    /// Sends `request` and gives the answer to `receiver` while it arrives.
    ///
    /// The body is read on the thread of the transfers, anew when a proxy or a lost connection asks for it. No redirect
    /// is followed. Cancelling the task ends the transfer.
    /// - Returns: The head of the answer, whatever its status; the body is complete then.
    /// - Throws: ``TransferError`` if no complete answer was received, or the task was cancelled.
    public func perform(
        _ request: HTTPRequest, receiver: any HTTPAnswerReceiving
    ) async throws(TransferError) -> HTTPHead {
        let loop = try loop()
        let id = lastID.add(1, ordering: .relaxed).newValue
        let flag = CancellationFlag()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation {
                (continuation: CheckedContinuation<Result<HTTPHead, TransferError>, Never>) in
                loop.submit(
                    TransferLoop.Job(id: id, request: request, receiver: receiver, isCancelled: flag) { result in
                        continuation.resume(returning: result)
                    })
            }
        } onCancel: {
            flag.set()
            loop.cancel(id)
        }
        return try result.get()
    }

    /// Takes no more requests and waits until those under way have ended.
    public func shutDown() async {
        let started = startedLoop
        stage.withLock { $0 = .ended }
        guard let started else { return }
        await withCheckedContinuation { continuation in started.stop { continuation.resume() } }
    }
}
