import CurlTransfer
import Synchronization

/// Keeps what a transfer receives.
final class Received: HTTPAnswerReceiving {
    private let state = Mutex<(heads: [HTTPHead], body: [UInt8], chunks: Int)>(([], [], 0))
    private let limit: Int

    /// - Parameter limit: From where on the body is not wanted.
    init(limit: Int = .max) { self.limit = limit }

    var heads: [HTTPHead] { state.withLock { $0.heads } }
    var body: [UInt8] { state.withLock { $0.body } }
    var text: String { String(decoding: body, as: UTF8.self) }
    var chunks: Int { state.withLock { $0.chunks } }

    func receive(_ head: HTTPHead) { state.withLock { $0.heads.append(head) } }

    func receive(_ octets: UnsafeRawBufferPointer) -> Bool {
        let copy = Array(octets)
        return state.withLock {
            $0.body += copy
            $0.chunks += 1
            return $0.body.count <= limit
        }
    }
}

/// The kind of the error that `body` ends with; nil when it ends well.
func failureKind(_ body: () async throws(TransferError) -> HTTPHead) async -> TransferError.Kind? {
    do throws(TransferError) {
        _ = try await body()
        return nil
    } catch {
        return error.kind
    }
}

extension HTTPTransfers {
    convenience init(_ change: (inout TransferSettings) -> Void) throws(TransferError) {
        var settings = TransferSettings()
        settings.totalTimeout = .seconds(20)
        change(&settings)
        self.init(settings)
    }
}
