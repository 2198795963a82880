public import Octets

/// An Internet message (RFC 5322) over its octets.
public struct Message: Sendable {
    public let octets: OctetString
    /// The message itself as an entity: its header is the message's header.
    public let root: Entity

    /// Header of the message.
    public var header: Header { root.header }

    /// Limits on the reading of a message, so that no input costs more than its size.
    public struct Limits: Sendable, Hashable {
        /// The number of body parts.
        public var parts = 1_000
        /// Nested multiparts and messages.
        public var depth = 50
        /// Octets in one header.
        public var headerOctets = 262_144

        public init() {}
        public init(parts: Int, depth: Int, headerOctets: Int) {
            self.parts = parts
            self.depth = depth
            self.headerOctets = headerOctets
        }
    }
}

/// A message that is not read, with the reason. Everything that can be read over is an ``Entity/Defect`` instead.
public struct MessageSyntaxError: Error, Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case empty
        case tooManyParts(limit: Int)
        case tooDeep(limit: Int)
        case headerTooLarge(limit: Int)
    }
    public let kind: Kind
    /// Octets from the beginning of the message.
    public let offset: Int

    public init(_ kind: Kind, offset: Int) {
        self.kind = kind
        self.offset = offset
    }
}
