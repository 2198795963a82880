/// The reason why a font cannot be used.
public struct FontError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The fault and what to do about it, in one line.
    public let reason: String
    public var description: String { reason }

    init(_ reason: String) { self.reason = reason }
}
