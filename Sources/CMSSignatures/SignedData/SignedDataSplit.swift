import Octets

/// A CMS SignedData taken apart by its outer structure: what is signed on one side, everything else on the other.
///
/// OpenSSL would keep enclosed content in memory, and more than once. So content never reaches it: content is read in
/// place, and OpenSSL gets a SignedData without content (RFC 5652 §5.2: the same without eContent).
struct SignedDataSplit {
    /// The SignedData without its content and, where they could be taken out, its certificates.
    let detached: OctetString
    /// The enclosed content; nil where there is none.
    let content: (any OctetSource)?
    /// The certificates that were taken out, each in BER. Those of other kinds than X.509 make all stay where they are.
    let certificates: [OctetString]
    /// OCSP responses among the revocation data (id-ri-ocsp-response, RFC 5940 §2.1).
    let responses: [OctetString]
    /// The total number of octets; any octets behind them do not belong to it.
    let octetCount: Int
    /// True if more than padding (zeros, blanks and line ends) stands behind it.
    let isFollowed: Bool

    /// - Throws: ``CryptographyError/Kind/malformed`` when it is no SignedData in BER.
    init(_ octets: OctetString) throws(CryptographyError) {
        let places = octets.withUnsafeBytes { SignedDataPlaces(BERReader($0)) }
        guard let places else {
            throw CryptographyError(.malformed, "no CMS SignedData, or one that is cut or damaged")
        }
        octetCount = places.contentInfo.upperBound
        isFollowed = !octets.slice(octetCount..<octets.count).allSatisfy {
            [0x00, 0x09, 0x0A, 0x0D, 0x20].contains($0)
        }
        certificates = places.certificates.map { octets.slice($0) }
        responses = places.responses.map { octets.slice($0) }
        // Indefinite lengths all the way down to where the content was: nothing needs to be counted anew.
        let sequence: [UInt8] = [0x30, 0x80]
        var parts: [OctetString] = [OctetString(sequence), octets.slice(places.contentType)]
        parts += [OctetString([0xA0, 0x80] + sequence), octets.slice(places.beforeContent)]
        parts += [OctetString(sequence), octets.slice(places.innerType), OctetString([0, 0])]
        parts += [octets.slice(places.afterCertificates), OctetString([UInt8](repeating: 0, count: 6))]
        detached = OctetRope(parts).collected()
        guard let content = places.content else {
            self.content = nil
            return
        }
        if content.isConstructed {
            guard let segments = SegmentedOctets(octets, octets: content.range) else {
                throw CryptographyError(.malformed, "the content enclosed in the CMS SignedData is damaged")
            }
            self.content = segments
        } else {
            self.content = octets.slice(content.content)
        }
    }

    /// The other way round: `detached` (DER) with `content` enclosed.
    static func joined(
        _ detached: OctetString, with content: any OctetSource
    ) throws(CryptographyError) -> OctetRope {
        let places = detached.withUnsafeBytes { SignedDataPlaces(BERReader($0)) }
        guard let places, places.content == nil else {
            throw CryptographyError(.malformed, "the signature to enclose content in is no SignedData without content")
        }
        let innerType = detached.slice(places.innerType)
        let beforeContent = detached.slice(places.beforeContent)
        let afterContent = detached.slice(places.afterContent)
        let contentType = detached.slice(places.contentType)
        let octets = DER.header(0x04, content.count)
        let explicit = DER.header(0xA0, octets.count + content.count)
        let enclosed = explicit.count + octets.count + content.count
        let inner = DER.header(0x30, innerType.count + enclosed)
        let signedDataCount = beforeContent.count + inner.count + innerType.count + enclosed + afterContent.count
        let signedData = DER.header(0x30, signedDataCount)
        let wrapper = DER.header(0xA0, signedData.count + signedDataCount)
        let info = DER.header(0x30, contentType.count + wrapper.count + signedData.count + signedDataCount)
        var rope = OctetRope([
            info, contentType, wrapper, signedData, beforeContent, inner, innerType, explicit, octets,
        ])
        rope.append(content)
        rope.append(afterContent)
        return rope
    }
}

/// The octets of a constructed OCTET STRING (X.690 §8.7.3), read segment by segment where they stand.
struct SegmentedOctets: OctetSource {
    private let storage: OctetString
    private let range: Range<Int>
    let count: Int

    /// - Parameter octets: The place of the OCTET STRING, tag included.
    /// - Returns: nil when a segment is no OCTET STRING, leads outside, or is nested too deep.
    init?(_ storage: OctetString, octets range: Range<Int>) {
        self.storage = storage.slice(range)
        self.range = 0..<range.count
        var walk = SegmentWalk()
        var total = 0
        let isSound = self.storage.withUnsafeBytes { buffer in
            while let segment = walk.next(in: buffer) { total += segment.count }
            return walk.hasEndedWell
        }
        guard isSound else { return nil }
        count = total
    }

    func makeReader() -> any OctetReader { Reader(storage: storage) }

    struct Reader: OctetReader {
        let storage: OctetString
        var walk = SegmentWalk()
        var segment = 0..<0

        init(storage: OctetString) { self.storage = storage }

        mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
            var filled = 0
            storage.withUnsafeBytes { octets in
                while filled < buffer.count {
                    if segment.isEmpty {
                        guard let next = walk.next(in: octets) else { return }
                        segment = next
                        continue
                    }
                    let taken = min(segment.count, buffer.count - filled)
                    let part = octets.part(segment.lowerBound..<segment.lowerBound + taken)
                    UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<filled + taken]).copyMemory(from: part)
                    segment = segment.lowerBound + taken..<segment.upperBound
                    filled += taken
                }
            }
            return filled
        }
    }
}

/// Goes through the primitive segments of a constructed OCTET STRING.
struct SegmentWalk {
    /// The ends of the open constructed strings, outermost first; nil for an indefinite length.
    private var ends: [Int?] = []
    private var offset = 0
    private var hasBegun = false
    /// The end of the innermost string with a definite length, which nothing inside may pass.
    private var innermostEnd: Int? { ends.last { $0 != nil } ?? nil }
    /// True if the walk came to the end of a well-formed string.
    private(set) var hasEndedWell = false

    mutating func next(in octets: UnsafeRawBufferPointer) -> Range<Int>? {
        let reader = BERReader(octets)
        while !hasEndedWell {
            if hasBegun {
                if let end = ends.last {
                    if let end, offset == end {
                        ends.removeLast()
                        continue
                    }
                    if end == nil, offset &+ 2 <= innermostEnd ?? octets.count, octets[offset] == 0,
                        octets[offset &+ 1] == 0
                    {
                        ends.removeLast()
                        offset += 2
                        continue
                    }
                } else {
                    hasEndedWell = offset == octets.count
                    return nil
                }
            }
            let limit = innermostEnd ?? octets.count
            guard let opening = reader.opening(at: offset, limit: limit),
                opening.tag == 0x04 || opening.tag == 0x24, ends.count < 8
            else { return nil }
            hasBegun = true
            if opening.tag == 0x24 {
                ends.append(opening.length.map { opening.contentStart + $0 })
                offset = opening.contentStart
                continue
            }
            guard let length = opening.length else { return nil }
            offset = opening.contentStart + length
            return opening.contentStart..<offset
        }
        return nil
    }
}
