import CMSSignatures
import CurlTransfer
import Dispatch
import Octets
import Synchronization

/// The HTTP requests of a signature or its verification: timestamps, OCSP answers, revocation lists.
///
/// Calls block: they run on the threads of the signing work, never on those that serve connections.
final class OnlineSources: Sendable {
    /// The most octets of an answer; public revocation lists have some megabytes.
    static let maximumAnswer = 32 << 20

    private let transfers: HTTPTransfers

    /// - Parameter count: The number of calls at a time.
    init(atOnce count: Int) {
        var settings = TransferSettings()
        // A mail waits for it: an authority that is not there must not hold it up for long.
        settings.connectTimeout = .seconds(5)
        settings.totalTimeout = .seconds(15)
        settings.maximumAnswer = Self.maximumAnswer
        // What stays open between calls has a descriptor, too.
        settings.maximumConnections = count
        transfers = HTTPTransfers(settings)
    }

    /// Fetches `url` by GET, or posts `body` to it.
    /// - Parameter contentType: That of `body`.
    /// - Returns: The body of a 200 answer.
    /// - Throws: ``CryptographyError/Kind/failed`` with what happened.
    func fetch(
        _ url: String, posting body: OctetString?, contentType: String? = nil
    ) throws(CryptographyError) -> OctetString {
        let fields = contentType.map { [HTTPField("Content-Type", $0)] } ?? []
        let request = HTTPRequest(url: url, fields: fields, body: body)
        let receiver = AnswerCollecting()
        let ended = Ended()
        // Detached: the task must not wait for the very thread that waits for it.
        Task.detached { [transfers] in
            let result: Result<HTTPHead, TransferError>
            do throws(TransferError) {
                result = .success(try await transfers.perform(request, receiver: receiver))
            } catch {
                result = .failure(error)
            }
            ended.end(with: result)
        }
        switch ended.wait() {
        case .failure(let error): throw CryptographyError(.failed, "\(url): \(error.detail)")
        case .success(let head):
            guard head.status == 200 else {
                throw CryptographyError(.failed, "\(url): answered with HTTP status \(head.status)")
            }
            return receiver.octets
        }
    }

    /// One result that one thread waits for.
    private final class Ended: Sendable {
        private let semaphore = DispatchSemaphore(value: 0)
        private let result = Mutex<Result<HTTPHead, TransferError>?>(nil)

        func end(with value: Result<HTTPHead, TransferError>) {
            result.withLock { $0 = value }
            semaphore.signal()
        }

        func wait() -> Result<HTTPHead, TransferError> {
            while true {
                semaphore.wait()
                if let value = result.withLock({ $0 }) { return value }
            }
        }
    }
}

/// Collects the body of an answer.
final class AnswerCollecting: HTTPAnswerReceiving {
    private let collected = Mutex<[UInt8]>([])
    var octets: OctetString { OctetString(collected.withLock { $0 }) }

    func receive(_ head: HTTPHead) {}

    func receive(_ octets: UnsafeRawBufferPointer) -> Bool {
        collected.withLock { $0.append(contentsOf: octets) }
        return true
    }
}
