import Octets

/// Reads objects from octets: those of the file, or of a decoded object stream.
struct PDFValueReader {
    /// The limit on the depth of arrays and dictionaries in one another. Real ones stay below ten.
    static let deepest = 100

    /// The limit on the number of values in one object: each costs far more memory than its octets in the file.
    static let maximumValues = 250_000

    let source: OctetString
    var lexer: PDFLexer
    private var depth = 0
    /// The number of values that were read so far.
    private(set) var values = 0

    /// - Parameter octets: The octets of `source`, valid as long as the reader is used.
    init(_ source: OctetString, _ octets: UnsafeRawBufferPointer, at position: Int) {
        self.source = source
        lexer = PDFLexer(octets, at: position)
    }

    /// The value that begins at the present position.
    mutating func value() throws(PDFSyntaxError) -> PDFValue { try value(lexer.next()) }

    mutating func value(_ token: PDFLexer.Token) throws(PDFSyntaxError) -> PDFValue {
        values += 1
        if values > Self.maximumValues {
            throw PDFSyntaxError(
                .tooComplex, "an object of more than \(Self.maximumValues) values before \(lexer.start)")
        }
        switch token {
        case .integer(let value): return try reference(value) ?? .integer(value)
        case .real(let range): return .real(source.slice(range).text)
        case .name(let range): return .name(lexer.name(range))
        case .literalString(let range), .hexadecimalString(let range):
            return .string(PDFString(token: source.slice(range), range: range))
        case .arrayOpen: return try array()
        case .dictionaryOpen: return .dictionary(try dictionary())
        case .keyword:
            if lexer.isKeyword(token, "null") { return .null }
            if lexer.isKeyword(token, "true") { return .boolean(true) }
            if lexer.isKeyword(token, "false") { return .boolean(false) }
            throw .damaged("an unknown word at \(lexer.start)")
        case .arrayClose, .dictionaryClose, .end: throw .damaged("a value is missing at \(lexer.start)")
        }
    }

    private mutating func array() throws(PDFSyntaxError) -> PDFValue {
        try descend()
        defer { depth -= 1 }
        var items: [PDFValue] = []
        while true {
            let token = try lexer.next()
            if token == .arrayClose { return .array(items) }
            items.append(try value(token))
        }
    }

    /// The rest of a dictionary after its opening brackets.
    mutating func dictionary() throws(PDFSyntaxError) -> PDFDictionary {
        try descend()
        defer { depth -= 1 }
        var dictionary = PDFDictionary()
        var nulls: Set<String> = []
        while true {
            let token = try lexer.next()
            if token == .dictionaryClose { return dictionary }
            guard case .name(let range) = token else { throw .damaged("a key is missing at \(lexer.start)") }
            let key = lexer.name(range)
            let value = try value()
            dictionary.set(key, value)
            // Twice is twice, though the first were as good as nothing.
            if !nulls.isEmpty, nulls.contains(key) { dictionary.hasDuplicates = true }
            if case .null = value { nulls.insert(key) }
        }
    }

    private mutating func descend() throws(PDFSyntaxError) {
        depth += 1
        if depth > Self.deepest {
            throw PDFSyntaxError(.tooComplex, "arrays and dictionaries deeper than \(Self.deepest) at \(lexer.start)")
        }
    }

    /// `number generation R`, or nil with nothing taken.
    private mutating func reference(_ number: Int) throws(PDFSyntaxError) -> PDFValue? {
        guard number >= 0 else { return nil }
        var ahead = lexer
        guard case .integer(let generation)? = try? ahead.next(), generation >= 0 else { return nil }
        guard let word = try? ahead.next(), ahead.isKeyword(word, "R") else { return nil }
        lexer = ahead
        return .reference(IndirectReference(number: number, generation: generation))
    }
}
