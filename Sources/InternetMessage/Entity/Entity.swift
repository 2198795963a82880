public import Octets

/// A MIME entity: header and body, as ranges of the message they stand in (RFC 2045 §2.4). Never re-serialised.
public struct Entity: Sendable {
    /// The place of an entity among the body parts: index paths such as [1, 0]; the root's is [].
    public typealias Path = [Int]

    public indirect enum Content: Sendable {
        /// Not taken apart: text, images, applications, unknown types, and whatever lies below the depth limit.
        case leaf
        /// RFC 2046 §5.1.
        case multipart(Multipart)
        /// message/rfc822 or message/global (RFC 2046 §5.2.1, RFC 6532 §3.7), not transfer-encoded.
        case message(Entity)
    }

    public struct Multipart: Sendable {
        /// The boundary parameter's value, unquoted.
        public let boundary: OctetString
        public let preamble: Range<Int>
        /// In order; empty when no delimiter line was found.
        public let parts: [Entity]
        public let epilogue: Range<Int>
        /// True if the final delimiter was there.
        public let isClosed: Bool

        public init(
            boundary: OctetString, preamble: Range<Int>, parts: [Entity], epilogue: Range<Int>, isClosed: Bool
        ) {
            self.boundary = boundary
            self.preamble = preamble
            self.parts = parts
            self.epilogue = epilogue
            self.isClosed = isClosed
        }
    }

    public let path: Path
    /// All octets of the whole message: the ranges are ranges of this.
    public let message: OctetString
    /// Header, empty line and body; for a body part, without the line end that belongs to the next delimiter (RFC 2046
    /// §5.1.1).
    public let range: Range<Int>
    public let header: Header
    /// The octets after the empty line.
    public let bodyRange: Range<Int>
    /// From Content-Type, or the default of the place: text/plain, within multipart/digest message/rfc822 (RFC 2045
    /// §5.2, 2046 §5.1.5).
    public let contentType: ContentType
    /// From Content-Transfer-Encoding; 7bit when absent.
    public let transferEncoding: ContentTransferEncoding
    /// From Content-Disposition (RFC 2183).
    public let disposition: ContentDisposition?
    public let content: Content
    /// The defects that were tolerated. Two readings that differ in which octets are signed, or which attachments
    /// exist, are among them.
    public let defects: [Defect]

    public init(
        path: Path, message: OctetString, range: Range<Int>, header: Header, bodyRange: Range<Int>,
        contentType: ContentType, transferEncoding: ContentTransferEncoding, disposition: ContentDisposition?,
        content: Content, defects: [Defect]
    ) {
        self.path = path
        self.message = message
        self.range = range
        self.header = header
        self.bodyRange = bodyRange
        self.contentType = contentType
        self.transferEncoding = transferEncoding
        self.disposition = disposition
        self.content = content
        self.defects = defects
    }

    /// The octets of the entity, header included: what multipart/signed signs (RFC 1847 §2.1).
    public var octets: OctetString { message.slice(range) }
    /// The octets of the body, transfer encoding still on.
    public var body: OctetString { message.slice(bodyRange) }

    /// The body parts of a multipart, the one entity within message/rfc822, else none.
    public var children: [Entity] {
        switch content {
        case .leaf: []
        case .multipart(let multipart): multipart.parts
        case .message(let entity): [entity]
        }
    }

    /// A deviation from the standard that was read over.
    public enum Defect: Hashable, Sendable {
        case missingBoundaryParameter
        case missingClosingBoundary
        case noParts
        /// A header line without a colon or with an illegal name; octets from the beginning of the message.
        case malformedHeaderLine(at: Int)
        /// The header ended at a line that is no field, instead of at an empty line.
        case missingHeaderEnd
        /// A field that may stand once stands more often; which one counts is a matter of the reader.
        case repeatedField(String)
        /// A parameter that may stand once stands more often.
        case repeatedParameter(String)
        case malformedContentType
        case unknownTransferEncoding(String)
        /// A multipart or message under base64 or quoted-printable, which RFC 2045 §6.4 forbids: read as a leaf.
        case encodedComposite
        /// Not taken apart any further: see ``Message/Limits/depth``.
        case tooDeep
    }
}
