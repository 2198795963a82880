package import Octets

/// A PDF's objects in every one of its revisions, read strictly, never repaired.
///
/// A revision is named by the place of its newest section in ``sections``: 0 is the whole file, a higher number an
/// earlier revision. Nothing is kept but the cross-references and some object streams, so that memory does not grow
/// with the file. For one thread.
package final class PDFFile {
    package let document: OctetString
    /// The newest first.
    package let sections: [CrossReferenceSection]
    package let budget: WorkBudget
    let reader: ObjectReader
    private var streams: [Int32: ObjectStream] = [:]
    private var streamOctets = 0

    /// Of all decoded object streams that are kept at a time.
    private static let keptOctets = 16 << 20
    /// Of one object stream. Writers put a few hundred objects into one.
    private static let maximumStreamSize = 32 << 20

    struct ObjectStream {
        let octets: OctetString
        /// Numbers and offsets, in order; the offsets are within `octets`.
        let places: [(number: Int, offset: Int)]
        let extent: Range<Int>
    }

    /// - Throws: ``PDFSyntaxError`` when there is no sound chain of cross-references from the file's end.
    package init(_ document: OctetString, budget: WorkBudget) throws(PDFSyntaxError) {
        guard document.starts(with: "%PDF-".utf8) else { throw Self.fault(inHeaderOf: document) }
        self.document = document
        self.budget = budget
        reader = ObjectReader(document: document, budget: budget)
        let references = CrossReferenceReader(document: document, budget: budget)
        sections = try references.chain(from: try references.startOfChain(end: document.count).offset)
        if let root = sections.first?.trailer["Root"], root.reference == nil {
            throw .damaged("the trailer has no /Root")
        }
    }

    /// The revision that ends at octet `end`, as its own `startxref` says.
    /// - Throws: ``PDFSyntaxError`` if there is none, or later revisions do not continue it.
    package func revision(endingAt end: Int) throws(PDFSyntaxError) -> Int {
        let start = try CrossReferenceReader(document: document, budget: budget).startOfChain(end: end)
        guard let revision = sections.firstIndex(where: { $0.offset == start.offset }) else {
            throw .damaged("later cross-references do not continue those at \(start.offset)")
        }
        guard sections[..<revision].allSatisfy({ $0.offset >= end }),
            sections[revision...].allSatisfy({ $0.extent.upperBound <= start.place })
        else { throw .damaged("the cross-references before and after octet \(end) are mixed") }
        return revision
    }

    /// Returns the range of `startxref`, offset and `%%EOF` behind `section`; they must give its offset.
    package func endMark(of section: CrossReferenceSection) throws(PDFSyntaxError) -> Range<Int> {
        try document.withUnsafeBytes { (octets) throws(PDFSyntaxError) in
            var lexer = PDFLexer(octets, at: section.extent.upperBound)
            let word = try lexer.next()
            let begin = lexer.start
            guard lexer.isKeyword(word, "startxref"), try lexer.next() == .integer(section.offset) else {
                throw .damaged("the startxref after the trailer at \(section.offset) does not lead to it")
            }
            while lexer.position < octets.count, PDFLexer.isBlank(octets[lexer.position]) { lexer.position += 1 }
            guard lexer.consume("%%EOF") else {
                throw .damaged("there is no %%EOF after the trailer at \(section.offset)")
            }
            return begin..<lexer.position
        }
    }

    /// Readers look for the header in the first 1024 octets (ISO 32000-1 annex H, note 13). If octets stand before it,
    /// some readers count offsets from the file's beginning and others from the header, so that they find different
    /// objects.
    private static func fault(inHeaderOf document: OctetString) -> PDFSyntaxError {
        let start = document.slice(0..<min(document.count, 1_024))
        let place = start.withUnsafeBytes { octets in
            octets.indices.first { place in
                var lexer = PDFLexer(octets, at: place)
                return lexer.consume("%PDF-")
            }
        }
        guard let place else { return PDFSyntaxError(.notPDF, "the document does not begin with %PDF-") }
        return .damaged(
            (place == 1 ? "1 octet precedes" : "\(place) octets precede")
                + " %PDF-, and readers then compute the offsets of objects differently;"
                + " this happens when a server or script adds a line: send the file as the program that made it wrote it"
        )
    }

    /// The first octet of `range` that is not blank.
    package func firstInk(in range: Range<Int>) -> Int? {
        document.withUnsafeBytes { octets in range.first { !PDFLexer.isBlank(octets[$0]) } }
    }

    /// The first octet of `range` that is neither blank nor part of a harmless comment.
    ///
    /// Some writers put a comment with their name behind the trailer. A comment that holds a word of the file's
    /// structure is not harmless, because a reader that repairs files could take it for structure.
    package func firstInk(besidesCommentsIn range: Range<Int>) -> Int? {
        document.withUnsafeBytes { octets in
            var place = range.lowerBound
            while place < range.upperBound {
                if PDFLexer.isBlank(octets[place]) {
                    place += 1
                } else if octets[place] == UInt8(ascii: "%") {
                    let end = min(octets.firstLineEndOctet(from: place) ?? octets.count, range.upperBound)
                    guard Self.isHarmless(UnsafeRawBufferPointer(rebasing: octets[place..<end])) else { return place }
                    place = end
                } else {
                    return place
                }
            }
            return nil
        }
    }

    /// Returns the place within an object of text that looks like the beginning of another one (`12 0 obj`), for
    /// example in a string or in the data of a stream: a reader that repairs files takes it for an object.
    /// - Parameter extent: Begins with the object's own beginning.
    package func headerOfObject(within extent: Range<Int>) -> Int? {
        document.withUnsafeBytes { octets in
            var place = extent.lowerBound
            var isOwn = true
            while place + 3 <= extent.upperBound {
                guard octets[place] == UInt8(ascii: "o"), octets[place + 1] == UInt8(ascii: "b"),
                    octets[place + 2] == UInt8(ascii: "j"), Self.endsWithTwoNumbers(octets, extent.lowerBound..<place)
                else {
                    place += 1
                    continue
                }
                if !isOwn { return place }
                isOwn = false
                place += 3
            }
            return nil
        }
    }

    private static func endsWithTwoNumbers(_ octets: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        var place = range.upperBound
        for needsBlank in [false, true] {
            let end = place
            while place > range.lowerBound, PDFLexer.isBlank(octets[place - 1]) { place -= 1 }
            if needsBlank, place == end { return false }
            let digits = place
            while place > range.lowerBound, (0x30...0x39).contains(octets[place - 1]) { place -= 1 }
            if place == digits { return false }
        }
        return true
    }

    private static let maximumCommentLength = 256
    private static let structureWords: [StaticString] = ["obj", "xref", "trailer", "stream", "%PDF", "%%EOF"]

    private static func isHarmless(_ comment: UnsafeRawBufferPointer) -> Bool {
        guard comment.count <= maximumCommentLength, comment.allSatisfy({ $0 >= 0x20 || $0 == 0x09 }) else {
            return false
        }
        return !comment.indices.contains { place in
            structureWords.contains { word in
                var lexer = PDFLexer(comment, at: place)
                return lexer.consume(word)
            }
        }
    }

    /// Returns the entry for the object `number` in `revision`; nil if there is none.
    package func entry(_ number: Int, in revision: Int) throws(PDFSyntaxError) -> CrossReferenceSection.Entry? {
        guard let key = Int32(exactly: number) else { return nil }
        for index in revision..<sections.count {
            try budget.spend(4)
            if let entry = sections[index].entries[key] { return entry }
        }
        return nil
    }

    /// The object as `revision` has it; nil when it is free or not there, which stands for null (§7.3.10).
    package func object(_ number: Int, in revision: Int) throws(PDFSyntaxError) -> IndirectObject? {
        switch try entry(number, in: revision) {
        case nil, .free: return nil
        case .offset(let offset, let generation):
            let object = try object(at: Int(offset), in: revision)
            guard object.reference == IndirectReference(number: number, generation: Int(generation)) else {
                throw .damaged("object \(number) is not where the cross-references say")
            }
            return object
        case .compressed(let stream, let index): return try compressed(number, stream, Int(index), revision)
        }
    }

    package func object(at offset: Int, in revision: Int) throws(PDFSyntaxError) -> IndirectObject {
        try object(at: offset, in: revision, isContainer: false)
    }

    /// - Parameter isContainer: True if an object stream is read: its own length does not stand in one.
    private func object(
        at offset: Int, in revision: Int, isContainer: Bool
    ) throws(PDFSyntaxError) -> IndirectObject {
        try reader.object(at: offset) { (reference) throws(PDFSyntaxError) in
            if !isContainer, case .compressed(let stream, let index) = try self.entry(reference.number, in: revision),
                let count = try self.compressed(reference.number, stream, Int(index), revision).value.integer
            {
                return count
            }
            // Else a length is a plain number in the file: so no stream's length leads to another stream.
            guard case .offset(let place, _) = try self.entry(reference.number, in: revision) else {
                throw .damaged("the /Length \(reference) refers to an object that is not in the file")
            }
            let object = try self.reader.object(at: Int(place)) { (reference) throws(PDFSyntaxError) in
                throw .damaged("the /Length \(reference) leads to a stream")
            }
            guard object.reference == reference, let count = object.value.integer else {
                throw .damaged("the /Length \(reference) refers to an object that is not a number")
            }
            return count
        }
    }

    /// Returns `value` itself, or the object that it refers to, which is not followed further.
    package func resolved(_ value: PDFValue, in revision: Int) throws(PDFSyntaxError) -> PDFValue {
        guard case .reference(let reference) = value else { return value }
        guard let object = try object(reference.number, in: revision),
            object.reference.generation == reference.generation
        else { return .null }
        if case .reference = object.value { throw .damaged("object \(reference.number) is itself a reference") }
        return object.value
    }

    /// Returns the data of a stream, its filter undone; nil if the object is not a stream.
    /// - Throws: Also for filters other than FlateDecode, and for more than `limit` octets.
    package func data(of object: IndirectObject, limit: Int) throws(PDFSyntaxError) -> OctetString? {
        guard let data = object.stream, let dictionary = object.value.dictionary else { return nil }
        return OctetString(
            try StreamData.decoded(document.slice(data), dictionary, limit: limit, budget: budget))
    }

    /// Returns the catalog of `revision`.
    package func catalog(in revision: Int) throws(PDFSyntaxError) -> PDFDictionary {
        guard let catalog = try resolved(sections[revision].trailer["Root"], in: revision).dictionary else {
            throw .damaged("the /Root of the trailer is not a dictionary")
        }
        return catalog
    }

    /// The numbers of all objects that an object stream holds, in its order.
    package func members(ofStream number: Int, in revision: Int) throws(PDFSyntaxError) -> [Int] {
        try stream(Int32(number), in: revision).places.map(\.number)
    }

    /// Returns the range of the object of the whole file that contains `offset`, its stream's data included; nil if
    /// none does.
    package func uncompressedObject(around offset: Int) throws(PDFSyntaxError) -> Range<Int>? {
        var nearest = -1
        var number = 0
        for section in sections {
            try budget.spend(section.entries.count)
            for (key, entry) in section.entries {
                guard case .offset(let place, _) = entry, Int(place) <= offset, Int(place) > nearest else { continue }
                guard try self.entry(Int(key), in: 0) == entry else { continue }
                nearest = Int(place)
                number = Int(key)
            }
        }
        guard nearest >= 0 else { return nil }
        do throws(PDFSyntaxError) {
            guard let object = try object(number, in: 0), object.extent.contains(offset) else { return nil }
            return object.extent
        } catch {
            guard error.kind == .damaged else { throw error }
            return nil
        }
    }

    // MARK: Object streams (§7.5.7)

    private func compressed(
        _ number: Int, _ stream: Int32, _ index: Int, _ revision: Int
    ) throws(PDFSyntaxError) -> IndirectObject {
        let stream = try self.stream(stream, in: revision)
        guard index < stream.places.count, stream.places[index].number == number else {
            throw .damaged("object \(number) is not in its object stream")
        }
        let place = stream.places[index].offset
        let value = try stream.octets.withUnsafeBytes { (octets) throws(PDFSyntaxError) in
            var values = PDFValueReader(stream.octets, octets, at: place)
            let value = try values.value()
            try self.budget.spend(values.lexer.position - place + 32 * values.values)
            return value
        }
        return IndirectObject(
            reference: IndirectReference(number: number, generation: 0), value: value, stream: nil,
            extent: stream.extent, isCompressed: true)
    }

    func stream(_ number: Int32, in revision: Int) throws(PDFSyntaxError) -> ObjectStream {
        guard case .offset(let offset, 0) = try entry(Int(number), in: revision) else {
            throw .damaged("the object stream \(number) is not in the file")
        }
        if let kept = streams[offset] { return kept }
        if sections[revision].trailer["Encrypt"] != .null {
            throw PDFSyntaxError(.encrypted, "the document is encrypted, including its object streams")
        }
        let object = try object(at: Int(offset), in: revision, isContainer: true)
        guard object.reference.number == number, let data = object.stream, let dictionary = object.value.dictionary,
            dictionary["Type"].name == "ObjStm", let count = dictionary["N"].integer,
            let first = dictionary["First"].integer, count >= 0, first >= 0
        else { throw .damaged("object \(number) is not an object stream") }
        let octets = OctetString(
            try StreamData.decoded(document.slice(data), dictionary, limit: Self.maximumStreamSize, budget: budget))
        let places = try octets.withUnsafeBytes { (raw) throws(PDFSyntaxError) in
            var lexer = PDFLexer(raw)
            var places: [(number: Int, offset: Int)] = []
            while places.count < count {
                guard case .integer(let number) = try lexer.next(), case .integer(let offset) = try lexer.next(),
                    number >= 0, offset >= 0, offset <= raw.count, first <= raw.count, first + offset < raw.count
                else { throw .damaged("the object stream at \(object.extent.lowerBound) is broken") }
                places.append((number, first + offset))
            }
            return places
        }
        let decoded = ObjectStream(octets: octets, places: places, extent: object.extent)
        if streamOctets + octets.count > Self.keptOctets {
            streams.removeAll()
            streamOctets = 0
        }
        streams[offset] = decoded
        streamOctets += octets.count
        return decoded
    }
}
