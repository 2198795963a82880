/// Limits on XML. A document that exceeds a limit is refused with the line on which it did.
public struct XMLLimits: Sendable, Hashable {
    /// The most octets of a document.
    public var octets: Int
    /// The deepest nesting of elements; the root has depth 1.
    public var depth: Int
    /// The most elements.
    public var elements: Int
    /// The most attributes of one element, and the most namespace declarations in force at one place.
    public var attributes: Int
    /// The most octets of one tag, comment or processing instruction.
    public var markup: Int

    public init(
        octets: Int = 16 << 20, depth: Int = 200, elements: Int = 100_000, attributes: Int = 256,
        markup: Int = 256 << 10
    ) {
        self.octets = octets
        self.depth = depth
        self.elements = elements
        self.attributes = attributes
        self.markup = markup
    }

    /// For documents that are held as a tree.
    public static let tree = XMLLimits()
    /// For documents that flow through: as large as Base64 of the largest message.
    public static let stream = XMLLimits(octets: 1 << 30)
}
