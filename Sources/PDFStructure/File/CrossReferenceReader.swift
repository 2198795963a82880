import Octets

/// Reads cross-reference sections strictly: every deviation is an error, and nothing is searched for.
struct CrossReferenceReader {
    /// Bounds; real documents stay far below.
    static let maximumSections = 1_000
    static let maximumEntries = 1_000_000
    static let highestNumber = 8_388_607

    let document: OctetString
    let budget: WorkBudget

    /// The offset that the `startxref` at the end of `document[..<end]` gives, and where that word stands (§7.5.5).
    ///
    /// Behind `%%EOF` there may be blanks only, and no more than leave `startxref` within the last 1024 octets, where
    /// readers look for it: one that does not find it there repairs the file, and may show other objects.
    func startOfChain(end: Int) throws(PDFSyntaxError) -> (offset: Int, place: Int) {
        try document.withUnsafeBytes { (octets) throws(PDFSyntaxError) in
            var index = end
            func skipBlanks() { while index > 0, PDFLexer.isBlank(octets[index - 1]) { index -= 1 } }
            let furthest = max(0, end - 1_024)
            skipBlanks()
            guard index >= 5, octets.holds(Self.endMark, at: index - 5) else {
                throw .damaged("there is no %%EOF at the end")
            }
            index -= 5
            skipBlanks()
            let upper = index
            while index > furthest, (0x30...0x39).contains(octets[index - 1]) { index -= 1 }
            let lower = index
            guard lower < upper, upper - lower <= 12,
                let offset = Int(String(decoding: octets[lower..<upper], as: UTF8.self))
            else { throw .damaged("there is no number before the %%EOF at the end") }
            skipBlanks()
            guard index >= 9, index < lower, octets.holds(Self.startWord, at: index - 9) else {
                throw .damaged("there is no startxref at the end")
            }
            return (offset, index - 9)
        }
    }

    /// All sections from `offset` on, the newest first.
    func chain(from offset: Int) throws(PDFSyntaxError) -> [CrossReferenceSection] {
        var sections: [CrossReferenceSection] = []
        var seen: Set<Int> = []
        var entries = 0
        var next: Int? = offset
        while let offset = next {
            guard seen.insert(offset).inserted else {
                throw .damaged("the cross-reference sections lead back to the one at \(offset)")
            }
            guard sections.count < Self.maximumSections else {
                throw PDFSyntaxError(.tooComplex, "more than \(Self.maximumSections) cross-reference sections")
            }
            let section = try section(at: offset)
            entries += section.entries.count
            guard entries <= Self.maximumEntries else {
                throw PDFSyntaxError(.tooComplex, "more than \(Self.maximumEntries) cross-reference entries")
            }
            sections.append(section)
            switch section.trailer["Prev"] {
            case .null: next = nil
            case .integer(let previous): next = previous
            default: throw .damaged("the /Prev of the trailer at \(offset) is no number")
            }
        }
        return sections
    }

    private func section(at offset: Int) throws(PDFSyntaxError) -> CrossReferenceSection {
        guard offset > 0, offset < document.count else {
            throw .damaged("a cross-reference section is said to be at \(offset), outside of the file")
        }
        let isTable = document.withUnsafeBytes { octets in
            var lexer = PDFLexer(octets, at: offset)
            return lexer.consume("xref")
        }
        var section = isTable ? try table(at: offset) : try stream(at: offset)
        guard section.trailer["Root"].reference != nil || section.trailer["Root"] == .null else {
            throw .damaged("the /Root of the trailer at \(offset) is no reference")
        }
        guard !section.trailer.hasDuplicates else { throw .damaged("the trailer at \(offset) has a key twice") }
        if isTable, section.isHybrid {
            guard let extra = section.trailer["XRefStm"].integer else {
                throw .damaged("the /XRefStm of the trailer at \(offset) is no number")
            }
            guard extra > 0, extra < document.count else { throw .damaged("/XRefStm leads outside of the file") }
            for (number, entry) in try stream(at: extra).entries
            where section.entries[number] == nil || section.entries[number] == .free {
                section.entries[number] = entry
            }
        }
        return section
    }

    // MARK: Tables

    private func table(at offset: Int) throws(PDFSyntaxError) -> CrossReferenceSection {
        try document.withUnsafeBytes { (octets) throws(PDFSyntaxError) in
            var reader = PDFValueReader(document, octets, at: offset + 4)
            var entries: [Int32: CrossReferenceSection.Entry] = [:]
            while true {
                let token = try reader.lexer.next()
                if reader.lexer.isKeyword(token, "trailer") { break }
                guard case .integer(let first) = token, case .integer(let count) = try reader.lexer.next(),
                    (0...Self.highestNumber).contains(first), (0...Self.maximumEntries).contains(count),
                    first + count <= Self.highestNumber + 1
                else { throw .damaged("a broken subsection of the cross-reference table at \(reader.lexer.start)") }
                try budget.spend(40 * count)
                if entries.isEmpty { entries.reserveCapacity(min(count, reader.lexer.octets.count / 16)) }
                for number in first..<(first + count) {
                    let entry = try tableEntry(&reader.lexer)
                    guard entries.updateValue(entry, forKey: Int32(number)) == nil else {
                        throw .damaged("the cross-reference table at \(offset) has object \(number) twice")
                    }
                }
            }
            guard case .dictionaryOpen = try reader.lexer.next() else {
                throw .damaged("the trailer at \(reader.lexer.start) is no dictionary")
            }
            let trailer = try reader.dictionary()
            return CrossReferenceSection(
                offset: offset, extent: offset..<reader.lexer.position, trailer: trailer, streamNumber: nil,
                entries: entries)
        }
    }

    /// `nnnnnnnnnn ggggg n` or `f`. Some writers end it by one octet in place of two: nothing depends on it here.
    private func tableEntry(_ lexer: inout PDFLexer) throws(PDFSyntaxError) -> CrossReferenceSection.Entry {
        guard case .integer(let place) = try lexer.next(), lexer.position - lexer.start == 10, place >= 0,
            case .integer(let generation) = try lexer.next(), lexer.position - lexer.start == 5, generation >= 0
        else { throw .damaged("a broken cross-reference entry at \(lexer.start)") }
        let word = try lexer.next()
        if lexer.isKeyword(word, "n") {
            guard place <= Int32.max else { throw .damaged("an object is said to be at \(place), outside of the file") }
            return .offset(Int32(place), generation: Int32(generation))
        }
        if lexer.isKeyword(word, "f") { return .free }
        throw .damaged("a broken cross-reference entry at \(lexer.start)")
    }

    // MARK: Streams

    private func stream(at offset: Int) throws(PDFSyntaxError) -> CrossReferenceSection {
        let objects = ObjectReader(document: document, budget: budget)
        let object = try objects.object(at: offset) { _ throws(PDFSyntaxError) in
            throw .damaged("the /Length of the cross-reference stream at \(offset) is not written in it")
        }
        guard let data = object.stream, let trailer = object.value.dictionary, trailer["Type"].name == "XRef" else {
            throw .damaged("there is no cross-reference section at \(offset)")
        }
        let widths = (trailer["W"].array ?? []).compactMap(\.integer)
        guard widths.count == 3, widths.allSatisfy({ (0...8).contains($0) }), widths[1] > 0 else {
            throw .damaged("the /W of the cross-reference stream at \(offset) is broken")
        }
        guard let size = trailer["Size"].integer, size >= 0, size <= Self.highestNumber + 1 else {
            throw .damaged("the /Size of the cross-reference stream at \(offset) is broken")
        }
        let index = trailer["Index"] == .null ? [0, size] : (trailer["Index"].array ?? []).compactMap(\.integer)
        guard index.count % 2 == 0, !index.isEmpty else {
            throw .damaged("the /Index of the cross-reference stream at \(offset) is broken")
        }
        let width = widths.reduce(0, +)
        let octets = try StreamData.decoded(
            document.slice(data), trailer, limit: width * (Self.maximumEntries + 1), budget: budget)
        var entries: [Int32: CrossReferenceSection.Entry] = [:]
        var place = 0
        func field(_ which: Int) throws(PDFSyntaxError) -> Int {
            var value: UInt64 = 0
            for _ in 0..<widths[which] {
                value = value << 8 | UInt64(octets[place])
                place += 1
            }
            guard value <= UInt64(Int32.max) else { throw .damaged("a number too large in a cross-reference stream") }
            return Int(value)
        }
        for pair in stride(from: 0, to: index.count, by: 2) {
            let (first, count) = (index[pair], index[pair + 1])
            guard (0...Self.highestNumber).contains(first), (0...Self.maximumEntries).contains(count),
                first + count <= Self.highestNumber + 1,
                place + count * width <= octets.count
            else { throw .damaged("the cross-reference stream at \(offset) has fewer entries than it says") }
            for number in first..<(first + count) {
                // The kind is 1 where it is left out (§7.5.8.2, table 17).
                let kind = widths[0] == 0 ? 1 : try field(0)
                let (second, third) = (try field(1), try field(2))
                let entry: CrossReferenceSection.Entry? =
                    switch kind {
                    case 0: .free
                    case 1: .offset(Int32(second), generation: Int32(third))
                    case 2: .compressed(stream: Int32(second), index: Int32(third))
                    // "a reference to the null object" (table 18)
                    default: nil
                    }
                guard let entry else { throw .damaged("an unknown kind of entry in a cross-reference stream") }
                guard entries.updateValue(entry, forKey: Int32(number)) == nil else {
                    throw .damaged("the cross-reference stream at \(offset) has object \(number) twice")
                }
            }
        }
        return CrossReferenceSection(
            offset: offset, extent: object.extent, trailer: trailer, streamNumber: object.reference.number,
            entries: entries)
    }

    private static var endMark: UnsafeRawBufferPointer { raw("%%EOF") }
    private static var startWord: UnsafeRawBufferPointer { raw("startxref") }
    private static func raw(_ text: StaticString) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }
}
