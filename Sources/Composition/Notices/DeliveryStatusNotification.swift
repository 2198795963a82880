public import InternetMessage
public import Octets

/// A delivery status notification (RFC 3464, 6522, 3834): tells a sender what became of a message.
public struct DeliveryStatusNotification: Sendable {
    public enum Action: String, Sendable, Hashable {
        case failed, delayed
        /// Handed on to where no notifications are sent (RFC 3461 §5.2.2).
        case relayed
    }

    public struct Recipient: Sendable, Hashable {
        public let address: AddrSpec
        /// RFC 3463.
        public let status: String
        /// The server that replied; nil if none did.
        public let server: String?
        /// A stranger's words or ours.
        public let diagnostic: String
        /// True if `diagnostic` is the reply of an SMTP server.
        public let isReply: Bool

        public init(_ address: AddrSpec, status: String, server: String?, diagnostic: String, isReply: Bool) {
            self.address = address
            self.status = status
            self.server = server
            self.diagnostic = diagnostic
            self.isReply = isReply
        }
    }

    /// Octets of the original up to which it is given back whole; of a larger one only the header is.
    public static let maximumOriginalSize = 65_536
    /// Octets of header that are given back.
    static let maximumHeaderSize = 32_768

    public let action: Action
    public let from: AddrSpec
    public let to: AddrSpec
    public let recipients: [Recipient]
    /// Our name.
    public let host: String
    /// Unix seconds of the message's arrival.
    public let arrived: Int
    /// For a delay: Unix seconds until which the message is tried.
    public let triedUntil: Int?
    /// The entry's identifier.
    public let entry: String
    /// Nil when it cannot be read.
    public let original: DepartingMessage?
    /// The notifications that the sender asked for.
    public let request: NotificationRequest

    public init(
        _ action: Action, from: AddrSpec, to: AddrSpec, recipients: [Recipient], host: String, arrived: Int,
        triedUntil: Int? = nil, entry: String, original: DepartingMessage?,
        request: NotificationRequest = NotificationRequest()
    ) {
        self.action = action
        self.from = from
        self.to = to
        self.recipients = recipients
        self.host = host
        self.arrived = arrived
        self.triedUntil = triedUntil
        self.entry = entry
        self.original = original
        self.request = request
    }

    /// The whole mail, CRLF line ends. Its envelope sender is `<>`.
    /// - Parameter token: Random, of letters and digits: Message-ID and boundary are made of it.
    public func compose(date: MailDate, token: String) -> OctetRope {
        var parts = [MailPart.text("plain", text), status]
        if let returned { parts.append(returned) }
        let report = MailPart.multipart("report", parts, boundary: "ses-report-" + token)
        var rope = OctetRope()
        rope.append(
            FieldLines.field("From", ["Mail", "Delivery", "System", "<" + from.description + ">"])
                + FieldLines.field("To", ["<" + to.description + ">"])
                + FieldLines.field("Subject", text: subject, limit: 200)
                + FieldLines.field("Date", ["\(date)"])
                + FieldLines.field("Message-ID", ["<ses-" + token + "@" + ReceivedToken.atom(host) + ">"])
                + (originalID.map { FieldLines.field("References", [$0]) } ?? "")
                + "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n")
        // RFC 6522 §3: the parameter that says what kind of report it is.
        let entity = report.fields.replacing(
            "multipart/report;", with: "multipart/report; report-type=delivery-status;")
        rope.append(entity + "\r\n")
        rope.append(report.body)
        return rope
    }

    // MARK: - For people

    private var subject: String {
        let what =
            switch action {
            case .failed: "Undelivered mail"
            case .delayed: "Delayed mail"
            case .relayed: "Mail handed on"
            }
        guard let field = original?.header.first("Subject") else { return what }
        return what + ": " + EncodedWords.decode(field.rawBody, using: BuiltInCharsets())
    }

    private var text: String {
        var lines =
            switch action {
            case .failed: ["Your message could not be delivered to the following recipients."]
            case .delayed:
                [
                    "Your message has not yet been delivered to the following recipients.",
                    "It is tried again by itself; you need not send it again.",
                ]
            case .relayed:
                [
                    "Your message was handed to the next mail server for the following recipients.",
                    "That server does not tell of deliveries, so you may hear nothing more of it.",
                ]
            }
        lines.append("")
        for recipient in recipients {
            lines.append("  " + UntrustedText.plainTextLine(recipient.address.description, limit: 320))
            let speaker = recipient.isReply ? (recipient.server ?? "the server") + " said: " : ""
            lines += wrapped(UntrustedText.plainTextLine(speaker + recipient.diagnostic, limit: 500))
            lines.append("")
        }
        if let triedUntil { lines.append("It is tried until \(MailDate(unixSeconds: Int64(triedUntil))).") }
        lines.append("Arrived: \(MailDate(unixSeconds: Int64(arrived)))")
        lines.append("Reference: " + UntrustedText.plainTextLine(entry, limit: 64))
        return lines.joined(separator: "\r\n") + "\r\n"
    }

    /// A stranger's words never begin a line.
    private func wrapped(_ text: String) -> [String] {
        var lines: [String] = []
        var line = "   "
        for word in text.split(separator: " ") {
            if line.count + 1 + word.count > 76, line.count > 3 {
                lines.append(line)
                line = "   "
            }
            line += " " + word
        }
        lines.append(line)
        return lines
    }

    // MARK: - For programs (RFC 3464 §2)

    private var status: MailPart {
        var text =
            (request.identifier.map { FieldLines.field("Original-Envelope-Id", [$0.text]) } ?? "")
            + FieldLines.field("Reporting-MTA", ["dns;", ReceivedToken.atom(host)])
            + FieldLines.field("Arrival-Date", ["\(MailDate(unixSeconds: Int64(arrived)))"])
        for recipient in recipients {
            text += "\r\n"
            if let original = request.originals[recipient.address]?.typeAndAddress {
                text += FieldLines.field("Original-Recipient", [original.type, original.address])
            }
            text += FieldLines.field("Final-Recipient", Self.typed(recipient.address))
            text += FieldLines.field("Action", [action.rawValue])
            text += FieldLines.field("Status", [Self.safeStatus(recipient.status, action)])
            if let server = recipient.server {
                text += FieldLines.field("Remote-MTA", ["dns;", ReceivedToken.atom(server)])
            }
            let diagnostic = Self.ascii(recipient.diagnostic)
            if recipient.isReply {
                text += FieldLines.field("Diagnostic-Code", ["smtp;"] + diagnostic)
            } else {
                text += FieldLines.field("Diagnostic-Code", ["X-SES;"] + diagnostic)
            }
            if let triedUntil, action == .delayed {
                text += FieldLines.field("Will-Retry-Until", ["\(MailDate(unixSeconds: Int64(triedUntil)))"])
            }
        }
        return MailPart(
            fields: "Content-Type: message/delivery-status\r\nContent-Description: Delivery report\r\n",
            body: OctetRope([OctetString(text)]))
    }

    /// An address with its type: RFC 3464 §2.3.2, RFC 6533 §3 for addresses beyond US-ASCII.
    private static func typed(_ address: AddrSpec) -> [String] {
        let text = address.description
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else {
            let escaped = text.unicodeScalars.map { scalar -> String in
                let isPlain = scalar.isASCII && scalar.value > 0x20 && !["\\", "+", "="].contains(scalar)
                return isPlain ? String(scalar) : "\\x{" + String(scalar.value, radix: 16, uppercase: true) + "}"
            }
            return ["utf-8;", escaped.joined()]
        }
        return ["rfc822;", text]
    }

    /// Three numbers, whatever a server said.
    private static func safeStatus(_ status: String, _ action: Action) -> String {
        let parts = status.split(separator: ".", omittingEmptySubsequences: false)
        let isOne =
            parts.count == 3
            && parts.allSatisfy { (1...3).contains($0.utf8.count) && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        if isOne { return status }
        return switch action {
        case .failed: "5.0.0"
        case .delayed: "4.0.0"
        case .relayed: "2.0.0"
        }
    }

    /// A stranger's words as words of US-ASCII: what is beyond becomes `\x{…}`, and a long word is broken.
    private static func ascii(_ text: String) -> [String] {
        UntrustedText.plainTextLine(text, limit: 800).split(separator: " ").flatMap { word -> [String] in
            var rest = word.unicodeScalars.map {
                $0.isASCII ? String($0) : "\\x{" + String($0.value, radix: 16, uppercase: true) + "}"
            }[...]
            var words: [String] = []
            while !rest.isEmpty {
                words.append(rest.prefix(70).joined())
                rest = rest.dropFirst(70)
            }
            return words
        }
    }

    // MARK: - What is given back

    private var returned: MailPart? {
        guard let original else { return nil }
        do {
            let message = try original.original()
            // Only a part that passes every server: a report that is itself refused reaches nobody. RET is about
            // failures alone (RFC 3461 §4.3).
            if action == .failed, request.returned != .header, original.content.count <= Self.maximumOriginalSize,
                !message.faults.contains(.eightBit)
            {
                return MailPart.original(message)
            }
            return MailPart.originalHeader(message, limit: Self.maximumHeaderSize)
        } catch {
            // With CRLF its header came out above the limit that it was below before.
            return nil
        }
    }

    private var originalID: String? {
        guard let field = original?.header.first("Message-ID"), let id = MessageID(parsing: field.rawBody),
            id.value.utf8.count <= 250, id.value.utf8.allSatisfy({ $0 < 0x7F })
        else { return nil }
        return "\(id)"
    }
}
