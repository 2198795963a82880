public import InternetMessage
public import Octets

/// A message divided for signing: the MIME entity that is signed, fit to survive transport, and the header that stays
/// outside.
///
/// The entity has the Content-* fields and the body: CRLF line ends, 7-bit, lines of at most 998 octets, no blanks at
/// the end of lines, no line that starts with `From `, no CR or LF on its own (RFC 8551 §3.1, RFC 1847 §2.1). Octets
/// that were fit stay unchanged:
///
/// - Leaves that need it are encoded: text as quoted-printable, other content and content that is mostly not US-ASCII
///   as base64.
/// - message/rfc822 may not be encoded (RFC 2046 §5.2.1). Its own parts are, and its header fields are rewritten.
/// - A multipart that does not close is closed; preamble and epilogue are left out where they are not fit.
/// - A message without Content-Type is given one: us-ascii, utf-8 if its octets are valid as such, otherwise
///   windows-1252.
/// - Nothing under an existing multipart/signed or multipart/encrypted is touched. A whole message that is already
///   signed may be signed again.
public struct SignableEntity: Sendable {
    /// The entity to be signed and written: exactly these octets.
    public let entity: OctetRope
    /// All fields that are no Content-* and no MIME-Version, as they stood, each with its line end.
    public let outerHeader: OctetRope

    /// - Parameter message: Read from octets with CRLF line ends.
    /// - Throws: ``CompositionError/Kind/cannotBeMadeFit(path:)``.
    public init(of message: Message) throws(CompositionError) {
        let root = message.root
        outerHeader = Self.outerHeader(of: root)
        let body = try EntityFitting.body(of: root)
        var rope = OctetRope()
        if root.header.first("Content-Type") == nil {
            rope.append("Content-Type: text/plain; charset=" + Self.charset(of: root.body) + "\r\n")
        }
        let fitting = FieldFitting(path: root.path)
        var seen: Set<String> = []
        for field in root.header.fields where field.isContentField {
            // Which of several counts is a matter of the reader; signed is the one that was read here.
            let isFirst = seen.insert(field.name.asciiLowercased).inserted
            if isFirst && !EntityFitting.isStale(field, of: root, body) { rope.append(try fitting.fit(field)) }
        }
        rope.append(EntityFitting.transferEncodingField(body))
        rope.append("\r\n")
        EntityFitting.append(body, of: root, to: &rope)
        entity = rope
    }

    /// The outer fields, neighbours joined.
    static func outerHeader(of root: Entity) -> OctetRope {
        var rope = OctetRope()
        var run: Range<Int>?
        for field in root.header.fields where !field.isContentField && !field.isNamed("MIME-Version") {
            if let open = run, open.upperBound == field.range.lowerBound {
                run = open.lowerBound..<field.range.upperBound
            } else {
                if let run { rope.append(root.message.slice(run)) }
                run = field.range
            }
        }
        if let run {
            rope.append(root.message.slice(run))
            if root.message[run.upperBound - 1] != 0x0A { rope.append("\r\n") }
        }
        return rope
    }

    /// The charset of a text that names none.
    private static func charset(of body: OctetString) -> String {
        if !TransportFaults.of(body).contains(.eightBit) { return "us-ascii" }
        return body.isUTF8 ? "utf-8" : "windows-1252"
    }
}

extension HeaderField {
    /// True if it describes the body (RFC 2045 §9).
    var isContentField: Bool { name.asciiLowercased.hasPrefix("content-") }
}
