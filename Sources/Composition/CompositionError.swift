/// The reason why something could not be composed.
public struct CompositionError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// The header cannot be read within its limits.
        case unreadableHeader
        /// The envelope block at the head of the file is not one, or not whole.
        case damagedEnvelopeBlock
        /// The entity at this path does not survive transport, and may not be changed.
        case cannotBeMadeFit(path: [Int])
        /// A finished entity from the signing server is no signed form of what was sent.
        case unusableAnswer
    }
    public let kind: Kind
    /// The fault, its place and its cause, in one line; no message content.
    public let text: String

    public init(_ kind: Kind, _ text: String) {
        self.kind = kind
        self.text = text
    }

    public var description: String { text }
}
