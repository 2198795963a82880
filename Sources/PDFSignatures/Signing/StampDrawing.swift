import FontEmbedding
import ImageReading
import Octets
import PDFStructure

/// Draws a stamp as the appearance of a signature's widget (ISO 32000-1 §12.5.5): frame, picture and text, opaque, in
/// colours that need no output intent and in fonts of its own, as PDF/A wants it.
struct StampDrawing {
    /// As seen, in points.
    let width: Double
    let height: Double
    /// Of the page, clockwise; the stamp is turned back so that it is seen upright.
    let rotation: Int
    let texts: [String]
    let look: StampLook
    let fonts: FontStack

    private static let padding = 3.0
    /// Each takes six objects of the update; see ``IncrementalUpdate/maximumObjects``.
    private static let maximumFonts = 16
    /// Of the width, for a picture beside the text.
    private static let imageShare = 0.4

    /// Adds the drawing's objects.
    /// - Returns: The form XObject.
    func add(to update: inout IncrementalUpdate) throws(PDFError) -> IndirectReference {
        let image = imageBox
        let isBeside = look.imagePlace == .beside
        let left = Self.padding + (isBeside ? image.map { $0.right } ?? 0 : 0)
        let layout = StampLayout(
            texts, width: width - left - Self.padding, height: height - 2 * Self.padding, fonts: fonts)
        var parts: [Int: FontSubset] = [:]
        var resources: [String: [UInt8]] = [:]
        let used = Dictionary(grouping: layout.lines.joined(), by: \.font)
        guard used.count <= Self.maximumFonts else {
            throw PDFError(.unsupported, "a stamp needs \(used.count) fonts; use fewer scripts in reason and location")
        }
        for (number, glyphs) in used.sorted(by: { $0.key < $1.key }) {
            let face = fonts.face(number)
            let part: FontSubset
            do throws(FontError) { part = try face.subset(Set(glyphs.map(\.glyph))) } catch {
                throw PDFError(.failed, error.reason)
            }
            parts[number] = part
            let font = EmbeddedFont(face: face, part: part, glyphs: glyphs).add(to: &update)
            resources["F\(number + 1)"] = Array(font.description.utf8)
        }
        var entries = Self.form(width: width, height: height, rotation: rotation)
        var kinds = [
            "Font": PDFSyntax.dictionary(resources),
            "ColorSpace": PDFSyntax.dictionary([
                "G": Array("[/CalGray << /WhitePoint [0.9642 1 0.8249] /Gamma 2.2 >>]".utf8)
            ]),
        ]
        if let picture = look.image, image != nil {
            kinds["XObject"] = PDFSyntax.dictionary(["I": Array(Self.add(picture, to: &update).description.utf8)])
        }
        entries["Resources"] = PDFSyntax.dictionary(kinds)
        return update.add(PDFSyntax.stream(entries, Array(content(layout, parts, image, left).utf8)))
    }

    /// The appearance of a signature that does not show.
    static func addEmpty(to update: inout IncrementalUpdate) -> IndirectReference {
        var entries = form(width: 0, height: 0, rotation: 0)
        entries["Resources"] = PDFSyntax.dictionary([String: [UInt8]]())
        return update.add(PDFSyntax.stream(entries, []))
    }

    // MARK: The picture

    /// The place of the picture, as large as it fits; nil if there is none, or it has no room.
    private var imageBox: Box? {
        guard let image = look.image else { return nil }
        let isBeside = look.imagePlace == .beside
        let room = (
            width: (isBeside ? width * Self.imageShare : width) - 2 * Self.padding, height: height - 2 * Self.padding
        )
        guard room.width > 1, room.height > 1 else { return nil }
        let scale = min(room.width / Double(image.width), room.height / Double(image.height))
        let size = (width: Double(image.width) * scale, height: Double(image.height) * scale)
        let left = isBeside ? Self.padding : (width - size.width) / 2
        let bottom = (height - size.height) / 2
        return Box(left: left, bottom: bottom, right: left + size.width, top: bottom + size.height)
    }

    /// A picture in sRGB as PDF describes it without a profile (§8.6.5.3).
    private static func add(_ image: RasterImage, to update: inout IncrementalUpdate) -> IndirectReference {
        let space =
            "[/CalRGB << /WhitePoint [0.9505 1 1.089] /Gamma [2.2 2.2 2.2] /Matrix"
            + " [0.4124 0.2126 0.0193 0.3576 0.7152 0.1192 0.1805 0.0722 0.9505] >>]"
        return update.add(
            PDFSyntax.stream(
                [
                    "Type": PDFSyntax.name("XObject"), "Subtype": PDFSyntax.name("Image"),
                    "Width": Array("\(image.width)".utf8), "Height": Array("\(image.height)".utf8),
                    "BitsPerComponent": Array("8".utf8), "ColorSpace": Array(space.utf8),
                    "Filter": PDFSyntax.name("FlateDecode"),
                ], image.pixels))
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

    // MARK: The content

    private func content(
        _ layout: StampLayout, _ parts: [Int: FontSubset], _ image: Box?, _ left: Double
    ) -> String {
        let number = PDFSyntax.number
        var text = "q\n/G cs 1 sc 0 0 \(number(width)) \(number(height)) re f\n"
        if let image {
            text += "q \(number(image.width)) 0 0 \(number(image.height)) \(number(image.left))"
            text += " \(number(image.bottom)) cm /I Do Q\n"
        }
        text += "/G CS 0.3 SC 0.5 w 0.25 0.25 \(number(width - 0.5)) \(number(height - 0.5)) re S\n"
        if !layout.lines.isEmpty {
            let size = layout.fontSize
            // The lines as a block, in the middle of what is free above and below.
            let used = Double(layout.lines.count) * size * StampLayout.lineHeight
            let ascent = Double(fonts.first.metrics.ascent) / 1_000
            let descent = Double(-fonts.first.metrics.descent) / 1_000
            let lead = size * (StampLayout.lineHeight - ascent - descent) / 2
            var base = height - max(0, height - used) / 2 - lead - size * ascent
            text += "BT /G cs 0 sc\n"
            for line in layout.lines {
                text += "1 0 0 1 \(number(left)) \(number(base)) Tm \(Self.shown(line, parts, size))\n"
                base -= size * StampLayout.lineHeight
            }
            text += "ET\n"
        }
        return text + "Q\n"
    }

    /// The glyphs of a line with TJ (§9.4.3), each in its font; one that stands higher or lower, with the text rise.
    private static func shown(_ line: [SetGlyph], _ parts: [Int: FontSubset], _ size: Double) -> String {
        var text = ""
        var rise = 0
        var font: Int?
        for glyph in line {
            if glyph.font != font || glyph.yOffset != rise {
                if font != nil { text += "] TJ " }
                if glyph.font != font { text += "/F\(glyph.font + 1) \(PDFSyntax.number(size)) Tf " }
                if glyph.yOffset != rise { text += "\(PDFSyntax.number(Double(glyph.yOffset) * size / 1_000)) Ts " }
                (font, rise) = (glyph.font, glyph.yOffset)
                text += "["
            }
            // TJ moves to the left.
            if glyph.xOffset != 0 { text += " \(-glyph.xOffset) " }
            let code = EmbeddedFont.code(parts[glyph.font]?.numbers[glyph.glyph] ?? 0)
            text += String(decoding: PDFSyntax.hexadecimalString(code), as: UTF8.self)
            let rest = glyph.width + glyph.xOffset - glyph.advance
            if rest != 0 { text += " \(rest) " }
        }
        return text + (font == nil ? "" : "] TJ") + (rise == 0 ? "" : " 0 Ts")
    }
}
