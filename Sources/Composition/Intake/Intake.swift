import DomainNames
public import InternetMessage
public import Octets

/// A received message: the envelope of a file, and its content without fields that only SES may write.
///
/// These are removed: every `X-SES-*` field and its look-alikes, every Authentication-Results of our own identifier or
/// with a result about S/MIME from within our domains (RFC 8601 §5), the trace fields that were read as the envelope,
/// and `Bcc` of outgoing mail. Octets before the header that are no part of it are removed too, such as a byte order
/// mark or an empty line. Except for the trace fields, a field is removed wherever some reader finds it, also behind a
/// line that is not a field and up to the first empty line. Nothing after that line is touched.
public struct Intake: Sendable {
    public let envelope: Envelope
    public let message: CleanedMessage

    /// - Parameters:
    ///   - raw: The message as it stands in the file, behind the block.
    ///   - canonical: The same with CRLF line ends.
    ///   - block: The envelope block at the head of the file; nil without one.
    ///   - isBare: True if a person put the file in as a bare `*.eml`.
    ///   - removesBcc: For outgoing mail.
    ///   - authservID: The identifier of our own Authentication-Results fields.
    ///   - domains: The organisation's domains.
    /// - Throws: ``CompositionError`` when the header is larger than `limits` allows, or the block is damaged.
    public init(
        raw: OctetString, canonical: OctetString, block: OctetString?, isBare: Bool, removesBcc: Bool,
        authservID: String, domains: [String] = [], limits: Message.Limits = Message.Limits()
    ) throws(CompositionError) {
        let raw = raw.withoutOctetsBeforeHeader
        let canonical = canonical.withoutOctetsBeforeHeader
        let header: Header
        do {
            header = try Header(reading: canonical, limits: limits)
        } catch {
            throw CompositionError(.unreadableHeader, "the message cannot be read: \(error)")
        }
        let longest = max(canonical.withUnsafeBytes(ReservedFields.endOfHeader), header.range.upperBound)
        let envelope = try Envelope.reading(
            block: block, header: header, isBare: isBare,
            behindHeader: canonical.slice(header.range.upperBound..<longest))
        self.envelope = envelope
        do {
            message = try CleanedMessage(
                raw: raw, canonical: canonical, header: header,
                reserving: ReservedFields.Names(
                    authservID: authservID, domains: domains.map { CanonicalDomain($0) }, bcc: removesBcc),
                removing: { envelope.source == .trace ? Self.trace(of: $0) : [:] }, limits: limits)
        } catch {
            throw CompositionError(.unreadableHeader, "the message cannot be read: \(error)")
        }
    }

    /// Of the cleaned message.
    public var header: Header { message.header }
    /// The removed fields and why, for the log.
    public var removed: [String] { message.removed }
    /// The Message-ID with its brackets; nil if none can be read.
    public var messageID: String? {
        header.first("Message-ID").flatMap { MessageID(parsing: $0.rawBody) }.map { "\($0)" }
    }

    private static func trace(of header: Header) -> [Int: String] {
        let trace = Envelope.traceFields(of: header).enumerated().filter { $0.element.isDeliveryTrace }
        return Dictionary(uniqueKeysWithValues: trace.map { ($0.offset, "read as the envelope") })
    }
}

extension OctetString {
    /// From the header on.
    var withoutOctetsBeforeHeader: OctetString { slice(octetsBeforeHeader..<count) }
}
