import FontEmbedding
import Octets
import PDFStructure

/// A part of a font as a composite font whose codes are glyph numbers (ISO 32000-1 §9.7).
struct EmbeddedFont {
    let face: FontFace
    let part: FontSubset
    /// All that are shown; the characters they stand for go into the map to Unicode (§9.10.3).
    let glyphs: [SetGlyph]

    /// The two octets that show a glyph.
    static func code(_ number: Int) -> [UInt8] { [UInt8(number >> 8 & 0xFF), UInt8(number & 0xFF)] }

    /// Adds the font's objects.
    /// - Returns: The Type 0 font.
    func add(to update: inout IncrementalUpdate) -> IndirectReference {
        let name = PDFSyntax.name("\(tag)+\(face.postScriptName)")
        let metrics = face.metrics
        var description = [
            "Type": PDFSyntax.name("FontDescriptor"), "FontName": name, "Flags": Array("4".utf8),
            "FontBBox": Array(PDFSyntax.numbers(metrics.bounds.map(Double.init)).utf8),
            "ItalicAngle": Array("0".utf8), "Ascent": Array("\(metrics.ascent)".utf8),
            "Descent": Array("\(metrics.descent)".utf8), "CapHeight": Array("\(metrics.capHeight)".utf8),
            "StemV": Array("80".utf8),
        ]
        var descendant = [
            "Type": PDFSyntax.name("Font"), "BaseFont": name,
            "CIDSystemInfo": Array("<< /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>".utf8), "W": widths,
        ]
        switch part.outlines {
        case .trueType:
            let file = update.add(
                PDFSyntax.stream(["Length1": Array("\(part.octets.count)".utf8)], part.octets))
            let present = update.add(PDFSyntax.stream([:], presentGlyphs))
            description["FontFile2"] = Array(file.description.utf8)
            description["CIDSet"] = Array(present.description.utf8)
            descendant["Subtype"] = PDFSyntax.name("CIDFontType2")
            descendant["CIDToGIDMap"] = PDFSyntax.name("Identity")
        case .compact:
            let file = update.add(
                PDFSyntax.stream(["Subtype": PDFSyntax.name("CIDFontType0C")], part.octets))
            description["FontFile3"] = Array(file.description.utf8)
            descendant["Subtype"] = PDFSyntax.name("CIDFontType0")
        }
        let descriptor = update.add(PDFSyntax.dictionary(description))
        descendant["FontDescriptor"] = Array(descriptor.description.utf8)
        let cidFont = update.add(PDFSyntax.dictionary(descendant))
        let map = update.add(PDFSyntax.stream([:], Array(toUnicode.utf8)))
        return update.add(
            PDFSyntax.dictionary([
                "Type": PDFSyntax.name("Font"), "Subtype": PDFSyntax.name("Type0"), "BaseFont": name,
                "Encoding": PDFSyntax.name("Identity-H"),
                "DescendantFonts": Array("[\(cidFont.description)]".utf8),
                "ToUnicode": Array(map.description.utf8),
            ]))
    }

    /// Six letters that tell parts of one font apart (§9.6.4).
    private var tag: String {
        // FNV-1a over the part's octets.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        part.octets.withUnsafeBytes { octets in
            for octet in octets { hash = (hash ^ UInt64(octet)) &* 0x100_0000_01B3 }
        }
        var letters = ""
        for _ in 0..<6 {
            letters.unicodeScalars.append(Unicode.Scalar(UInt8(ascii: "A") + UInt8(hash % 26)))
            hash /= 26
        }
        return letters
    }

    /// One bit for each glyph of the part, which PDF/A-1 asks for: all are there.
    private var presentGlyphs: [UInt8] {
        let (whole, rest) = part.glyphCount.quotientAndRemainder(dividingBy: 8)
        return [UInt8](repeating: 0xFF, count: whole) + (rest == 0 ? [] : [UInt8(truncatingIfNeeded: 0xFF00 >> rest)])
    }

    private var widths: [UInt8] {
        var known: [Int: Int] = [:]
        for glyph in glyphs { if let number = part.numbers[glyph.glyph] { known[number] = glyph.width } }
        return PDFSyntax.array(known.sorted { $0.key < $1.key }.map { Array("\($0.key) [\($0.value)]".utf8) })
    }

    private var toUnicode: String {
        var meanings: [Int: String] = [:]
        for glyph in glyphs where !glyph.text.isEmpty {
            if let number = part.numbers[glyph.glyph], meanings[number] == nil { meanings[number] = glyph.text }
        }
        func hexadecimal(_ octets: [UInt8]) -> String {
            String(decoding: PDFSyntax.hexadecimalString(octets), as: UTF8.self)
        }
        let lines = meanings.sorted { $0.key < $1.key }.map { number, text in
            "\(hexadecimal(Self.code(number))) \(hexadecimal(text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }))"
        }
        var text = """
            /CIDInit /ProcSet findresource begin
            12 dict begin
            begincmap
            /CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
            /CMapName /Adobe-Identity-UCS def
            /CMapType 2 def
            1 begincodespacerange
            <0000> <FFFF>
            endcodespacerange

            """
        // At most a hundred in one section.
        for begin in stride(from: 0, to: lines.count, by: 100) {
            let section = lines[begin..<min(begin + 100, lines.count)]
            text += "\(section.count) beginbfchar\n\(section.joined(separator: "\n"))\nendbfchar\n"
        }
        return text + "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
    }
}
