import Glibc
public import Octets
import Synchronization

/// Private files for what is too large for memory.
///
/// Each stands in the entry's directory as `~N` for the instant in which it is made. Then its name is removed, and the
/// octets last as long as their mapping. Recovery removes a name that a crash leaves in that instant.
final class ScratchSpace: OctetCollectorMaking {
    /// The octets of one attachment that is kept in memory; a larger one goes to a file.
    static let maximumInMemory = 1 << 20
    /// The octets of all attachments that are kept in memory together. A message may have hundreds of them, each below
    /// ``maximumInMemory``.
    static let maximumInMemoryTogether = 8 << 20

    private let directory: Directory
    private let number = Atomic(0)
    private let kept = Atomic(0)

    init(_ directory: Directory) { self.directory = directory }

    func makeCollector() -> any OctetCollector { ScratchCollector(self) }

    /// Returns true if `count` more octets may stay in memory; they count for as long as the entry is processed.
    fileprivate func keepsInMemory(_ count: Int) -> Bool {
        guard count > 0 else { return true }
        if kept.add(count, ordering: .relaxed).newValue <= Self.maximumInMemoryTogether { return true }
        kept.subtract(count, ordering: .relaxed)
        return false
    }

    /// Octets that stay in memory.
    var octetsInMemory: Int { kept.load(ordering: .relaxed) }

    func makeFile() throws(SpoolError) -> OpenFile {
        let name = "~\(number.add(1, ordering: .relaxed).newValue)"
        let file = try directory.createFile(name, mode: 0o600)
        try directory.unlink(name)
        return file
    }

    /// Copies at most `limit` octets of `file` to a private file, and maps that.
    func copy(of file: OpenFile, limit: Int) throws(SpoolError) -> OctetString {
        let target = try makeFile()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: min(limit, 1 << 20), alignment: 4_096)
        defer { buffer.deallocate() }
        var copied = 0
        while copied < limit {
            let count = try file.read(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, limit - copied)]))
            if count == 0 { break }
            try target.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            copied += count
        }
        return try target.mapped(copied)
    }
}

/// Memory first, then a private file.
struct ScratchCollector: OctetCollector {
    private let space: ScratchSpace
    private var memory: [UInt8] = []
    private var file: OpenFile?
    private var written = 0

    init(_ space: ScratchSpace) { self.space = space }

    mutating func append(_ octets: UnsafeRawBufferPointer) throws(OctetCollectionError) {
        if memory.count + octets.count <= ScratchSpace.maximumInMemory {
            memory.append(contentsOf: octets)
            return
        }
        do throws(SpoolError) {
            try flush()
            if octets.count >= 65_536 {
                try file?.write(octets)
                written += octets.count
            } else {
                memory.append(contentsOf: octets)
            }
        } catch {
            throw OctetCollectionError(.storage(errno: error.errno), error.description)
        }
    }

    mutating func finish() throws(OctetCollectionError) -> OctetString {
        guard file != nil || !space.keepsInMemory(memory.count) else {
            defer { memory = [] }
            return OctetString(memory)
        }
        do throws(SpoolError) {
            try flush()
            return try file?.mapped(written) ?? OctetString()
        } catch {
            throw OctetCollectionError(.storage(errno: error.errno), error.description)
        }
    }

    private mutating func flush() throws(SpoolError) {
        let target: OpenFile
        if let file { target = file } else { target = try space.makeFile() }
        file = target
        var outcome: Result<Void, SpoolError> = .success(())
        memory.withUnsafeBytes { buffer in
            do throws(SpoolError) { try target.write(buffer) } catch { outcome = .failure(error) }
        }
        try outcome.get()
        written += memory.count
        memory.removeAll(keepingCapacity: true)
    }
}

extension OpenFile {
    /// Returns the first `count` octets of this private file, mapped; nothing may be written to it any more.
    func mapped(_ count: Int) throws(SpoolError) -> OctetString {
        guard count > 0 else { return OctetString() }
        guard let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
            throw failure(errno, "cannot map the private copy")
        }
        // As a number the address may travel to the thread that releases the octets last.
        let place = UInt(bitPattern: address)
        return OctetString(adopting: UnsafeRawBufferPointer(start: address, count: count)) {
            munmap(UnsafeMutableRawPointer(bitPattern: place), count)
        }
    }
}

extension Transaction {
    /// Puts all octets of `source` in one run: in memory below 1 MiB, else in a private file that is mapped.
    /// - Throws: ``SpoolError`` if the octets cannot be kept.
    public func makeMapped(_ source: any OctetSource) throws(SpoolError) -> OctetString {
        try makeMapped { (write: (UnsafeRawBufferPointer) throws(SpoolError) -> Void) throws(SpoolError) in
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 262_144, alignment: 16)
            defer { buffer.deallocate() }
            var reader = source.makeReader()
            while true {
                let count = reader.read(into: buffer)
                if count == 0 { return }
                try write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
    }

    /// Collects the octets that `body` writes, chunk by chunk, in one run: in memory below 1 MiB, otherwise in a
    /// private file that is mapped.
    /// - Throws: ``SpoolError`` if the octets cannot be kept, or `body` throws.
    public func makeMapped(
        writing body: (_ write: (UnsafeRawBufferPointer) throws(SpoolError) -> Void) throws(SpoolError) -> Void
    ) throws(SpoolError) -> OctetString {
        var collector = scratchSpace.makeCollector()
        func convert(_ error: OctetCollectionError) -> SpoolError {
            let code: Int32 = if case .storage(let errno) = error.kind { errno } else { 0 }
            return SpoolError(.system, path: place.directory.path, errno: code, "cannot keep intermediate octets")
        }
        try body { (chunk: UnsafeRawBufferPointer) throws(SpoolError) in
            do throws(OctetCollectionError) { try collector.append(chunk) } catch { throw convert(error) }
        }
        do throws(OctetCollectionError) { return try collector.finish() } catch { throw convert(error) }
    }
}
