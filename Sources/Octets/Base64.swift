/// The base64 encoding (RFC 4648 §4), for what is small enough to be held at once.
///
/// ``Base64Encoded`` and ``Base64Decoder`` do the same in pieces.
public enum Base64 {
    /// `octets` in one line.
    public static func encode(_ octets: some Collection<UInt8>) -> String {
        let octets = [UInt8](octets)
        return String(unsafeUninitializedCapacity: (octets.count + 2) / 3 * 4) { text in
            octets.withUnsafeBytes { octets in text.baseAddress.map { write(octets, to: $0) } ?? 0 }
        }
    }

    /// The octets that `text` stands for. White space is ignored, anything else that does not belong is an error.
    /// - Throws: ``Base64Error`` at the first octet that is not clean base64.
    public static func decode(_ text: some StringProtocol) throws(Base64Error) -> [UInt8] {
        var decoder = Base64Decoder()
        var octets: [UInt8] = []
        let text = [UInt8](text.utf8)
        text.withUnsafeBytes { decoder.decode($0, into: &octets) }
        decoder.finish(into: &octets)
        if let fault = decoder.fault { throw fault }
        return octets
    }

    static let digits = [UInt8]("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// Two digits for each twelve bits, in the order in which they stand in memory.
    private static let pairs: [(UInt8, UInt8)] = (0..<4_096).map { (digits[$0 >> 6], digits[$0 & 63]) }

    /// Writes four digits for each three octets, and a padded group for a rest.
    /// - Returns: The number of digits written: four for each group begun.
    static func write(_ octets: UnsafeRawBufferPointer, to digits: UnsafeMutablePointer<UInt8>) -> Int {
        let whole = octets.count / 3 * 3
        var filled = 0
        pairs.withUnsafeBufferPointer { pairs in
            guard let from = octets.baseAddress, let pair = pairs.baseAddress else { return }
            let octet = from.assumingMemoryBound(to: UInt8.self)
            var index = 0
            while index < whole {
                let group = Int(octet[index]) << 16 | Int(octet[index &+ 1]) << 8 | Int(octet[index &+ 2])
                (digits[filled], digits[filled &+ 1]) = pair[group >> 12]
                (digits[filled &+ 2], digits[filled &+ 3]) = pair[group & 4_095]
                filled &+= 4
                index &+= 3
            }
        }
        guard whole < octets.count else { return filled }
        let second = whole + 1 < octets.count ? octets[whole + 1] : 0
        let group = Int(octets[whole]) << 16 | Int(second) << 8
        digits[filled] = Self.digits[group >> 18]
        digits[filled + 1] = Self.digits[group >> 12 & 63]
        digits[filled + 2] = whole + 1 < octets.count ? Self.digits[group >> 6 & 63] : UInt8(ascii: "=")
        digits[filled + 3] = UInt8(ascii: "=")
        return filled + 4
    }
}

/// The reason why a text is not clean base64.
public struct Base64Error: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// An octet outside the alphabet that is not white space.
        case foreignOctet(UInt8)
        /// Padding that does not end a group, or something after the padding.
        case misplacedPadding
        /// The last group is not complete.
        case truncated
    }
    public let kind: Kind
    /// Octets of text before the fault.
    public let offset: Int

    public init(kind: Kind, offset: Int) {
        self.kind = kind
        self.offset = offset
    }

    public var description: String {
        switch kind {
        case .foreignOctet(let octet): "octet 0x\([octet].hexadecimal) at offset \(offset) is no base64 digit"
        case .misplacedPadding: "base64 padding at offset \(offset) does not end the text"
        case .truncated: "base64 text ends within a group at offset \(offset)"
        }
    }
}
