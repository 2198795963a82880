import Octets

/// A Content-Type or Content-Transfer-Encoding that is more than the plain form, so that readers may differ in it.
struct StructuralField {
    /// Everything in the field that decides how a message is taken apart.
    private struct Outcome: Equatable {
        let mediaType: String
        let boundary: OctetString?
        let encoding: ContentTransferEncoding
    }

    private enum Name { case contentType, contentTransferEncoding }

    private let name: Name
    private let field: HeaderField
    private let own: Outcome

    /// - Returns: nil where all readers take the field alike: another name, or the plain form.
    init?(_ field: HeaderField) {
        if field.isNamed("Content-Type") {
            name = .contentType
            if Self.isPlainType(field.unfoldedBody.array) { return nil }
        } else if field.isNamed("Content-Transfer-Encoding") {
            name = .contentTransferEncoding
            if Self.isPlainWord(field.unfoldedBody.array) { return nil }
        } else {
            return nil
        }
        self.field = field
        own = Self.outcome(of: field, name, ReadingHabits())
    }

    /// Returns true if a reader with `habits` takes something else from the field than one with this project's habits.
    func differs(with habits: ReadingHabits) -> Bool { Self.outcome(of: field, name, habits) != own }

    private static func outcome(of field: HeaderField, _ name: Name, _ habits: ReadingHabits) -> Outcome {
        switch name {
        case .contentType:
            let type = ContentType(ParameterizedField(field.unfoldedBody, habits))
            return Outcome(mediaType: type.mediaType, boundary: type.boundary(habits), encoding: .sevenBit)
        case .contentTransferEncoding:
            return Outcome(mediaType: "", boundary: nil, encoding: ContentTransferEncoding(field, habits))
        }
    }

    // MARK: - The plain form

    /// Returns true if `body` is one word of US-ASCII, perhaps with blanks around it: nothing in it is a comment, a
    /// quote, a parameter or an encoded-word.
    private static func isPlainWord(_ body: [UInt8]) -> Bool {
        var cursor = PlainCursor(body)
        cursor.skipBlanks()
        guard cursor.parseToken() != nil else { return false }
        cursor.skipBlanks()
        return cursor.isAtEnd
    }

    /// Returns true if `body` is type, slash, subtype and parameters that are `name=token` or `name="text"` with
    /// nothing odd.
    ///
    /// Each habit about fields is a choice in something that is not there: no name twice (`parameters`), no parenthesis
    /// outside quotes (`knowsComments`), no semicolon or backslash in quotes (`knowsQuotes`, `backslash`), no value
    /// without quotes but a token, with a semicolon or the end behind it (`bareValue`), no empty parameter
    /// (`readsOverEmptyParameter`), no blank at the equals sign (`allowsBlankAtEquals`), no asterisk in a name
    /// (`extended`), no `=?` (`decodesEncodedWords`), and no value that begins with `'` or `<` (`unwrapsValues`).
    private static func isPlainType(_ body: [UInt8]) -> Bool {
        var cursor = PlainCursor(body)
        cursor.skipBlanks()
        guard cursor.parseToken() != nil, cursor.skip(0x2F), cursor.parseToken() != nil else { return false }
        var names: [ArraySlice<UInt8>] = []
        while true {
            cursor.skipBlanks()
            if cursor.isAtEnd { return true }
            guard cursor.skip(0x3B) else { return false }
            cursor.skipBlanks()
            if cursor.isAtEnd { return true }
            guard let name = cursor.parseToken(), !name.contains(0x2A), cursor.skip(0x3D), cursor.parseValue() else {
                return false
            }
            for other in names where other.elementsEqual(name, by: { $0.asciiLowercased == $1.asciiLowercased }) {
                return false
            }
            names.append(name)
            // The comparison of names stays cheap.
            if names.count > 16 { return false }
        }
    }

    private struct PlainCursor {
        private let octets: [UInt8]
        private var index = 0

        init(_ octets: [UInt8]) { self.octets = octets }

        var isAtEnd: Bool { index == octets.count }

        mutating func skip(_ octet: UInt8) -> Bool {
            guard index < octets.count, octets[index] == octet else { return false }
            index += 1
            return true
        }

        mutating func skipBlanks() {
            while index < octets.count, octets[index] == 0x20 || octets[index] == 0x09 { index += 1 }
        }

        /// - Returns: nil where there is none.
        mutating func parseToken() -> ArraySlice<UInt8>? {
            let start = index
            while index < octets.count, octets[index] < 0x80, octets[index].isTokenOctet { index += 1 }
            return index > start ? octets[start..<index] : nil
        }

        /// Takes a value that all readers take alike.
        /// - Returns: True if there was one.
        mutating func parseValue() -> Bool {
            guard skip(0x22) else {
                guard let token = parseToken() else { return false }
                return token.first != 0x27
            }
            let start = index
            while index < octets.count, octets[index] != 0x22 {
                let octet = octets[index]
                let isPlain = (0x20...0x7E).contains(octet) && octet != 0x5C && octet != 0x3B
                if !isPlain || octet == 0x3F && octets[index - 1] == 0x3D { return false }
                index += 1
            }
            guard index > start, octets[start] != 0x27, octets[start] != 0x3C else { return false }
            return skip(0x22)
        }
    }
}
