import Synchronization

/// HTTP exchanges over connections that are kept and shared; one thread drives them all.
public final class HTTPTransfers: Sendable {
    private let loop: TransferLoop
    private let lastID = Atomic<UInt64>(0)

    /// Starts the thread that drives the transfers.
    /// - Throws: ``TransferError`` if there is no memory or no thread.
    public init(_ settings: TransferSettings) throws(TransferError) {
        loop = try TransferLoop(settings)
    }

    deinit { loop.stop(whenDone: nil) }

    /// Sends `request` and gives the answer to `receiver` while it arrives.
    ///
    /// The body is read on the thread of the transfers, anew when a proxy or a lost connection asks for it. No redirect
    /// is followed. Cancelling the task ends the transfer.
    /// - Returns: The head of the answer, whatever its status; the body is complete then.
    /// - Throws: ``TransferError`` if no complete answer was received, or the task was cancelled.
    public func perform(
        _ request: HTTPRequest, receiver: any HTTPAnswerReceiving
    ) async throws(TransferError) -> HTTPHead {
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
        await withCheckedContinuation { continuation in loop.stop { continuation.resume() } }
    }
}
