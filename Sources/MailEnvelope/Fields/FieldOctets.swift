package import Octets

extension OctetString {
    /// Without LF, and without the CR before each.
    package var unfolded: OctetString {
        withUnsafeBytes { octets in
            guard let first = octets.firstOffset(of: 0x0A) else { return self }
            var unfolded: [UInt8] = []
            unfolded.reserveCapacity(octets.count)
            var copied = 0
            var next: Int? = first
            while let lineFeed = next {
                let end = lineFeed > copied && octets[lineFeed - 1] == 0x0D ? lineFeed - 1 : lineFeed
                unfolded.append(contentsOf: octets.octets(copied..<end))
                copied = lineFeed + 1
                next = octets.firstOffset(of: 0x0A, from: copied)
            }
            unfolded.append(contentsOf: octets.octets(copied..<octets.count))
            return OctetString(unfolded)
        }
    }
}

extension UInt8 {
    /// Space, tab or CR.
    package var isBlankOrCR: Bool { self == 0x20 || self == 0x09 || self == 0x0D }

    /// The value of the octet as a hexadecimal digit.
    package var hexadecimalValue: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x41...0x46: self - 0x37
        case 0x61...0x66: self - 0x57
        default: nil
        }
    }
}
