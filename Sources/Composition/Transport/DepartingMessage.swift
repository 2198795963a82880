public import InternetMessage
public import Octets

/// A message in the form in which it goes to the next mail server: without fields that belong to the spool and to
/// earlier deliveries, and with one Received field of ours (RFC 5321 §4.4).
///
/// Removed from the header are `Return-Path`, `Delivered-To`, `X-Original-To`, `Envelope-To` and `X-Envelope-To` (they
/// name one recipient to the others, and a Delivered-To counts as a loop when it comes back to its server), `Bcc`,
/// `Resent-Bcc` and every `X-SES-*`. The body is not read, and nothing in it is changed. Header lines above 998 octets
/// are folded (RFC 5322 §2.1.1).
public struct DepartingMessage: Sendable {
    public enum Loop: Sendable, Hashable {
        case none
        /// The loop, in words.
        case found(String)
    }

    /// The file's own line ends; the Received field stands on top.
    public let content: OctetRope
    /// The remaining header.
    public let header: Header
    /// The result of looking for a loop.
    public let loop: Loop
    private let raw: OctetString
    private let limits: Message.Limits

    /// The number of passages through this relay above which a message is taken for one in a loop. A list that sends a
    /// mail out again, or an alias of another domain, adds one each.
    static let maximumPassages = 5

    /// - Parameters:
    ///   - raw: The message as it stands in the file, behind the block.
    ///   - host: Our name.
    ///   - unique: Names this passage: letters, digits, hyphens and dots; anything else is left out.
    /// - Throws: ``CompositionError`` when the header is larger than `limits` allows.
    public init(
        raw: OctetString, host: String, unique: String, date: MailDate, limits: Message.Limits = Message.Limits()
    ) throws(CompositionError) {
        let raw = raw.withoutOctetsBeforeHeader
        let cleaned: CleanedMessage
        do {
            let whole = try Header(reading: raw, limits: limits)
            cleaned = try CleanedMessage(
                raw: raw, canonical: raw, header: whole, reserving: Self.reserved, removing: Self.removals,
                limits: limits)
        } catch {
            throw CompositionError(.unreadableHeader, "the message cannot be read: \(error)")
        }
        self.raw = raw
        self.limits = limits
        header = cleaned.header
        let mark = "by " + ReceivedToken.atom(host) + " " + Self.mark
        let received = header.all("Received")
        let passages = received.count {
            $0.unfoldedBody.text.split(separator: " ").joined(separator: " ").contains(mark)
        }
        loop =
            if received.count > ReceivedToken.maximumReceived {
                .found(
                    "mail loop: the message has \(received.count) Received fields,"
                        + " \(ReceivedToken.maximumReceived) are allowed")
            } else if passages >= Self.maximumPassages {
                .found("mail loop: the message has passed this relay \(passages) times")
            } else {
                .none
            }
        let field = FieldLines.field(
            "Received",
            ["by", ReceivedToken.atom(host), Self.mark, "id", ReceivedToken.atom(unique) + ";", "\(date)"])
        var content = OctetRope()
        content.append(cleaned.lineEnding == .lf ? field.replacing("\r\n", with: "\n") : field)
        content.append(cleaned.rawRope)
        self.content = content.withFoldedHeader(limits: limits)
    }

    /// True if the body is signed or encrypted, as its Content-Type says. Nothing of it may be changed then.
    public var isProtected: Bool {
        guard let type = header.first("Content-Type")?.text.asciiLowercased else { return false }
        return ["multipart/signed", "multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"]
            .contains { type.hasPrefix($0) } || header.first("DKIM-Signature") != nil
    }

    /// The message for a report to its sender, with CRLF line ends.
    func original() throws(MessageSyntaxError) -> CleanedMessage {
        let canonical = raw.withCRLFLineEnds()
        return try CleanedMessage(
            raw: canonical, canonical: canonical, header: Header(reading: canonical, limits: limits),
            reserving: Self.reserved, removing: Self.removals, limits: limits)
    }

    private static let mark = "(SES relay)"

    /// Our own results are allowed in the header.
    private static let reserved = ReservedFields.Names(authservID: nil, bcc: true)

    private static func removals(from header: Header) -> [Int: String] {
        var reasons: [Int: String] = [:]
        for (index, field) in header.fields.enumerated() where field.isDeliveryTrace {
            reasons[index] = "of an earlier delivery"
        }
        return reasons
    }
}
