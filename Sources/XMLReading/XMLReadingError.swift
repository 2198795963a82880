/// The reason why XML could not be read.
public struct XMLReadingError: Error, Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// Not well-formed, or names a namespace prefix that is not declared.
        case malformed
        /// A document type declaration: refused whatever is in it, so that no entity is ever defined.
        case documentType
        /// More nesting, elements, attributes or octets than allowed.
        case limit
        /// The parser could not be made: no memory.
        case resources
    }
    public let kind: Kind
    /// The line, counted from 1; 0 when there is none.
    public let line: Int
    /// The fault, in one line without control characters, at most 300 characters.
    public let reason: String

    public init(_ kind: Kind, line: Int, reason: String) {
        self.kind = kind
        self.line = line
        self.reason = reason
    }
}

extension XMLReadingError: CustomStringConvertible {
    public var description: String { line > 0 ? "line \(line): \(reason)" : reason }
}

extension XMLReadingError {
    /// Another's words as one bounded line.
    static func oneLine(_ text: String) -> String {
        var words = ""
        var count = 0
        var pendingSpace = false
        for scalar in text.unicodeScalars {
            if scalar.value <= 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value == 0x2028
                || scalar.value == 0x2029
            {
                pendingSpace = !words.isEmpty
                continue
            }
            if pendingSpace { words.append(" ") }
            pendingSpace = false
            words.unicodeScalars.append(scalar)
            count += 1
            if count == 300 { break }
        }
        return words
    }
}
