/// The places of the parts of a SignedData (RFC 5652 §5.1).
struct SignedDataPlaces {
    let contentInfo: Range<Int>
    /// The OID of ContentInfo.
    let contentType: Range<Int>
    /// Version and digest algorithms.
    let beforeContent: Range<Int>
    /// The OID of EncapsulatedContentInfo.
    let innerType: Range<Int>
    /// The OCTET STRING.
    let content: BERReader.Element?
    /// Certificates, CRLs and signers.
    let afterContent: Range<Int>
    /// The X.509 certificates; none when there are other kinds among them, or more than are looked at.
    let certificates: [Range<Int>]
    /// The same as ``afterContent``, but without ``certificates``.
    let afterCertificates: Range<Int>
    /// OCSP responses among the CRLs.
    let responses: [Range<Int>]

    /// - Returns: nil when it is no SignedData in BER.
    init?(_ reader: BERReader) {
        guard let info = reader.element(at: 0, limit: reader.octets.count), info.tag == 0x30,
            let infoParts = reader.children(of: info), infoParts.count == 2, infoParts[0].tag == 0x06,
            infoParts[1].tag == 0xA0,
            reader.octets[infoParts[0].content].elementsEqual(Self.signedData),
            let signedData = reader.children(of: infoParts[1])?.first, signedData.tag == 0x30,
            let parts = reader.children(of: signedData), parts.count >= 4, parts[0].tag == 0x02,
            parts[1].tag == 0x31, parts[2].tag == 0x30,
            let inner = reader.children(of: parts[2]), (1...2).contains(inner.count), inner[0].tag == 0x06,
            let last = parts.last
        else { return nil }
        // A digest algorithm each costs a pass over the content; nobody needs more than a few.
        guard let algorithms = reader.children(of: parts[1]), algorithms.count <= 16 else { return nil }
        // At most once each and in this order: certificates, CRLs, signers.
        let kinds = parts.dropFirst(3).map { [0xA0: 0, 0xA1: 1, 0x31: 2][$0.tag] ?? 3 }
        guard zip(kinds, kinds.dropFirst()).allSatisfy({ $0 < $1 }), kinds.last == 2 else { return nil }
        contentInfo = info.range
        contentType = infoParts[0].range
        beforeContent = parts[0].range.lowerBound..<parts[1].range.upperBound
        innerType = inner[0].range
        afterContent = parts[2].range.upperBound..<last.range.upperBound
        if parts[3].tag == 0xA0,
            let found = reader.children(of: parts[3], limit: ParsedSignedData.maximumCertificates),
            found.allSatisfy({ $0.tag == 0x30 })
        {
            certificates = found.map(\.range)
            afterCertificates = parts[3].range.upperBound..<last.range.upperBound
        } else {
            certificates = []
            afterCertificates = afterContent
        }
        responses = parts.first { $0.tag == 0xA1 }.map { Self.responses(in: $0, reader) } ?? []
        if inner.count == 2 {
            guard inner[1].tag == 0xA0, let wrapped = reader.children(of: inner[1]), wrapped.count == 1,
                wrapped[0].tag == 0x04 || wrapped[0].tag == 0x24
            else { return nil }
            content = wrapped[0]
        } else {
            content = nil
        }
    }

    /// RevocationInfoChoice (RFC 5652 §10.2.1): `[1]` with the kind and the response.
    private static func responses(in set: BERReader.Element, _ reader: BERReader) -> [Range<Int>] {
        (reader.children(of: set) ?? []).compactMap { choice in
            guard choice.tag == 0xA1, let parts = reader.children(of: choice), parts.count == 2, parts[0].tag == 0x06,
                reader.octets[parts[0].content].elementsEqual(Self.ocspResponse), parts[1].tag == 0x30
            else { return nil }
            return parts[1].range
        }
    }

    /// 1.2.840.113549.1.7.2
    private static let signedData: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02]
    /// 1.3.6.1.5.5.7.16.2
    private static let ocspResponse: [UInt8] = [0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x10, 0x02]
}
