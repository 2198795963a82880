public import InternetMessage

/// The statement of a server, or of a step on the way to it, about one recipient.
public struct DeliveryReport: Sendable, Hashable {
    public enum Outcome: String, Sendable, Hashable {
        /// The next server took responsibility.
        case sent
        /// The same, but the server sends no notifications: a sender who asked for a report of success gets one about
        /// this (RFC 3461 §5.2.2).
        case relayed
        /// Never to be tried again.
        case failed
        /// To be tried again; it counts as an attempt.
        case deferred
        /// It was recorded as offered, and then could not be offered to any server: as if nothing had happened.
        case notOffered = "not-offered"
        /// All was sent and no reply came: it is unknown whether the server has the message. It is tried again, and
        /// counted as a possible repeat.
        case unknown
    }

    public let outcome: Outcome
    /// RFC 3463, such as `5.1.1`.
    public let status: String
    /// The server, where one spoke.
    public let server: String?
    /// The server's words with its code, or ours; one line.
    public let text: String
    /// True if `text` is an SMTP server's reply.
    public let isReply: Bool

    public init(_ outcome: Outcome, status: String, server: String? = nil, _ text: String, isReply: Bool = false) {
        self.outcome = outcome
        self.status = status
        self.server = server
        self.text = text
        self.isReply = isReply
    }
}

/// One line of a relay's record (`done`): an event of one recipient, or a report about it.
///
/// Fields between blanks, each percent-encoded, the last of them a full stop: a line that a crash cut short means
/// nothing. No text of a server can end a field.
public enum DeliveryLine: Sendable, Hashable {
    /// The time at which the message came to the relay, and the folder from which it came.
    case arrived(Int, RouteCriteria.Source)
    case report(AddrSpec, DeliveryReport, time: Int)
    /// The final dot of a message to this recipient is about to be sent.
    case offered(AddrSpec)
    /// The sender has been told that this recipient's delivery failed.
    case toldOfFailure(AddrSpec)
    /// The sender has been told that this recipient's message went to where no notifications are sent.
    case toldOfRelay(AddrSpec)
    /// The sender has been told that delivery takes long.
    case toldOfDelay
    /// The last offer was not answered, because the start that made it had no end. Stands before the report of a later
    /// start that made no offer.
    case unanswered(AddrSpec)
    /// No server was reached at this time for the waiting recipients.
    case unreached(Int)
    /// After a start that had no end, a server is about to be connected to.
    case started
    /// That start ended in order, without a result.
    case ended

    /// The largest number of octets of a server's reply in a short line.
    static let maximumTextLength = 1_000
    private static let maximumServerLength = 100

    /// The most octets that the short lines of one more attempt can have for these recipients, with their ends: each is
    /// offered the message, or was before and not answered, and each gets a report.
    public static func maximumRecordLength(of recipients: [AddrSpec]) -> Int {
        recipients.reduce(200) { sum, recipient in
            sum + 3 * encoded("\(recipient)").utf8.count + maximumTextLength + maximumServerLength + 100
        }
    }

    public var text: String { Self.line(fields) }

    /// The same with as much of a server's words as there is always room for.
    public var shortText: String {
        guard case .report = self else { return text }
        var fields = fields
        fields[3] = Self.shortened(fields[3], to: 20)
        fields[4] = Self.shortened(fields[4], to: Self.maximumServerLength)
        fields[6] = Self.shortened(fields[6], to: Self.maximumTextLength)
        return Self.line(fields)
    }

    private var fields: [String] {
        switch self {
        case .arrived(let time, let source): ["arrived", String(time), source.rawValue]
        case .offered(let address): ["offered", "\(address)"]
        case .unanswered(let address): ["unanswered", "\(address)"]
        case .toldOfFailure(let address): ["told", "\(address)"]
        case .toldOfRelay(let address): ["told-relayed", "\(address)"]
        case .toldOfDelay: ["told-delay"]
        case .started: ["started"]
        case .ended: ["ended"]
        case .unreached(let time): ["unreached", String(time)]
        case .report(let address, let report, let time):
            [
                report.outcome.rawValue, "\(address)", String(time), report.status, report.server ?? "",
                report.isReply ? "smtp" : "own", String(report.text.unicodeScalars.prefix(2_000)),
            ]
        }
    }

    private static func line(_ fields: [String]) -> String { fields.map(encoded).joined(separator: " ") + " ." }

    /// The front of `text`, of as many characters as fit when they are encoded.
    private static func shortened(_ text: String, to limit: Int) -> String {
        var room = limit
        let end = text.unicodeScalars.firstIndex { scalar in
            room -= encoded(String(scalar)).utf8.count
            return room < 0
        }
        return end.map { String(text[..<$0]) } ?? text
    }

    /// Nil for a line that is cut short or not ours.
    public init?(parsing line: String) {
        let fields = line.split(separator: " ", omittingEmptySubsequences: false)
        guard fields.count >= 2, fields.last == "." else { return nil }
        let values = fields.dropLast().map(Self.decoded)
        func address(_ index: Int) -> AddrSpec? {
            guard index < values.count, case .address(let address)? = ReversePath(parsing: values[index]) else {
                return nil
            }
            return address
        }
        switch (values[0], values.count) {
        case ("arrived", 3):
            guard let time = Int(values[1]), let source = RouteCriteria.Source(rawValue: values[2]) else { return nil }
            self = .arrived(time, source)
        case ("offered", 2):
            guard let address = address(1) else { return nil }
            self = .offered(address)
        case ("unanswered", 2):
            guard let address = address(1) else { return nil }
            self = .unanswered(address)
        case ("told", 2):
            guard let address = address(1) else { return nil }
            self = .toldOfFailure(address)
        case ("told-relayed", 2):
            guard let address = address(1) else { return nil }
            self = .toldOfRelay(address)
        case ("told-delay", 1): self = .toldOfDelay
        case ("started", 1): self = .started
        case ("ended", 1): self = .ended
        case ("unreached", 2):
            guard let time = Int(values[1]) else { return nil }
            self = .unreached(time)
        case (_, 7):
            guard let outcome = DeliveryReport.Outcome(rawValue: values[0]), let address = address(1),
                let time = Int(values[2])
            else { return nil }
            self = .report(
                address,
                DeliveryReport(
                    outcome, status: values[3], server: values[4].isEmpty ? nil : values[4], values[6],
                    isReply: values[5] == "smtp"), time: time)
        default: return nil
        }
    }

    private static func encoded(_ field: String) -> String {
        var text = ""
        for octet in field.utf8 {
            if octet > 0x20, octet < 0x7F, octet != UInt8(ascii: "%") {
                text.unicodeScalars.append(Unicode.Scalar(octet))
            } else {
                text += "%" + (octet < 16 ? "0" : "") + String(octet, radix: 16)
            }
        }
        return text
    }

    private static func decoded(_ field: Substring) -> String {
        var octets: [UInt8] = []
        var rest = field.utf8[...]
        while let octet = rest.popFirst() {
            if octet == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                octets.append(value)
                rest = rest.dropFirst(2)
            } else {
                octets.append(octet)
            }
        }
        return String(decoding: octets, as: UTF8.self)
    }
}
