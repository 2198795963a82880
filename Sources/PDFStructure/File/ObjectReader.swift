import Octets

/// An indirect object as it stands in the file (ISO 32000-1 §7.3.10).
package struct IndirectObject: Sendable {
    package let reference: IndirectReference
    package let value: PDFValue
    /// The range of a stream's data in the file, as encoded there.
    package let stream: Range<Int>?
    /// From its number to behind `endobj`; of a compressed object: its object stream's.
    package let extent: Range<Int>
    /// True if it stands in an object stream.
    package let isCompressed: Bool
}

/// Reads uncompressed objects at their places.
struct ObjectReader {
    let document: OctetString
    let budget: WorkBudget

    /// The object whose number begins exactly at `offset`.
    /// - Parameter length: Finds the number that an indirect /Length leads to.
    func object(
        at offset: Int, length: (IndirectReference) throws(PDFSyntaxError) -> Int
    ) throws(PDFSyntaxError) -> IndirectObject {
        try document.withUnsafeBytes { (octets) throws(PDFSyntaxError) in
            var reader = PDFValueReader(document, octets, at: offset)
            let (reference, value): (IndirectReference, PDFValue)
            var word: PDFLexer.Token
            do throws(PDFSyntaxError) {
                reference = try header(&reader.lexer, offset)
                value = try reader.value()
                word = try reader.lexer.next()
            } catch {
                try budget.spend(max(0, reader.lexer.position - offset))
                throw error
            }
            try budget.spend(reader.lexer.position - offset + 32 * reader.values)
            var stream: Range<Int>?
            if reader.lexer.isKeyword(word, "stream") {
                guard let dictionary = value.dictionary else {
                    throw .damaged("a stream without dictionary at \(offset)")
                }
                let begin = try streamBegin(octets, reader.lexer.position)
                let count =
                    switch dictionary["Length"] {
                    case .integer(let count): count
                    case .reference(let reference): try length(reference)
                    default: throw PDFSyntaxError.damaged("the stream at \(offset) has no /Length")
                    }
                guard count >= 0, count <= octets.count - begin else {
                    throw .damaged("the stream at \(offset) is longer than the file")
                }
                stream = begin..<(begin + count)
                reader.lexer.position = begin + count
                let end = try reader.lexer.next()
                guard reader.lexer.isKeyword(end, "endstream") else {
                    throw .damaged("the stream at \(offset) does not end where its /Length says")
                }
                word = try reader.lexer.next()
            }
            guard reader.lexer.isKeyword(word, "endobj") else {
                throw .damaged("the object at \(offset) has no endobj")
            }
            return IndirectObject(
                reference: reference, value: value, stream: stream, extent: offset..<reader.lexer.position,
                isCompressed: false)
        }
    }

    /// Visits the tokens of the object at `offset`, its stream's data left out; nothing is built.
    func skim(at offset: Int, _ visit: (PDFLexer, PDFLexer.Token) -> Void) throws(PDFSyntaxError) {
        try document.withUnsafeBytes { (octets) throws(PDFSyntaxError) in
            var lexer = PDFLexer(octets, at: offset)
            do throws(PDFSyntaxError) {
                _ = try header(&lexer, offset)
                while true {
                    let token = try lexer.next()
                    if token == .end || lexer.isKeyword(token, "endobj") || lexer.isKeyword(token, "stream") { break }
                    visit(lexer, token)
                }
            } catch {
                try budget.spend(max(0, lexer.position - offset))
                throw error
            }
            try budget.spend(lexer.position - offset)
        }
    }

    private func header(_ lexer: inout PDFLexer, _ offset: Int) throws(PDFSyntaxError) -> IndirectReference {
        // The position of `lexer` must be inside the file, and blanks before the number do not belong to the object.
        guard offset >= 0, offset < document.count, case .integer(let number) = try lexer.next(), number >= 0,
            lexer.start == offset, case .integer(let generation) = try lexer.next(), generation >= 0
        else { throw .damaged("there is no object at \(offset)") }
        let word = try lexer.next()
        guard lexer.isKeyword(word, "obj") else { throw .damaged("there is no object at \(offset)") }
        return IndirectReference(number: number, generation: generation)
    }

    /// §7.3.8.1: CRLF or LF after the word `stream`.
    private func streamBegin(_ octets: UnsafeRawBufferPointer, _ position: Int) throws(PDFSyntaxError) -> Int {
        if position < octets.count, octets[position] == 0x0A { return position + 1 }
        if position + 1 < octets.count, octets[position] == 0x0D, octets[position + 1] == 0x0A { return position + 2 }
        throw .damaged("the word stream at \(position) is not followed by a line end")
    }
}
