public import InternetMessage
public import Octets

/// A message without what was removed from its header on intake; everything else is byte for byte as it came.
public struct CleanedMessage: Sendable {
    /// As it stands in the file, with the file's own line ends.
    public let rawRope: OctetRope
    /// With CRLF line ends, in pieces.
    public let canonicalRope: OctetRope
    /// The same in one run, for the reader. It shares the original's storage when nothing was removed but from the top.
    public let canonical: OctetString
    /// Of ``canonical``.
    public let header: Header
    /// How the lines of ``rawRope`` end.
    public let lineEnding: LineEnding
    /// The removed fields and why, for the log; of many the first ones and how many more.
    public let removed: [String]

    /// - Parameter remove: Why a field is removed; nil when it stays.
    init(
        raw: OctetString, canonical: OctetString, header: Header, removing remove: (Header) -> [Int: String],
        limits: Message.Limits
    ) throws(MessageSyntaxError) {
        lineEnding = LineEnding.of(raw)
        let reasons = remove(header)
        guard !reasons.isEmpty else {
            (rawRope, canonicalRope) = (OctetRope([raw]), OctetRope([canonical]))
            (self.canonical, self.header, removed) = (canonical, header, [])
            return
        }
        let rawHeader = try Header(reading: raw, limits: limits)
        let rawPieces = Self.pieces(of: raw, without: remove(rawHeader).keys.map { rawHeader.fields[$0].range })
        let pieces = Self.pieces(of: canonical, without: reasons.keys.map { header.fields[$0].range })
        rawRope = OctetRope(rawPieces)
        canonicalRope = OctetRope(pieces)
        self.canonical = pieces.count == 1 ? pieces[0] : canonicalRope.collected()
        self.header = try Header(reading: self.canonical, limits: limits)
        removed = Self.account(of: reasons, in: header)
    }

    private static func account(of reasons: [Int: String], in header: Header) -> [String] {
        let told = 20
        let lines = reasons.sorted { $0.key < $1.key }.prefix(told).map { index, reason in
            UntrustedText.plainTextLine(header.fields[index].name, limit: 60) + " (" + reason + ")"
        }
        return reasons.count > told ? lines + ["and \(reasons.count - told) more"] : lines
    }

    private static func pieces(of octets: OctetString, without removed: [Range<Int>]) -> [OctetString] {
        var pieces: [OctetString] = []
        var start = 0
        for range in removed.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > start { pieces.append(octets.slice(start..<range.lowerBound)) }
            start = range.upperBound
        }
        if start < octets.count { pieces.append(octets.slice(start..<octets.count)) }
        return pieces
    }
}
