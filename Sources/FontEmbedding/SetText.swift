public import Octets

/// A glyph at its place in a line. Measures are in thousandths of the font size.
public struct SetGlyph: Hashable, Sendable {
    /// Its number in the font.
    public let glyph: UInt32
    /// The number of the font, in a ``FontStack``; 0 is the first.
    public let font: Int
    /// The characters it stands for; empty when another glyph stands for them.
    public let text: String
    /// The distance to the next glyph.
    public let advance: Int
    /// The glyph's own width, which the advance may differ from (kerning).
    public let width: Int
    /// From the pen to where it is drawn.
    public let xOffset: Int
    public let yOffset: Int
}

/// A piece of text as glyphs from left to right.
public struct SetText: Hashable, Sendable {
    public let glyphs: [SetGlyph]
    /// True if it is read from right to left.
    public let isRightToLeft: Bool
    /// In thousandths of the font size.
    public let width: Int

    public init(glyphs: [SetGlyph], isRightToLeft: Bool) {
        self.glyphs = glyphs
        self.isRightToLeft = isRightToLeft
        width = glyphs.reduce(0) { $0 + $1.advance }
    }
}

/// A part of a font, to be embedded.
public struct FontSubset: Sendable {
    /// The outlines and how a PDF embeds them.
    public enum Outlines: Sendable, Hashable {
        /// ``FontSubset/octets`` is a TrueType file.
        case trueType
        /// ``FontSubset/octets`` is a CFF table.
        case compact
    }

    public let outlines: Outlines
    public let octets: OctetString
    /// The number by which each glyph that was asked for is shown.
    public let numbers: [UInt32: Int]
    /// The number of glyphs, including those that others are composed of and the one for missing ones.
    public let glyphCount: Int
}
