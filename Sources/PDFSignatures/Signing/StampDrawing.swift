import FontEmbedding
import Octets
import PDFStructure

/// Draws a stamp as the appearance of a signature's widget (ISO 32000-1 §12.5.5): frame and text, opaque, in colours that
/// need no output intent and in a font of its own, as PDF/A wants it.
struct StampDrawing {
    /// As seen, in points.
    let width: Double
    let height: Double
    /// Of the page, clockwise; the stamp is turned back so that it is seen upright.
    let rotation: Int
    let texts: [String]
    let face: FontFace

    private static let padding = 3.0

    /// Adds the drawing's objects.
    /// - Returns: The form XObject.
    func add(to update: inout IncrementalUpdate) throws(PDFError) -> IndirectReference {
        let layout = StampLayout(
            texts, width: width - 2 * Self.padding, height: height - 2 * Self.padding, face: face)
        let part: FontSubset
        do throws(FontError) {
            part = try face.subset(Set(layout.lines.joined().map(\.glyph)))
        } catch {
            throw PDFError(.failed, error.reason)
        }
        let font = EmbeddedFont(face: face, part: part, glyphs: layout.lines.flatMap(\.self)).add(to: &update)
        let resources = PDFSyntax.dictionary([
            "Font": PDFSyntax.dictionary(["F1": Array(font.description.utf8)]),
            "ColorSpace": PDFSyntax.dictionary([
                "G": Array("[/CalGray << /WhitePoint [0.9642 1 0.8249] /Gamma 2.2 >>]".utf8)
            ]),
        ])
        var entries = Self.form(width: width, height: height, rotation: rotation)
        entries["Resources"] = resources
        return update.add(PDFSyntax.stream(entries, Array(content(layout, part).utf8)))
    }

    /// The appearance of a signature that does not show.
    static func addEmpty(to update: inout IncrementalUpdate) -> IndirectReference {
        var entries = form(width: 0, height: 0, rotation: 0)
        entries["Resources"] = PDFSyntax.dictionary([String: [UInt8]]())
        return update.add(PDFSyntax.stream(entries, []))
    }

    /// The matrix turns the box counterclockwise and back to the origin; the viewer then fits it into the rectangle.
    private static func form(width: Double, height: Double, rotation: Int) -> [String: [UInt8]] {
        let matrix: [Double] =
            switch rotation {
            case 90: [0, 1, -1, 0, height, 0]
            case 180: [-1, 0, 0, -1, width, height]
            case 270: [0, -1, 1, 0, 0, width]
            default: [1, 0, 0, 1, 0, 0]
            }
        return [
            "Type": PDFSyntax.name("XObject"), "Subtype": PDFSyntax.name("Form"), "FormType": Array("1".utf8),
            "BBox": Array(PDFSyntax.numbers([0, 0, width, height]).utf8),
            "Matrix": Array(PDFSyntax.numbers(matrix).utf8),
        ]
    }

    private func content(_ layout: StampLayout, _ part: FontSubset) -> String {
        let number = PDFSyntax.number
        var text = "q\n/G cs 1 sc 0 0 \(number(width)) \(number(height)) re f\n"
        text += "/G CS 0.3 SC 0.5 w 0.25 0.25 \(number(width - 0.5)) \(number(height - 0.5)) re S\n"
        if !layout.lines.isEmpty {
            let size = layout.fontSize
            // The lines as a block, in the middle of what is free above and below.
            let used = Double(layout.lines.count) * size * StampLayout.lineHeight
            let ascent = Double(face.metrics.ascent) / 1_000
            let descent = Double(-face.metrics.descent) / 1_000
            let lead = size * (StampLayout.lineHeight - ascent - descent) / 2
            var base = height - max(0, height - used) / 2 - lead - size * ascent
            text += "BT /F1 \(number(size)) Tf /G cs 0 sc\n"
            for line in layout.lines {
                text += "1 0 0 1 \(number(Self.padding)) \(number(base)) Tm \(Self.shown(line, part, size))\n"
                base -= size * StampLayout.lineHeight
            }
            text += "ET\n"
        }
        return text + "Q\n"
    }

    /// The glyphs of a line with TJ (§9.4.3); one that stands higher or lower, with the text rise.
    private static func shown(_ line: [SetGlyph], _ part: FontSubset, _ size: Double) -> String {
        var text = "["
        var rise = 0
        for glyph in line {
            if glyph.yOffset != rise {
                text += "] TJ \(PDFSyntax.number(Double(glyph.yOffset) * size / 1_000)) Ts ["
                rise = glyph.yOffset
            }
            // TJ moves to the left.
            if glyph.xOffset != 0 { text += " \(-glyph.xOffset) " }
            text += String(
                decoding: PDFSyntax.hexadecimalString(EmbeddedFont.code(part.numbers[glyph.glyph] ?? 0)), as: UTF8.self)
            let rest = glyph.width + glyph.xOffset - glyph.advance
            if rest != 0 { text += " \(rest) " }
        }
        return text + "] TJ" + (rise == 0 ? "" : " 0 Ts")
    }
}
