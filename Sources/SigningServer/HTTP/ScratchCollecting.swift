import Glibc
import Octets
import Synchronization

/// Collects documents: small ones in memory as long as the budget has room, others in a file without a name that is
/// mapped when it is complete.
struct ScratchCollecting: OctetCollectorMaking {
    /// Octets of one document that stay in memory.
    static let maximumInMemory = 1 << 20
    /// The most octets of one document.
    let limit: Int
    let files: ScratchFiles
    /// The memory of all documents together.
    let budget: MemoryBudget

    func makeCollector() -> any OctetCollector {
        Collector(limit: limit, files: files, share: budget.makeShare())
    }

    private struct Collector: OctetCollector {
        let limit: Int
        let files: ScratchFiles
        let share: MemoryBudget.Share
        var count = 0
        var memory: [UInt8] = []
        var file: ScratchFile?

        mutating func append(_ octets: UnsafeRawBufferPointer) throws(OctetCollectionError) {
            guard octets.count <= limit - count else {
                throw OctetCollectionError(.tooMany(limit: limit), "a document of more than \(limit) octets")
            }
            count += octets.count
            if file == nil, count <= ScratchCollecting.maximumInMemory, share.reserve(octets.count) {
                return memory.append(contentsOf: octets)
            }
            if let file { return try file.write(octets) }
            let file = try files.makeFile()
            try OctetString(memory).withUnsafeBytes { buffer throws(OctetCollectionError) in try file.write(buffer) }
            memory = []
            share.giveBack()
            self.file = file
            try file.write(octets)
        }

        mutating func finish() throws(OctetCollectionError) -> OctetString {
            guard let file else { return kept() }
            return try file.mapped(count)
        }

        /// Returns the octets in memory. Their part of the budget is given back with the last use of the octets.
        private func kept() -> OctetString {
            guard !memory.isEmpty else { return OctetString() }
            let octets = UnsafeMutableRawBufferPointer.allocate(byteCount: memory.count, alignment: 1)
            octets.copyBytes(from: memory)
            let kept = KeptOctets(start: octets, share: share)
            return OctetString(adopting: UnsafeRawBufferPointer(octets)) { kept.release() }
        }
    }
}

/// Unchecked: the address is only deallocated, once.
private struct KeptOctets: @unchecked Sendable {
    let start: UnsafeMutableRawBufferPointer
    let share: MemoryBudget.Share

    func release() {
        start.deallocate()
        share.giveBack()
    }
}

/// The files without a name in which requests and documents wait. Their number is bounded, because each has a
/// descriptor.
final class ScratchFiles: Sendable {
    private let directory: String
    private let limit: Int
    private let count = Mutex(0)

    /// - Parameters:
    ///   - directory: The directory in which they are made.
    ///   - limit: The most at a time.
    init(in directory: String, limit: Int) {
        self.directory = directory
        self.limit = limit
    }

    /// - Throws: An error of storage if the file cannot be made, or if there are too many.
    func makeFile() throws(OctetCollectionError) -> ScratchFile {
        let isFree = count.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
        guard isFree else {
            throw OctetCollectionError(
                .storage(errno: EMFILE), "\(limit) documents wait in files already; raise LimitNOFILE, or send fewer")
        }
        do throws(OctetCollectionError) { return try ScratchFile(in: directory, of: self) } catch {
            giveBack()
            throw error
        }
    }

    fileprivate func giveBack() { count.withLock { $0 -= 1 } }
}

/// An open file that no name leads to: it is gone with the last use, a crash included.
final class ScratchFile: Sendable {
    private let descriptor: CInt
    private let files: ScratchFiles

    fileprivate init(in directory: String, of files: ScratchFiles) throws(OctetCollectionError) {
        var template = Array((directory + "/.ses-dss-XXXXXX").utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw Self.failure("cannot make a scratch file in \(directory)") }
        unlink(template)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        self.descriptor = descriptor
        self.files = files
    }

    deinit {
        close(descriptor)
        files.giveBack()
    }

    func write(_ octets: UnsafeRawBufferPointer) throws(OctetCollectionError) {
        var rest = octets[...]
        while !rest.isEmpty {
            let written = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw Self.failure("cannot write to a scratch file") }
            rest = rest.dropFirst(written)
        }
    }

    /// Reads what is at `offset`.
    /// - Returns: The number of octets; at least one.
    func read(into buffer: inout [UInt8], at offset: Int) throws(OctetCollectionError) -> Int {
        while true {
            let count = pread(descriptor, &buffer, buffer.count, off_t(offset))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw Self.failure("cannot read a scratch file") }
            return count
        }
    }

    func mapped(_ count: Int) throws(OctetCollectionError) -> OctetString {
        guard count > 0 else { return OctetString() }
        guard let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
            throw Self.failure("cannot map a scratch file")
        }
        let mapping = Mapping(address: address, count: count)
        return OctetString(adopting: UnsafeRawBufferPointer(start: address, count: count)) { mapping.release() }
    }

    private static func failure(_ words: String) -> OctetCollectionError {
        let number = errno
        return OctetCollectionError(.storage(errno: number), "\(words): \(String(cString: strerror(number)))")
    }

    /// Unchecked: the address is only handed to munmap, once.
    private struct Mapping: @unchecked Sendable {
        let address: UnsafeMutableRawPointer
        let count: Int

        func release() { munmap(address, count) }
    }
}
