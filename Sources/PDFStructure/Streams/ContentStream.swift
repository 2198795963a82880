package import Octets

/// The operators of a content stream with their operands (ISO 32000-1 §7.8.2), one after the other.
package struct ContentStream {
    package enum Item: Sendable {
        /// An operator, such as `Tj`, with what stands before it.
        case operation(String, [PDFValue])
        /// `BI` … `ID` … `EI` (§8.9.7), with its entries; the data are passed over.
        case inlineImage(PDFDictionary)
    }

    /// More operands than an operator has, those of a map of characters included.
    private static let maximumOperands = 1_024

    private let octets: OctetString
    private var position = 0

    package init(_ octets: OctetString) { self.octets = octets }

    /// - Returns: nil at the end.
    /// - Throws: ``PDFSyntaxError`` where a reader would have to guess.
    package mutating func next() throws(PDFSyntaxError) -> Item? {
        let start = position
        let (item, end) = try octets.withUnsafeBytes { (raw) throws(PDFSyntaxError) in
            var operands: [PDFValue] = []
            var reader = PDFValueReader(octets, raw, at: start)
            while true {
                let token = try reader.lexer.next()
                if token == .end { return (Item?.none, raw.count) }
                guard case .keyword(let range) = token, !Self.isValue(reader.lexer, token) else {
                    guard operands.count < Self.maximumOperands else {
                        throw .damaged("an operator with too many operands")
                    }
                    operands.append(try reader.value(token))
                    continue
                }
                let name = String(decoding: raw[range], as: UTF8.self)
                guard name == "BI" else { return (.operation(name, operands), reader.lexer.position) }
                let entries = try Self.entries(&reader)
                return (.inlineImage(entries), try Self.imageEnd(raw, reader.lexer.position))
            }
        }
        position = end
        return item
    }

    private static func isValue(_ lexer: PDFLexer, _ token: PDFLexer.Token) -> Bool {
        lexer.isKeyword(token, "true") || lexer.isKeyword(token, "false") || lexer.isKeyword(token, "null")
    }

    /// The entries of an inline image, up to the word `ID`.
    private static func entries(_ reader: inout PDFValueReader) throws(PDFSyntaxError) -> PDFDictionary {
        var entries = PDFDictionary()
        while true {
            let token = try reader.lexer.next()
            if reader.lexer.isKeyword(token, "ID") { return entries }
            guard case .name(let range) = token else { throw .damaged("an inline image without its data") }
            let key = reader.lexer.name(range)
            entries.set(key, try reader.value())
        }
    }

    /// Behind the `EI` that ends the data.
    private static func imageEnd(_ raw: UnsafeRawBufferPointer, _ start: Int) throws(PDFSyntaxError) -> Int {
        var place = start + 1
        while let found = raw.firstOffset(of: UInt8(ascii: "E"), from: place) {
            place = found + 1
            guard found > start, PDFLexer.isBlank(raw[found - 1]), place < raw.count, raw[place] == UInt8(ascii: "I"),
                place + 1 == raw.count || PDFLexer.isBlank(raw[place + 1])
            else { continue }
            return place + 1
        }
        throw .damaged("an inline image without an end")
    }
}
