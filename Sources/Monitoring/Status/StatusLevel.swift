/// The verdict of a status: the first word of its text, and its exit status.
public enum StatusLevel: Int, Comparable, Sendable, Hashable {
    case ok = 0
    case warning = 1
    case critical = 2

    /// The word by which people and monitoring programs know the level.
    public var word: String {
        switch self {
        case .ok: "OK"
        case .warning: "WARNING"
        case .critical: "CRITICAL"
        }
    }

    public static func < (one: StatusLevel, other: StatusLevel) -> Bool { one.rawValue < other.rawValue }
}

extension StatusLevel: Codable {
    /// Reads the word.
    /// - Throws: `DecodingError` for any other text.
    public init(from decoder: any Decoder) throws {
        let word = try decoder.singleValueContainer().decode(String.self)
        guard let level = [Self.ok, .warning, .critical].first(where: { $0.word == word }) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "no level: \(word)"))
        }
        self = level
    }

    /// Writes the word.
    /// - Throws: The error of the encoder.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(word)
    }
}
