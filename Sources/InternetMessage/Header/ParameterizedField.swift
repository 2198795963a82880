import Octets

/// A value with parameters: Content-Type, Content-Disposition and their like (RFC 2045 §5.1, 2183, 2231).
struct ParameterizedField {
    /// The text before the first parameter, lower case, without comments and blanks.
    private(set) var value = ""
    private(set) var parameters: [Parameter] = []
    /// Forms of them that old readers use instead (RFC 2231 §4), and others that no reader uses.
    private(set) var shadowed: [Parameter] = []
    /// Names of parameters that stand more than once with different values.
    private(set) var repeated: [String] = []
    /// Something had to be read over that has no one reading.
    private(set) var isMalformed = false

    /// - Parameter body: Unfolded.
    init(_ body: OctetString, _ habits: ReadingHabits = ReadingHabits()) {
        var sections = ParameterSections(habits)
        (value, isMalformed) = FieldCursor.reading(body.array) { cursor in
            let value = Self.parseValue(&cursor, habits)
            while !cursor.isAtEnd { Self.parseParameter(&cursor, habits, into: &sections) }
            return (value, cursor.isMalformed)
        }
        (parameters, shadowed, repeated) = sections.joined()
        parameters = parameters.map { habits.converted($0) }
        // A name in an old form is meant to be another; a boundary in two forms is two boundaries.
        if let other = shadowed.first(where: { $0.name == "boundary" }), !repeated.contains("boundary"),
            parameters.contains(where: { $0.name == "boundary" && $0.value != other.value })
        {
            repeated.append("boundary")
        }
    }

    /// The value as type and subtype; nil when it is not two tokens and a slash.
    var mediaType: (type: String, subtype: String)? {
        let halves = value.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, halves.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(\.isTokenOctet) }) else {
            return nil
        }
        return (String(halves[0]), String(halves[1]))
    }

    private static func parseValue(_ cursor: inout FieldCursor, _ habits: ReadingHabits) -> String {
        if habits.bareValue != .toSemicolon { return parseFirstWord(&cursor) }
        var value: [UInt8] = []
        while true {
            cursor.skipCFWS()
            if cursor.isAtEnd || cursor.skip(0x3B) { break }
            if cursor.current == 0x22 {
                value.append(contentsOf: cursor.parseQuotedString())
                continue
            }
            let run = cursor.consume { $0 == 0x3B || $0 == 0x20 || $0 == 0x09 || $0 == 0x28 || $0 == 0x22 }
            // A blank between two words is kept, so that they do not become one.
            if !value.isEmpty, value.last != 0x2F, cursor.octet(at: run.lowerBound) != 0x2F { value.append(0x20) }
            value.append(contentsOf: cursor.slice(run))
        }
        return String(decoding: value, as: UTF8.self).asciiLowercased
    }

    /// The value as readers take it that know neither comments nor quotes there: up to the first blank.
    private static func parseFirstWord(_ cursor: inout FieldCursor) -> String {
        cursor.skipBlanks()
        let word = cursor.consume { $0 == 0x3B || $0 == 0x20 || $0 == 0x09 }
        _ = cursor.consume { $0 == 0x3B }
        return String(decoding: cursor.slice(word), as: UTF8.self).asciiLowercased
    }

    private static func parseParameter(
        _ cursor: inout FieldCursor, _ habits: ReadingHabits, into sections: inout ParameterSections
    ) {
        func skip() {
            if habits.knowsComments { cursor.skipCFWS() } else { cursor.skipBlanks() }
        }
        skip()
        let separator = cursor.index
        if cursor.skip(0x3B) {
            var before = separator - 1
            while cursor.octet(at: before) == 0x20 || cursor.octet(at: before) == 0x09 { before -= 1 }
            let isEmpty = cursor.octet(at: before) == 0x3B
            if isEmpty, !habits.readsOverEmptyParameter { cursor.go(to: cursor.end) }
            return
        }
        let name = cursor.consume { $0 == 0x3D || $0 == 0x3B || $0 == 0x20 || $0 == 0x09 || $0 == 0x28 || $0 == 0x22 }
        if habits.allowsBlankAtEquals { skip() }
        guard cursor.skip(0x3D) else {
            // A word that is no parameter, or a string without a name.
            if cursor.current == 0x22 { _ = cursor.parseQuotedString(habits.quoting) }
            if name.isEmpty, !cursor.isAtEnd, cursor.current != 0x3B { cursor.advance() }
            if !cursor.isAtEnd || !name.isEmpty { cursor.noteMalformed() }
            return
        }
        if habits.allowsBlankAtEquals { skip() }
        let value: [UInt8]
        if cursor.current == 0x22, !cursor.isAtEnd {
            value = habits.knowsQuotes ? cursor.parseQuotedString(habits.quoting) : parseBetweenQuotes(&cursor)
        } else {
            value = parseBareValue(&cursor, habits)
            // For one reader it ends at the blank, for another it continues.
            let isBoundary = cursor.slice(name).elementsEqual("boundary".utf8) { $0.asciiLowercased == $1 }
            if isBoundary, value.contains(where: { $0 == 0x20 || $0 == 0x09 }) { cursor.noteMalformed() }
        }
        if name.isEmpty { return cursor.noteMalformed() }
        sections.add(name: String(decoding: cursor.slice(name), as: UTF8.self).asciiLowercased, value: value)
    }

    /// A value without quotes: up to the semicolon.
    ///
    /// RFC 2045 allows a token only. In practice there are file names with blanks and parentheses without quotes, and
    /// they are read whole. A comment is recognised only at the end of the value.
    private static func parseBareValue(_ cursor: inout FieldCursor, _ habits: ReadingHabits) -> [UInt8] {
        if habits.bareValue != .toSemicolon { return parsePlainValue(&cursor, habits.bareValue) }
        let start = cursor.index
        var end = start
        while true {
            end = cursor.consume { $0 == 0x3B || $0 == 0x28 || $0 == 0x20 || $0 == 0x09 }.upperBound
            guard !cursor.isAtEnd, cursor.current != 0x3B else { break }
            let hasBlank = cursor.skipCFWS()
            if cursor.isAtEnd || cursor.current == 0x3B || !hasBlank { break }
        }
        return [UInt8](cursor.slice(start..<end))
    }

    /// The same for readers that end it elsewhere, and know no comments there.
    private static func parsePlainValue(_ cursor: inout FieldCursor, _ form: ReadingHabits.BareValue) -> [UInt8] {
        var value = [UInt8](
            cursor.slice(
                cursor.consume { octet in
                    switch form {
                    case .toSemicolon, .everythingToSemicolon: octet == 0x3B
                    case .word: octet == 0x3B || octet == 0x20 || octet == 0x09
                    case .token: octet == 0x3B || !octet.isTokenOctet
                    }
                }))
        while let last = value.last, last.isBlankOrCR { value.removeLast() }
        // Text behind it without a semicolon is the next parameter for some readers.
        return value
    }

    /// A value in quotes for readers that split the field at semicolons first.
    private static func parseBetweenQuotes(_ cursor: inout FieldCursor) -> [UInt8] {
        cursor.advance()
        var value = [UInt8](cursor.slice(cursor.consume { $0 == 0x3B }))
        while let last = value.last, last.isBlankOrCR { value.removeLast() }
        if value.last == 0x22 { value.removeLast() }
        return value
    }
}

extension ReadingHabits {
    fileprivate var quoting: FieldCursor.Quoting {
        switch backslash {
        case .quotesAll: .standard
        case .quotesQuotes: .lenient
        case .isPlain: .none
        }
    }

    /// The parameter after what some readers do with its value.
    fileprivate func converted(_ parameter: Parameter) -> Parameter {
        var value = parameter.value
        if decodesEncodedWords { value = Array(EncodedWords.decode(value, using: BuiltInCharsets()).utf8) }
        if unwrapsValues, let first = value.first, let last = value.last, value.count > 1,
            (first, last) == (0x27, 0x27) || (first, last) == (0x3C, 0x3E)
        {
            value = Array(value.dropFirst().dropLast())
        }
        return value == parameter.value
            ? parameter : Parameter(name: parameter.name, value: value, charset: parameter.charset)
    }
}

extension UInt8 {
    /// RFC 2045 §5.1: printable US-ASCII except tspecials. Octets of 128 and above are accepted.
    var isTokenOctet: Bool {
        switch self {
        case 0...0x20, 0x7F: false
        case 0x28, 0x29, 0x3C, 0x3E, 0x40, 0x2C, 0x3B, 0x3A, 0x5C, 0x22, 0x2F, 0x5B, 0x5D, 0x3F, 0x3D: false
        default: true
        }
    }
}
