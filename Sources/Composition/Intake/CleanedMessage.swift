public import InternetMessage
public import Octets

/// A message without the fields that were removed from its header on intake. Everything else is unchanged, octet for
/// octet.
public struct CleanedMessage: Sendable {
    /// As it stands in the file, with the file's own line ends.
    public let rawRope: OctetRope
    /// The same with CRLF line ends.
    public let canonicalRope: OctetRope
    /// The fields that stay. Their ranges are of no use: they may be those of the message before anything was removed.
    public let header: Header
    /// The line ends of ``rawRope``.
    public let lineEnding: LineEnding
    /// The removed fields and why, for the log; of many the first ones and how many more.
    public let removed: [String]
    /// The remaining parts of the message, in order; few.
    private let pieces: [OctetString]

    /// - Parameters:
    ///   - names: The fields that are removed in whatever way some reader finds them.
    ///   - remove: The reasons to remove the fields at some indices beside those.
    init(
        raw: OctetString, canonical: OctetString, header: Header, reserving names: ReservedFields.Names,
        removing remove: (Header) -> [Int: String], limits: Message.Limits
    ) throws(MessageSyntaxError) {
        let reserved = ReservedFields(names: names)
        lineEnding = LineEnding.of(raw)
        let reasons = remove(header)
        let findings = reserved.findings(in: canonical)
        let isChanged = !reasons.isEmpty || header.fields.contains { !$0.byteOrderMark.isEmpty }
        let rawHeader = isChanged ? try Header(reading: raw, limits: limits) : header
        let rawReasons = isChanged ? remove(rawHeader) : [:]
        rawRope = OctetRope(
            Self.pieces(
                of: raw,
                without: reserved.findings(in: raw).map(\.range) + Self.removed(rawReasons, of: rawHeader)))
        pieces = Self.pieces(of: canonical, without: findings.map(\.range) + Self.removed(reasons, of: header))
        canonicalRope = OctetRope(pieces)
        if findings.isEmpty {
            self.header = Header(
                fields: header.fields.enumerated().filter { reasons[$0.offset] == nil }.map(\.element),
                range: header.range)
        } else {
            // A field may have lost a part only, and behind a line that is not a field there may be none left.
            self.header = try Header(
                reading: Self.beginning(of: pieces, count: header.range.upperBound + 2), limits: limits)
        }
        removed = Self.account(of: reasons, in: header, findings)
    }

    /// ``canonicalRope`` in one run. It shares the original's storage if octets were removed at the top only, and
    /// otherwise copies the message.
    public var canonical: OctetString { pieces.count == 1 ? pieces[0] : canonicalRope.collected() }

    /// Takes the message apart.
    /// - Throws: ``MessageSyntaxError`` if the message exceeds `limits`.
    public func read(limits: Message.Limits = Message.Limits()) throws(MessageSyntaxError) -> Message {
        try Message(reading: canonical, limits: limits)
    }

    /// The faults that keep it from being passed on within another message.
    var faults: TransportFaults { pieces.reduce([]) { $0.union(TransportFaults.of($1)) } }

    /// The ranges of the fields that are removed, and of the byte order marks before others.
    private static func removed(_ reasons: [Int: String], of header: Header) -> [Range<Int>] {
        header.fields.enumerated().compactMap { index, field in
            if reasons[index] != nil { return field.range }
            return field.byteOrderMark.isEmpty ? nil : field.byteOrderMark
        }
    }

    private static func account(
        of reasons: [Int: String], in header: Header, _ findings: [ReservedFields.Finding]
    ) -> [String] {
        let told = 20
        let all =
            reasons.map { (header.fields[$0].range.lowerBound, header.fields[$0].name, $1) }
            + findings.map { ($0.range.lowerBound, $0.name, $0.reason) }
        let lines = all.sorted { $0.0 < $1.0 }.prefix(told).map { _, name, reason in
            UntrustedText.plainTextLine(name, limit: 60) + " (" + reason + ")"
        }
        return all.count > told ? lines + ["and \(all.count - told) more"] : lines
    }

    private static func pieces(of octets: OctetString, without removed: [Range<Int>]) -> [OctetString] {
        var pieces: [OctetString] = []
        var start = 0
        for range in removed.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > start { pieces.append(octets.slice(start..<range.lowerBound)) }
            start = max(start, range.upperBound)
        }
        if start < octets.count || pieces.isEmpty { pieces.append(octets.slice(start..<octets.count)) }
        return pieces
    }

    /// The first `count` octets of all pieces, or all when there are fewer.
    private static func beginning(of pieces: [OctetString], count: Int) -> OctetString {
        var rope = OctetRope()
        for piece in pieces where rope.count < count {
            rope.append(piece.slice(0..<min(piece.count, count - rope.count)))
        }
        return rope.collected()
    }
}
