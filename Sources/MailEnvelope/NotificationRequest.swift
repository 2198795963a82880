/// The notifications that a sender asks for (RFC 3461 §4), the same for all recipients of a message, and the names that
/// these have in notifications.
///
/// Nothing of it is guessed: what was not said is nil, and is not said to the next server either (RFC 3461 §5.2.1).
public struct NotificationRequest: Sendable, Hashable {
    /// The events of which a notification is wanted (NOTIFY).
    public struct Notify: Sendable, Hashable, CustomStringConvertible {
        public enum Event: String, Sendable, Hashable, CaseIterable {
            case success = "SUCCESS"
            case failure = "FAILURE"
            case delay = "DELAY"
        }

        /// Empty: never.
        public let events: Set<Event>

        public static let never = Notify([])

        public init(_ events: Set<Event>) { self.events = events }

        /// Reads `never`, or events with commas between them, without blanks and without regard to case.
        public init?(parsing text: some StringProtocol) {
            if text.equalsIgnoringASCIICase("NEVER") {
                self = .never
                return
            }
            var events: Set<Event> = []
            for word in text.split(separator: ",", omittingEmptySubsequences: false) {
                guard let event = Event.allCases.first(where: { word.equalsIgnoringASCIICase($0.rawValue) }) else {
                    return nil
                }
                events.insert(event)
            }
            self.events = events
        }

        /// As it stands behind `NOTIFY=`.
        public var description: String {
            events.isEmpty
                ? "NEVER" : Event.allCases.filter(events.contains).map(\.rawValue).joined(separator: ",")
        }
    }

    /// The part of the message that a notification of a failure returns (RET).
    public enum Returned: String, Sendable, Hashable, CaseIterable {
        case full = "FULL"
        case header = "HDRS"

        /// Reads `full` or `hdrs` without regard to case.
        public init?(parsing text: some StringProtocol) {
            guard let value = Self.allCases.first(where: { text.equalsIgnoringASCIICase($0.rawValue) }) else {
                return nil
            }
            self = value
        }
    }

    public var notify: Notify?
    public var returned: Returned?
    /// The identifier of the message in notifications.
    public var identifier: EnvelopeIdentifier?
    /// The recipients as the first sender named them (ORCPT), where that was said.
    public var originals: [AddrSpec: OriginalRecipient]

    public init(
        notify: Notify? = nil, returned: Returned? = nil, identifier: EnvelopeIdentifier? = nil,
        originals: [AddrSpec: OriginalRecipient] = [:]
    ) {
        self.originals = originals
        self.notify = notify
        self.returned = returned
        self.identifier = identifier
    }

    /// Returns true if the sender may be told of `event`. Without a request these are failures and delays, as
    /// everywhere (RFC 3461 §4.1), and never success.
    public func wants(_ event: Notify.Event) -> Bool {
        notify.map { $0.events.contains(event) } ?? (event != .success)
    }
}

/// An envelope identifier (ENVID, RFC 3461 §4.4): printable US-ASCII, at most 100 octets of xtext.
public struct EnvelopeIdentifier: Sendable, Hashable {
    /// The identifier as received and sent on, octet for octet: it contains no blank, no line end and no `=`.
    public let xtext: String
    /// The decoded identifier, as it stands in `Original-Envelope-Id`.
    public let text: String

    /// RFC 3461 §5.4: what every server must take.
    public static let limit = 100

    /// - Returns: nil for text that is not xtext of printable US-ASCII, is empty, or longer than ``limit``.
    public init?(xtext: String) {
        guard !xtext.isEmpty, xtext.utf8.count <= Self.limit else { return nil }
        var text = ""
        var rest = xtext.utf8[...]
        while let octet = rest.popFirst() {
            var value = octet
            if octet == UInt8(ascii: "+") {
                guard let high = rest.popFirst().flatMap(Self.digit), let low = rest.popFirst().flatMap(Self.digit)
                else { return nil }
                value = high << 4 | low
                guard (0x20...0x7E).contains(value) else { return nil }
            } else if !(0x21...0x7E).contains(octet) || octet == UInt8(ascii: "=") {
                return nil
            }
            text.unicodeScalars.append(Unicode.Scalar(value))
        }
        self.xtext = xtext
        self.text = text
    }

    /// Upper case alone (RFC 3461 §4).
    private static func digit(_ octet: UInt8) -> UInt8? {
        switch octet {
        case 0x30...0x39: octet - 0x30
        case 0x41...0x46: octet - 0x41 + 10
        default: nil
        }
    }
}
