extension Collection<UInt8> {
    /// Two lower-case hexadecimal digits an octet.
    @inlinable public var hexadecimal: String {
        String(unsafeUninitializedCapacity: count * 2) { digits in
            var filled = 0
            for octet in self {
                digits[filled] = (octet >> 4).hexadecimalDigit
                digits[filled + 1] = (octet & 15).hexadecimalDigit
                filled += 2
            }
            return filled
        }
    }
}

extension UInt8 {
    /// The lower-case digit of a value below 16.
    @usableFromInline var hexadecimalDigit: UInt8 { self < 10 ? self + 0x30 : self + 0x57 }
}
