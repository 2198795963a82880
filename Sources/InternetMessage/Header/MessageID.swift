public import Octets

/// A msg-id (RFC 5322 §3.6.4), without its angle brackets.
public struct MessageID: Hashable, Sendable, CustomStringConvertible {
    /// `left@right`, as written.
    public let value: String

    /// - Parameter value: Without brackets; printable, no blanks, no brackets.
    /// - Returns: nil when it cannot stand between brackets.
    public init?(_ value: String) {
        guard !value.isEmpty, value.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != 0x3C && $0 != 0x3E }) else {
            return nil
        }
        self.value = value
    }

    /// The first message identifier of a field body.
    public init?(parsing body: OctetString) {
        guard let first = MessageID.list(parsing: body).first else { return nil }
        self = first
    }

    /// All message identifiers of a field body (References, In-Reply-To), in order, comments and other words left out.
    ///
    /// RFC 5322 asks for one `@`; identifiers without are seen, and taken.
    public static func list(parsing body: OctetString) -> [MessageID] {
        FieldCursor.reading(body.unfolded.array) { cursor in
            var found: [MessageID] = []
            while true {
                cursor.skipCFWS()
                if cursor.isAtEnd { return found }
                if cursor.skip(0x3C) {
                    let run = cursor.consume { $0 == 0x3E || $0 == 0x3C }
                    guard cursor.skip(0x3E) else { continue }
                    let octets = cursor.slice(run).filter { $0 != 0x20 && $0 != 0x09 }
                    if let value = String(validating: octets, as: UTF8.self), let id = MessageID(value) {
                        found.append(id)
                    }
                } else if cursor.current == 0x22 {
                    _ = cursor.parseQuotedString()
                } else {
                    cursor.advance()
                }
            }
        }
    }

    /// With its angle brackets.
    public var description: String { "<" + value + ">" }
}
