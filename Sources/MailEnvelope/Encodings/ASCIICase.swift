extension StringProtocol {
    /// Equality in which only the letters A to Z lose their case, as mail and MIME compare their tokens.
    ///
    /// Header fields are looked up by this many times for each message, so it works on the octets themselves.
    public func equalsIgnoringASCIICase(_ other: some StringProtocol) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        return withOctets { mine in
            other.withOctets { theirs in mine.holdsIgnoringCase(theirs, at: 0) }
        }
    }

    /// The text with A to Z in lower case, everything else unchanged.
    public var asciiLowercased: String {
        withOctets { octets in
            String(unsafeUninitializedCapacity: octets.count) { lowered in
                for index in 0..<octets.count { lowered[index] = octets[index].asciiLowercased }
                return octets.count
            }
        }
    }

    /// Calls `body` with the text in UTF-8.
    private func withOctets<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        if let result = utf8.withContiguousStorageIfAvailable({ body(UnsafeRawBufferPointer($0)) }) { return result }
        var copy = String(self)
        return copy.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }
}

extension String {
    /// The same for two strings, by far the most frequent case: no witness has to be asked.
    public func equalsIgnoringASCIICase(_ other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        var mine = self
        var theirs = other
        return mine.withUTF8 { mine in
            theirs.withUTF8 { UnsafeRawBufferPointer(mine).holdsIgnoringCase(UnsafeRawBufferPointer($0), at: 0) }
        }
    }
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
