/// The base64 encoding (RFC 4648 §4), for what is small enough to be held at once.
///
/// ``Base64Encoded`` and ``Base64Decoder`` do the same in pieces.
public enum Base64 {
    /// `octets` in one line.
    public static func encode(_ octets: some Collection<UInt8>) -> String {
        let octets = [UInt8](octets)
        var text: [UInt8] = []
        text.reserveCapacity((octets.count + 2) / 3 * 4)
        octets.withUnsafeBytes { appendGroups(of: $0, to: &text) }
        return String(decoding: text, as: UTF8.self)
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

    /// Appends four digits for each three octets, and a padded group for a rest.
    static func appendGroups(of octets: UnsafeRawBufferPointer, to text: inout [UInt8]) {
        let groups = [UInt8](unsafeUninitializedCapacity: (octets.count + 2) / 3 * 4) { groups, filled in
            digits.withUnsafeBufferPointer { digits in
                guard let out = groups.baseAddress, let from = octets.baseAddress, let digit = digits.baseAddress else {
                    return
                }
                let octet = from.assumingMemoryBound(to: UInt8.self)
                var index = 0
                while index < octets.count {
                    let left = octets.count &- index
                    var group = UInt32(octet[index]) << 16
                    if left > 1 { group |= UInt32(octet[index &+ 1]) << 8 }
                    if left > 2 { group |= UInt32(octet[index &+ 2]) }
                    out[filled] = digit[Int(group >> 18)]
                    out[filled &+ 1] = digit[Int(group >> 12 & 63)]
                    out[filled &+ 2] = left > 1 ? digit[Int(group >> 6 & 63)] : UInt8(ascii: "=")
                    out[filled &+ 3] = left > 2 ? digit[Int(group & 63)] : UInt8(ascii: "=")
                    filled &+= 4
                    index &+= 3
                }
            }
        }
        text.append(contentsOf: groups)
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
