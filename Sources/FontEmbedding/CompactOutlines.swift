import Octets

/// The properties of a CFF table that its embedding depends on (Adobe Technical Note 5176).
struct CompactOutlines {
    /// The number by which a PDF shows each glyph: its CID, where the table is CID-keyed; nil where glyphs are shown by
    /// their place (ISO 32000-1 §9.7.4.2).
    let identifiers: [Int]?

    /// - Parameter glyphCount: The number of glyphs in the table.
    /// - Returns: nil when the table cannot be read.
    init?(_ table: UnsafeRawBufferPointer, glyphCount: Int) {
        let reader = Reader(octets: table)
        // Header, Name INDEX, Top DICT INDEX.
        guard let headerSize = reader.number(at: 2, size: 1), let names = reader.index(at: headerSize),
            let dictionaries = reader.index(at: names.end), let first = dictionaries.elements.first,
            let operators = reader.operators(in: first)
        else { return nil }
        guard operators[Self.registryOrderingSupplement] != nil else {
            identifiers = nil
            return
        }
        guard let charset = operators[Self.charset]?.last, let read = reader.charset(at: charset, count: glyphCount)
        else {
            return nil
        }
        identifiers = read
    }

    private static let charset = 15
    /// The operator 12 30.
    private static let registryOrderingSupplement = 12 << 8 | 30

    private struct Reader {
        let octets: UnsafeRawBufferPointer

        func number(at place: Int, size: Int) -> Int? {
            guard place >= 0, size > 0, place <= octets.count - size else { return nil }
            return octets[place..<place + size].reduce(0) { $0 << 8 | Int($1) }
        }

        /// An INDEX: where its elements are, and where it ends.
        func index(at place: Int) -> (elements: [Range<Int>], end: Int)? {
            guard let count = number(at: place, size: 2) else { return nil }
            if count == 0 { return ([], place + 2) }
            guard let size = number(at: place + 2, size: 1), (1...4).contains(size) else { return nil }
            let base = place + 2 + (count + 1) * size
            var elements: [Range<Int>] = []
            var start = 1
            for element in 1...count {
                guard let end = number(at: place + 3 + element * size, size: size), end >= start,
                    base + end <= octets.count
                else { return nil }
                elements.append(base + start..<base + end)
                start = end
            }
            return (elements, base + start)
        }

        /// The operators of a DICT with their operands; real numbers are left out.
        func operators(in range: Range<Int>) -> [Int: [Int]]? {
            var found: [Int: [Int]] = [:]
            var operands: [Int] = []
            var place = range.lowerBound
            while place < range.upperBound {
                let octet = Int(octets[place])
                switch octet {
                case 12:
                    guard place + 1 < range.upperBound else { return nil }
                    found[12 << 8 | Int(octets[place + 1])] = operands
                    operands = []
                    place += 2
                case 0...21:
                    found[octet] = operands
                    operands = []
                    place += 1
                case 28:
                    guard let value = number(at: place + 1, size: 2) else { return nil }
                    operands.append(Int(Int16(truncatingIfNeeded: value)))
                    place += 3
                case 29:
                    guard let value = number(at: place + 1, size: 4) else { return nil }
                    operands.append(Int(Int32(truncatingIfNeeded: value)))
                    place += 5
                case 30:
                    place += 1
                    while place < range.upperBound, octets[place] & 0x0F != 0x0F { place += 1 }
                    place += 1
                case 32...246:
                    operands.append(octet - 139)
                    place += 1
                case 247...254:
                    guard let next = number(at: place + 1, size: 1) else { return nil }
                    operands.append(octet < 251 ? (octet - 247) * 256 + next + 108 : -(octet - 251) * 256 - next - 108)
                    place += 2
                default: return nil
                }
            }
            return found
        }

        /// The CID of each glyph; the first is always 0.
        func charset(at place: Int, count: Int) -> [Int]? {
            // The three charsets that are built in are not for CID-keyed fonts.
            guard place > 2, let format = number(at: place, size: 1) else { return nil }
            var identifiers = [0]
            var next = place + 1
            while identifiers.count < count {
                guard let first = number(at: next, size: 2) else { return nil }
                switch format {
                case 0:
                    identifiers.append(first)
                    next += 2
                case 1, 2:
                    guard let left = number(at: next + 2, size: format) else { return nil }
                    identifiers += Array((first...first + left).prefix(count - identifiers.count))
                    next += 2 + format
                default: return nil
                }
            }
            return identifiers
        }
    }
}
