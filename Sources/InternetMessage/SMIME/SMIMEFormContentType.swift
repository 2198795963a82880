/// The content type that a CMS object names in its first octets (RFC 5652 §3), read without the rest of it.
public enum CMSContentType: Sendable, Hashable {
    /// §5. `hasDigests` is false for an object that can hold no signer: one that only carries certificates (RFC 8551
    /// §3.8).
    case signedData(hasDigests: Bool)
    /// Enveloped, authenticated-enveloped, encrypted or signed-and-enveloped: unreadable without a key.
    case encrypted
    /// RFC 3274.
    case compressedData
    /// Data, digests, message authentication codes, time stamps and whatever else has an object identifier.
    case other

    /// Enough octets for every form of the beginning.
    public static let prefixLength = 128

    /// - Parameter prefix: the first ``prefixLength`` octets, or all of a shorter object, in DER or BER.
    /// - Returns: nil when it does not begin as a CMS object does.
    public init?(prefix: some Sequence<UInt8>) { self.init(octets: Array(prefix.prefix(Self.prefixLength))) }

    /// The same for an array, of which no more than ``prefixLength`` octets are looked at.
    public init?(prefix: [UInt8]) { self.init(octets: Array(prefix[..<min(prefix.count, Self.prefixLength)])) }

    private init?(octets: [UInt8]) {
        var reader = Prefix(octets: octets)
        guard reader.enter(0x30) != nil, let length = reader.enter(0x06), let identifier = reader.consume(length) else {
            return nil
        }
        let pkcs7: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07]
        let smimeContentTypes: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x10, 0x01]
        switch (Array(identifier.dropLast()), identifier.last) {
        case (pkcs7, 2): self = .signedData(hasDigests: reader.hasDigests())
        case (pkcs7, 3), (pkcs7, 4), (pkcs7, 6), (smimeContentTypes, 23): self = .encrypted
        case (smimeContentTypes, 9): self = .compressedData
        default:
            // Any SEQUENCE that begins with an object identifier: what follows tells a CMS object from others.
            guard reader.enter(0xA0) != nil else { return nil }
            self = .other
        }
    }

    private struct Prefix {
        let octets: [UInt8]
        var position = 0

        mutating func consume(_ count: Int) -> ArraySlice<UInt8>? {
            guard count >= 0, count <= octets.count - position else { return nil }
            defer { position += count }
            return octets[position..<position + count]
        }

        /// Reads an identifier octet and a length.
        /// - Returns: the length, -1 for the indefinite one; nil when another element, or nothing whole, stands here.
        mutating func enter(_ tag: UInt8) -> Int? {
            guard consume(1)?.first == tag, let first = consume(1)?.first else { return nil }
            switch first {
            case 0x80: return -1
            case 0x00..<0x80: return Int(first)
            default:
                guard let digits = consume(Int(first & 0x7F)) else { return nil }
                let significant = digits.drop { $0 == 0 }
                guard significant.count < 8 else { return nil }
                return significant.reduce(0) { $0 << 8 | Int($1) }
            }
        }

        /// Returns true if digestAlgorithms of a SignedData names any, or if that cannot be seen.
        mutating func hasDigests() -> Bool {
            guard enter(0xA0) != nil, enter(0x30) != nil, let version = enter(0x02), consume(version) != nil,
                let length = enter(0x31)
            else { return true }
            return length > 0 || length < 0 && consume(2).map(Array.init) != [0, 0]
        }
    }
}
