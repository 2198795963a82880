import Glibc

/// An open file, closed with its owner.
final class OpenFile: Sendable {
    let descriptor: CInt
    let path: String

    init(adopting descriptor: CInt, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    func status() throws(SpoolError) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(errno, "cannot look at the open file") }
        return status
    }

    /// Fills the front of `buffer`, or less at the end of the file.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(SpoolError) -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = Glibc.read(descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled)
            if count > 0 {
                filled += count
            } else if count == 0 {
                return filled
            } else if errno != EINTR {
                throw failure(errno, "cannot read")
            }
        }
        return filled
    }

    func write(_ octets: UnsafeRawBufferPointer) throws(SpoolError) {
        var written = 0
        while written < octets.count {
            let count = Glibc.write(descriptor, octets.baseAddress.map { $0 + written }, octets.count - written)
            if count >= 0 {
                written += count
            } else if errno != EINTR {
                throw failure(errno, "cannot write")
            }
        }
    }

    func write(_ octets: [UInt8]) throws(SpoolError) {
        var outcome: Result<Void, SpoolError> = .success(())
        octets.withUnsafeBytes { octets in
            do throws(SpoolError) { try write(octets) } catch { outcome = .failure(error) }
        }
        try outcome.get()
    }

    /// Sets the mode whatever the umask was. Where that is refused, fewer may read the file, which stops nothing.
    func setMode(_ mode: mode_t) { _ = fchmod(descriptor, mode) }

    func failure(_ errno: CInt, _ what: String) -> SpoolError { SpoolError(.system, path: path, errno: errno, what) }
}
