internal import Octets

extension PDFFile {
    /// The findings of a pass over all objects of a revision.
    package struct Census: Sendable {
        /// The number of references to each of the object numbers asked for, the trailer included.
        package fileprivate(set) var references: [Int: Int] = [:]
        /// The objects with the name /ByteRange anywhere in them.
        package fileprivate(set) var byteRangeCarriers: Set<Int> = []
        /// True if there are form fields other than signatures, or annotations with text, which a reader may draw anew.
        package fileprivate(set) var hasVariableText = false
        /// The object streams that objects of the revision are in.
        package fileprivate(set) var containers: Set<Int> = []
        /// In-use objects that cannot be read to their end. A more lenient reader may find references in them. An
        /// object at octet 0 does not count: some writers mark unused numbers in this way.
        package fileprivate(set) var unreadable: Set<Int> = []
    }

    /// Goes once over all objects of `revision`, reachable or not, and counts references to `wanted`.
    package func census(of revision: Int, counting wanted: Set<Int>) throws(PDFSyntaxError) -> Census {
        var census = Census()
        var compressed: [(stream: Int32, index: Int32, number: Int)] = []
        for index in revision..<sections.count {
            // A later section's word counts.
            let later = sections[revision..<index]
            for (number, entry) in sections[index].entries {
                try budget.spend(64 + 8 * later.count)
                if later.contains(where: { $0.entries[number] != nil }) { continue }
                switch entry {
                case .free: break
                case .compressed(let stream, let index):
                    compressed.append((stream, index, Int(number)))
                    census.containers.insert(Int(stream))
                case .offset(let offset, _):
                    var tally = Tally(number: Int(number), wanted: wanted)
                    do throws(PDFSyntaxError) {
                        try reader.skim(at: Int(offset)) { tally.record($0, $1) }
                    } catch {
                        guard error.kind == .damaged else { throw error }
                        if offset > 0 { census.unreadable.insert(Int(number)) }
                    }
                    census.add(tally)
                }
            }
        }
        compressed.sort { ($0.stream, $0.index) < ($1.stream, $1.index) }
        for member in compressed {
            do throws(PDFSyntaxError) {
                try skim(member.number, Int(member.index), of: member.stream, in: revision, wanted, &census)
            } catch {
                guard error.kind == .damaged else { throw error }
                census.unreadable.insert(member.number)
            }
        }
        for value in sections[revision].trailer.entries.values {
            if let number = value.reference?.number, wanted.contains(number) {
                census.references[number, default: 0] += 1
            }
        }
        return census
    }

    private func skim(
        _ number: Int, _ index: Int, of stream: Int32, in revision: Int, _ wanted: Set<Int>, _ census: inout Census
    ) throws(PDFSyntaxError) {
        let stream = try self.stream(stream, in: revision)
        guard index < stream.places.count, stream.places[index].number == number else {
            throw .damaged("object \(number) is not in its object stream")
        }
        var tally = Tally(number: number, wanted: wanted)
        let place = stream.places[index].offset
        let position = try stream.octets.withUnsafeBytes { (octets) throws(PDFSyntaxError) in
            var lexer = PDFLexer(octets, at: place)
            var depth = 0
            repeat {
                let token = try lexer.next()
                tally.record(lexer, token)
                switch token {
                case .arrayOpen, .dictionaryOpen: depth += 1
                case .arrayClose, .dictionaryClose: depth -= 1
                case .end: return lexer.position
                default: break
                }
            } while depth > 0
            // A number at the top may be the first of a reference.
            for _ in 0..<2 where octets[place..<lexer.position].allSatisfy({ (0x20...0x39).contains($0) }) {
                guard let token = try? lexer.next() else { break }
                tally.record(lexer, token)
            }
            return lexer.position
        }
        try budget.spend(position - place)
        census.add(tally)
    }

    fileprivate struct Tally {
        let number: Int
        let wanted: Set<Int>
        var references: [Int: Int] = [:]
        var hasByteRange = false
        var hasVariableText = false
        private var before: (Int?, Int?) = (nil, nil)

        /// The types of form fields (§12.7.3.1) but signatures, and the annotation that is a text (§12.5.6.6).
        private static let variable: [StaticString] = ["Tx", "Ch", "Btn", "FreeText"]

        init(number: Int, wanted: Set<Int>) {
            self.number = number
            self.wanted = wanted
        }

        mutating func record(_ lexer: PDFLexer, _ token: PDFLexer.Token) {
            switch token {
            case .integer(let value): before = (before.1, value)
            case .name(let range):
                before = (nil, nil)
                if lexer.isName(range, "ByteRange") { hasByteRange = true }
                if Self.variable.contains(where: { lexer.isName(range, $0) }) { hasVariableText = true }
            case .keyword:
                if let number = before.0, before.1 != nil, wanted.contains(number), lexer.isKeyword(token, "R") {
                    references[number, default: 0] += 1
                }
                before = (nil, nil)
            default: before = (nil, nil)
            }
        }
    }
}

extension PDFFile.Census {
    fileprivate mutating func add(_ tally: PDFFile.Tally) {
        if !tally.references.isEmpty { references.merge(tally.references, uniquingKeysWith: +) }
        if tally.hasVariableText { hasVariableText = true }
        if tally.hasByteRange { byteRangeCarriers.insert(tally.number) }
    }
}
