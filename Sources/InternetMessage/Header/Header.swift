public import Octets

/// One header field as written in the message (RFC 5322 §2.2). Its octets are kept, because a rewritten field breaks a
/// signature.
public struct HeaderField: Sendable, Hashable {
    /// The field's octets: name, colon, body and the final line end.
    public let raw: OctetString
    /// The place of `raw`, in octets from the beginning of the message.
    public let range: Range<Int>
    /// The field name as written, without the white space that obsolete syntax allows before the colon (§4.5).
    public let name: String
    /// The octets after the colon, still folded, without the final line end.
    public let rawBody: OctetString

    public init(raw: OctetString, range: Range<Int>, name: String, rawBody: OctetString) {
        self.raw = raw
        self.range = range
        self.name = name
        self.rawBody = rawBody
    }

    /// Returns true if this is the field `name`, compared without case (§1.2.2).
    public func isNamed(_ name: String) -> Bool { self.name.equalsIgnoringASCIICase(name) }
}

/// A header: the fields before the first empty line, in order.
public struct Header: Sendable, Hashable {
    public let fields: [HeaderField]
    /// From the first field to before the empty line that ends the header.
    public let range: Range<Int>

    public init(fields: [HeaderField], range: Range<Int>) {
        self.fields = fields
        self.range = range
    }

    /// The fields called `name`, without regard to case, in order.
    public func all(_ name: String) -> [HeaderField] { fields.filter { $0.isNamed(name) } }

    /// The last field called `name`.
    func last(_ name: String) -> HeaderField? { fields.last { $0.isNamed(name) } }

    /// The first field called `name`.
    public func first(_ name: String) -> HeaderField? { fields.first { $0.isNamed(name) } }
}
