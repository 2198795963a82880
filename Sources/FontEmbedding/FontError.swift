/// Why a font cannot be used.
public struct FontError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong and what to do, in one line.
    public let reason: String
    public var description: String { reason }

    init(_ reason: String) { self.reason = reason }
}
