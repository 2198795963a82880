public import Octets

/// A timestamp authority, as far as it matters here: somebody who answers queries (RFC 3161 §3.4: by HTTP, the query as
/// `application/timestamp-query`). May block; called from the signer's thread.
public protocol TimestampSource: Sendable {
    /// Sends `query` (TimeStampReq, DER).
    /// - Returns: The answer's body (TimeStampResp, DER), unread.
    /// - Throws: ``CryptographyError`` if the authority does not answer.
    func response(to query: OctetString) throws(CryptographyError) -> OctetString
}

extension TimestampSource {
    /// Asks for a timestamp of `content` and checks that the answer is one.
    /// - Throws: ``CryptographyError`` if the authority does not answer, or its answer does not fit the request.
    public func timestamp(of content: any OctetSource) throws(CryptographyError) -> TimestampToken {
        let request = try TimestampRequest(of: content)
        return try request.token(in: try response(to: request.query))
    }
}

/// A query to a timestamp authority (RFC 3161 §2.4.1): with a nonce, and asking for the certificate.
public struct TimestampRequest: Sendable {
    /// TimeStampReq, DER.
    public let query: OctetString
    private let digest: DigestAlgorithm
    private let imprint: OctetString
    private let nonce: [UInt8]

    /// A query for a timestamp of everything that `content` yields; it is read once.
    /// - Throws: ``CryptographyError`` if OpenSSL cannot make the request.
    public init(of content: any OctetSource, digest: DigestAlgorithm = .sha256) throws(CryptographyError) {
        self.digest = digest
        imprint = try digest.digest(of: content)
        // A positive INTEGER of eight octets, the first not zero.
        var nonce = try RandomOctets.make(8)
        nonce[0] = nonce[0] & 0x3F | 0x40
        self.nonce = nonce
        let algorithm = DER.element(0x30, [OctetString([0x06, 0x09] + digest.identifier), OctetString([0x05, 0x00])])
        let messageImprint = DER.element(0x30, [algorithm, DER.element(0x04, [imprint])])
        query = DER.element(
            0x30,
            [
                OctetString([0x02, 0x01, 0x01]), messageImprint, DER.element(0x02, [OctetString(nonce)]),
                OctetString([0x01, 0x01, 0xFF]),
            ])
    }

    /// The token in the authority's answer, when it is one to this query: granted, of our octets, with our nonce, and
    /// intact. Who signed it is not judged.
    /// - Throws: ``CryptographyError/Kind/failed`` with the authority's reason when it refused or the token is not for
    ///   this query, ``CryptographyError/Kind/malformed`` when the answer is none.
    public func token(in response: OctetString) throws(CryptographyError) -> TimestampToken {
        let parts = response.withUnsafeBytes { buffer -> (status: TimestampStatus, token: Range<Int>?)? in
            let reader = BERReader(buffer)
            guard let whole = reader.element(at: 0, limit: buffer.count), whole.tag == 0x30,
                let parts = reader.children(of: whole), (1...2).contains(parts.count),
                let status = TimestampStatus(reader, parts[0])
            else { return nil }
            return (status, parts.count == 2 ? parts[1].range : nil)
        }
        guard let parts else {
            throw CryptographyError(.malformed, "the timestamp authority's answer is no TimeStampResp")
        }
        guard parts.status.isGranted, let place = parts.token else {
            throw CryptographyError(.failed, "the timestamp authority gives no timestamp: \(parts.status.words)")
        }
        let token = try TimestampToken(response.slice(place))
        guard token.nonce == nonce.hexadecimalNumber else {
            throw CryptographyError(.failed, "the timestamp is not for this query: its nonce differs")
        }
        guard token.digest == digest, token.imprint == imprint else {
            throw CryptographyError(.failed, "the timestamp is not for this query: it is of other octets")
        }
        switch try token.integrity() {
        case .intact: return token
        case .broken(let why), .unknown(let why):
            throw CryptographyError(.failed, "the timestamp of the authority is not sound: \(why)")
        }
    }
}

/// PKIStatusInfo (RFC 3161 §2.4.2).
private struct TimestampStatus {
    let isGranted: Bool
    let words: String

    init?(_ reader: BERReader, _ element: BERReader.Element) {
        guard element.tag == 0x30, let parts = reader.children(of: element), let number = parts.first,
            number.tag == 0x02, number.content.count == 1
        else { return nil }
        let status = Int(reader.octets[number.content.lowerBound])
        isGranted = status <= 1
        let names = ["granted", "granted with changes", "rejected", "waiting", "revocation warning", "revoked"]
        var words = names.indices.contains(status) ? [names[status]] : ["status \(status)"]
        for part in parts.dropFirst() {
            if part.tag == 0x30, let texts = reader.children(of: part) {
                words += texts.prefix(4).map { text in
                    // A stranger's words.
                    let octets = reader.octets[text.content].prefix(200)
                    return String(String(decoding: octets, as: UTF8.self).unicodeScalars.map(Self.shown))
                }
            } else if part.tag == 0x03, let reason = Self.reason(reader.octets[part.content]) {
                words.append(reason)
            }
        }
        self.words = words.joined(separator: "; ")
    }

    private static func shown(_ scalar: Unicode.Scalar) -> Character {
        scalar.properties.generalCategory == .control ? " " : Character(scalar)
    }

    /// The first bit of PKIFailureInfo that is set.
    private static func reason(_ string: Slice<UnsafeRawBufferPointer>) -> String? {
        let names = [
            0: "the digest algorithm is not supported", 2: "the request is not allowed",
            5: "the request is malformed", 14: "its time source is not available",
            15: "the policy is not supported", 16: "an extension is not supported",
            17: "more information is not available", 25: "a failure of the system",
        ]
        for (place, octet) in string.dropFirst().prefix(4).enumerated() {
            for bit in 0..<8 where octet & (0x80 >> UInt8(bit)) != 0 {
                return names[place * 8 + bit] ?? "failure \(place * 8 + bit)"
            }
        }
        return nil
    }
}

extension DigestAlgorithm {
    /// The content of its object identifier, 2.16.840.1.101.3.4.2.N.
    var identifier: [UInt8] {
        let last: UInt8 =
            switch self {
            case .sha256: 1
            case .sha384: 2
            case .sha512: 3
            }
        return [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, last]
    }
}

extension [UInt8] {
    /// Hexadecimal without leading zeros, as ``SerialNumber`` writes numbers.
    var hexadecimalNumber: String {
        let digits = hexadecimal.drop { $0 == "0" }
        return digits.isEmpty ? "0" : String(digits)
    }
}
