import DSSXML
import NIOCore
import Octets
import Synchronization

/// The body of one request while it arrives: in memory while it is small and the budget has room, otherwise in a file.
///
/// Nothing of it is read before all of it is here, so that a request which never ends costs no more than its place.
final class IncomingBody: Sendable {
    private struct State {
        var memory: [ByteBuffer] = []
        var memoryCount = 0
        var file: ScratchFile?
        var fileCount = 0
    }

    /// The most octets of one request in memory.
    static let maximumInMemory = 1 << 20

    private let state = Mutex(State())
    private let share: MemoryBudget.Share
    private let files: ScratchFiles

    init(_ budget: MemoryBudget, files: ScratchFiles) {
        share = budget.makeShare()
        self.files = files
    }

    /// Adds what has arrived; may write to the file, and so wait.
    func append(_ octets: ByteBuffer) throws(OctetCollectionError) {
        let result = state.withLock { state -> Result<Void, OctetCollectionError> in
            do throws(OctetCollectionError) { return .success(try append(octets, to: &state)) } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Adds the end, which is so small that it stays in memory in any case.
    func appendEnd(_ octets: ByteBuffer) { state.withLock { $0.memory.append(octets) } }

    private func append(_ octets: ByteBuffer, to state: inout State) throws(OctetCollectionError) {
        let count = octets.readableBytes
        if state.file == nil, state.memoryCount + count <= Self.maximumInMemory, share.reserve(count) {
            state.memory.append(octets)
            state.memoryCount += count
            return
        }
        let file: ScratchFile
        if let present = state.file { file = present } else { file = try files.makeFile() }
        for piece in state.memory + [octets] {
            try Self.write(piece, to: file)
            state.fileCount += piece.readableBytes
        }
        state.memory = []
        state.memoryCount = 0
        state.file = file
        share.giveBack()
    }

    private static func write(_ octets: ByteBuffer, to file: ScratchFile) throws(OctetCollectionError) {
        let result = octets.withUnsafeReadableBytes { buffer -> Result<Void, OctetCollectionError> in
            do throws(OctetCollectionError) { return .success(try file.write(buffer)) } catch { return .failure(error) }
        }
        try result.get()
    }

    /// Gives all of it in order, piece by piece; the pieces of a file are not kept in memory.
    func forEachPiece(
        _ take: (UnsafeRawBufferPointer) throws(DSSServerRequestError) -> Void
    ) throws(DSSServerRequestError) {
        let (memory, file, count) = state.withLock { ($0.memory, $0.file, $0.fileCount) }
        if let file {
            var buffer = [UInt8](repeating: 0, count: 256 << 10)
            var offset = 0
            while offset < count {
                let length: Int
                do throws(OctetCollectionError) { length = try file.read(into: &buffer, at: offset) } catch {
                    throw DSSServerRequestError(.storage, error.detail)
                }
                try OctetString(buffer).slice(0..<length).withUnsafeBytes(take)
                offset += length
            }
        }
        for piece in memory {
            let result = piece.withUnsafeReadableBytes { octets -> Result<Void, DSSServerRequestError> in
                do throws(DSSServerRequestError) { return .success(try take(octets)) } catch { return .failure(error) }
            }
            try result.get()
        }
    }
}
