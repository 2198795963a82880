import Glibc

/// One conversion to UTF-8 by the C library, with a descriptor of its own: descriptors have state and are not shared.
struct CharsetConversion: ~Copyable {
    private let descriptor: iconv_t
    /// The smallest number of octets in a unit of the charset. Invalid octets are left out by units.
    private let unit: Int

    /// nil when the C library does not know `name`. If it only could not load it, ``ConversionFaults`` is told.
    /// - Parameter open: Opens a conversion, as iconv_open(3) does; tests bring their own.
    init?(from name: String, open: (String, String) -> iconv_t? = { iconv_open($0, $1) }) {
        errno = 0
        guard let descriptor = open("UTF-8", name), Int(bitPattern: descriptor) != -1 else {
            // EINVAL stands for a set that there is not.
            if errno != EINVAL { ConversionFaults.note(errno) }
            return nil
        }
        self.descriptor = descriptor
        unit = name.hasPrefix("UTF-32") ? 4 : name.hasPrefix("UTF-16") ? 2 : 1
    }

    deinit { iconv_close(descriptor) }

    /// `octets` as text, with U+FFFD for what is invalid or cut off at the end.
    consuming func text(of octets: [UInt8]) -> String {
        var converted: [UInt8] = []
        converted.reserveCapacity(octets.count + octets.count / 4)
        octets.withUnsafeBytes { convert($0, into: &converted) }
        return String(decoding: converted, as: UTF8.self)
    }

    private func convert(_ octets: UnsafeRawBufferPointer, into converted: inout [UInt8]) {
        guard let base = octets.baseAddress else { return }
        let piece = UnsafeMutableBufferPointer<CChar>.allocate(capacity: 16_384)
        defer { piece.deallocate() }
        var input: UnsafeMutablePointer<CChar>? = UnsafeMutableRawPointer(mutating: base)
            .assumingMemoryBound(to: CChar.self)
        var left = octets.count
        while left > 0 {
            let before = left
            var output = piece.baseAddress
            var room = piece.count
            let result = iconv(descriptor, &input, &left, &output, &room)
            // Read at once: anything else may change it.
            let error = errno
            converted.append(contentsOf: UnsafeRawBufferPointer(piece).prefix(piece.count - room))
            guard result == -1 else { break }
            switch error {
            case E2BIG where left < before || room < piece.count: continue
            case EILSEQ:
                converted.append(contentsOf: Self.replacement)
                let skipped = min(unit, left)
                input = input.map { $0 + skipped }
                left -= skipped
            default:
                // The last character is cut off, or there is no way on.
                converted.append(contentsOf: Self.replacement)
                return
            }
        }
        var output = piece.baseAddress
        var room = piece.count
        _ = iconv(descriptor, nil, nil, &output, &room)
        converted.append(contentsOf: UnsafeRawBufferPointer(piece).prefix(piece.count - room))
    }

    private static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]
}
