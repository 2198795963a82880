import Octets
import PDFStructure

/// The properties of a font that determine where its characters stand (ISO 32000-1 §9.6, §9.7).
struct TextFont {
    /// True if a code has two octets.
    private(set) var isComposite = false
    private(set) var isVertical = false
    private var widths: [Int: Double] = [:]
    private var usual = 0.6
    /// Codes that stand for blanks, and for the low line of which the lines to sign on are made.
    private var blanks: Set<Int> = []

    /// - Parameter dictionary: The font, read in `revision`.
    init(_ dictionary: PDFDictionary, _ file: PDFFile, _ revision: Int) throws(PDFSyntaxError) {
        if dictionary["Subtype"].name == "Type0" {
            try readComposite(dictionary, file, revision)
        } else {
            try readSimple(dictionary, file, revision)
        }
    }

    struct Character {
        /// In parts of the font size.
        let width: Double
        let isBlank: Bool
        /// The single octet 32, to which word spacing applies.
        let isSpace: Bool
    }

    func characters(_ octets: [UInt8]) -> [Character] {
        guard isComposite else {
            return octets.map { octet in
                Character(
                    width: widths[Int(octet)] ?? usual, isBlank: blanks.contains(Int(octet)), isSpace: octet == 0x20)
            }
        }
        return stride(from: 0, to: octets.count - 1, by: 2).map { place in
            let code = Int(octets[place]) << 8 | Int(octets[place + 1])
            return Character(width: widths[code] ?? usual, isBlank: blanks.contains(code), isSpace: false)
        }
    }

    private mutating func readSimple(
        _ font: PDFDictionary, _ file: PDFFile, _ revision: Int
    ) throws(PDFSyntaxError) {
        blanks = [0x20, 0x5F, 0xA0]
        let given = try file.resolved(font["Widths"], in: revision).array ?? []
        let first = try file.resolved(font["FirstChar"], in: revision).integer ?? 0
        var unit = 0.001
        if font["Subtype"].name == "Type3" {
            // A font of drawings: each code may show anything.
            blanks = []
            let matrix = try file.resolved(font["FontMatrix"], in: revision).array?.first?.number ?? 0.001
            unit = matrix.isFinite && matrix != 0 ? abs(matrix) : 0.001
        }
        for (index, value) in given.prefix(256).enumerated() {
            guard let width = try file.resolved(value, in: revision).number, width.isFinite else { continue }
            widths[first &+ index] = width * unit
        }
        if given.isEmpty {
            let isFixed = font["BaseFont"].name?.contains("Courier") == true
            for (index, width) in Self.standardWidths.enumerated() {
                widths[0x20 + index] = isFixed ? 0.6 : Double(width) / 1_000
            }
        }
        // An encoding of the document's own may put anything in the place of the blank.
        if let encoding = try file.resolved(font["Encoding"], in: revision).dictionary {
            var code = 0
            for item in try file.resolved(encoding["Differences"], in: revision).array ?? [] {
                if let next = item.integer {
                    code = next
                } else {
                    if !["space", "nbspace", "underscore"].contains(item.name) { blanks.remove(code) }
                    code &+= 1
                }
            }
        }
    }

    private mutating func readComposite(
        _ font: PDFDictionary, _ file: PDFFile, _ revision: Int
    ) throws(PDFSyntaxError) {
        isComposite = true
        isVertical = font["Encoding"].name?.hasSuffix("V") ?? false
        let descendants = try file.resolved(font["DescendantFonts"], in: revision).array ?? []
        let descendant = try file.resolved(descendants.first ?? .null, in: revision).dictionary ?? PDFDictionary()
        usual = (try file.resolved(descendant["DW"], in: revision).number ?? 1_000) / 1_000
        try readWidths(try file.resolved(descendant["W"], in: revision).array ?? [], file, revision)
        // Glyph numbers say nothing of what they show, but a map to Unicode does, where the writer made one.
        if let map = font["ToUnicode"].reference, let object = try file.object(map.number, in: revision),
            object.stream != nil
        {
            try readBlanks(try file.content(of: object, in: revision))
        }
    }

    /// `first [width …]` and `first last width` (§9.7.4.3).
    private mutating func readWidths(
        _ items: [PDFValue], _ file: PDFFile, _ revision: Int
    ) throws(PDFSyntaxError) {
        var place = 0
        while place + 1 < items.count {
            guard let first = items[place].integer else { return }
            let next = try file.resolved(items[place + 1], in: revision)
            if let list = next.array {
                for (index, width) in list.enumerated() { widths[first &+ index] = (width.number ?? 1_000) / 1_000 }
                place += 2
            } else {
                guard place + 2 < items.count, let last = next.integer, let width = items[place + 2].number,
                    first >= 0, last >= first, last <= 0xFFFF
                else { return }
                for code in first...last { widths[code] = width / 1_000 }
                place += 3
            }
        }
    }

    /// Codes that a map to Unicode (§9.10.3) gives as a blank.
    private mutating func readBlanks(_ map: [UInt8]) throws(PDFSyntaxError) {
        var stream = ContentStream(OctetString(map))
        func code(_ value: PDFValue) -> Int? {
            guard let octets = value.string?.octets, octets.count == 2 else { return nil }
            return Int(octets[0]) << 8 | Int(octets[1])
        }
        while case .operation(let name, let operands)? = try stream.next() {
            // In a range only the first code is the one; those behind it are other characters.
            let step = name == "endbfchar" ? 2 : name == "endbfrange" ? 3 : 0
            guard step > 0, operands.count % step == 0 else { continue }
            for place in stride(from: 0, to: operands.count, by: step) {
                let meaning = operands[place + step - 1]
                guard let own = code(operands[place]), let shown = code(meaning.array?.first ?? meaning),
                    [0x20, 0x5F, 0xA0].contains(shown)
                else { continue }
                blanks.insert(own)
            }
        }
    }

    /// Widths of ASCII from the blank on, in thousandths: the widest of Helvetica and Times in their weights (Adobe's
    /// metrics).
    private static let standardWidths = [
        278, 333, 555, 556, 556, 1_000, 833, 278, 333, 333, 500, 584, 278, 333, 278, 278,
        556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611,
        1_015, 722, 722, 722, 722, 667, 611, 778, 778, 389, 556, 778, 667, 944, 722, 778,
        667, 778, 722, 667, 667, 722, 722, 1_000, 722, 722, 667, 333, 278, 333, 581, 556,
        333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 333, 556, 278, 889, 611, 611,
        611, 611, 444, 556, 389, 611, 556, 778, 556, 556, 500, 480, 280, 480, 584,
    ]
}
