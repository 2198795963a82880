/// Something that a content stream paints, as far as it matters for what hides what.
struct PaintedMark {
    enum Kind {
        /// One character of a text.
        case glyph
        /// A part of a drawing: filled, or a piece of a line.
        case drawing
        /// A long thin line, upright or level: of a table, a frame, or to be signed on.
        case rule
        /// A picture, pattern or shading: anything may be in it.
        case picture
    }

    let kind: Kind
    let quad: Quad
    let bounds: Box
    /// From 0 to 1.
    let opacity: Double
    /// True if it is like paper: nothing is lost when it is hidden.
    var isPaper = false
    /// True if something is lost when it is hidden.
    var isInk: Bool { !isPaper && kind != .rule }

    /// - Returns: nil when it is nowhere, or outside of `clip`.
    init?(_ kind: Kind, _ quad: Quad, clip: Box?, opacity: Double) {
        guard let bounds = quad.bounds, !bounds.sides.contains(where: \.isNaN) else { return nil }
        if let clip, !clip.overlaps(bounds.grown(by: 0.001)) { return nil }
        self.kind = kind
        self.quad = quad
        self.bounds = bounds
        self.opacity = opacity
    }
}

/// The marks that a content stream paints, in their order.
struct Painting {
    /// More than a page has.
    static let most = 200_000

    /// Marks elsewhere are not kept.
    let area: [Box]
    private(set) var marks: [PaintedMark] = []
    private(set) var isTooMuch = false

    init(within area: [Box]) { self.area = area }

    mutating func add(_ mark: PaintedMark?) {
        guard let mark, area.contains(where: { $0.overlaps(mark.bounds.grown(by: 0.001)) }) else { return }
        if marks.count < Self.most { marks.append(mark) } else { isTooMuch = true }
    }
}
