import Glibc

/// Reading and writing of descriptors, again after a signal that interrupted it. All of it blocks.
public enum DescriptorIO {
    /// Octets that are read at once.
    private static let piece = 64 << 10

    /// Waits until something is there to be read, and appends it to `octets`.
    /// - Returns: The number of octets read; 0 at the end; a negative errno if it cannot be read.
    public static func readMore(_ descriptor: CInt, into octets: inout [UInt8]) -> Int {
        withUnsafeTemporaryAllocation(byteCount: piece, alignment: 1) { buffer in
            while true {
                let count = read(descriptor, buffer.baseAddress, buffer.count)
                if count < 0 {
                    if errno == EINTR { continue }
                    return -Int(errno)
                }
                octets.append(contentsOf: buffer[..<count])
                return count
            }
        }
    }

    /// Appends everything up to the end to `octets`.
    /// - Returns: 0, or the errno with which it cannot be read; what came before is there then.
    public static func readToEnd(_ descriptor: CInt, into octets: inout [UInt8]) -> CInt {
        while true {
            let count = readMore(descriptor, into: &octets)
            if count <= 0 { return CInt(-count) }
        }
    }

    /// Writes all of `octets`.
    /// - Returns: 0, or the errno with which it cannot be written.
    public static func writeAll(_ octets: [UInt8], to descriptor: CInt) -> CInt {
        octets.withUnsafeBytes { octets in
            var written = 0
            while written < octets.count {
                let count = write(descriptor, octets.baseAddress.map { $0 + written }, octets.count - written)
                if count >= 0 { written += count } else if errno != EINTR { return errno }
            }
            return 0
        }
    }
}
