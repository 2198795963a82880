extension StringProtocol {
    /// Equality in which only the letters A to Z lose their case, as mail and MIME compare their tokens.
    public func equalsIgnoringASCIICase(_ other: some StringProtocol) -> Bool {
        utf8.count == other.utf8.count
            && zip(utf8, other.utf8).allSatisfy { $0.asciiLowercased == $1.asciiLowercased }
    }

    /// The text with A to Z in lower case, everything else unchanged.
    public var asciiLowercased: String { String(decoding: utf8.map(\.asciiLowercased), as: UTF8.self) }
}

extension UInt8 {
    /// The octet, with A to Z made lower case.
    @inlinable public var asciiLowercased: UInt8 { self >= 0x41 && self <= 0x5A ? self | 0x20 : self }
}

extension UnsafeRawBufferPointer {
    /// Returns true if `other` stands at `offset`, wholly within, without regard to the case of ASCII letters.
    package func holdsIgnoringCase(_ other: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        guard offset >= 0, other.count <= count &- offset else { return false }
        var index = 0
        while index < other.count {
            if self[offset &+ index].asciiLowercased != other[index].asciiLowercased { return false }
            index &+= 1
        }
        return true
    }
}
