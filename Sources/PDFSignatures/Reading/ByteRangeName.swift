import Octets

/// Looks for the name /ByteRange in a file's octets, whatever its structure says.
enum ByteRangeName {
    /// Returns the place of the slash of the first one at or after `start`.
    static func offset(in document: OctetString, from start: Int = 0) -> Int? {
        document.withUnsafeBytes { octets in
            var index = start
            while let slash = octets.firstOffset(of: UInt8(ascii: "/"), from: index) {
                if isByteRange(octets, slash + 1) { return slash }
                index = slash + 1
            }
            return nil
        }
    }

    /// With `#` escapes too (ISO 32000-1 §7.3.5).
    private static func isByteRange(_ octets: UnsafeRawBufferPointer, _ start: Int) -> Bool {
        var index = start
        for expected in "ByteRange".utf8 {
            guard index < octets.count else { return false }
            if octets[index] == expected {
                index += 1
            } else if octets[index] == UInt8(ascii: "#"), index + 2 < octets.count,
                UInt8(String(decoding: octets[(index + 1)...(index + 2)], as: UTF8.self), radix: 16) == expected
            {
                index += 3
            } else {
                return false
            }
        }
        return true
    }
}
