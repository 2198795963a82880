import PDFStructure

/// The parts of the graphics state (ISO 32000-1 §8.4) that say where something is painted and how strongly.
struct GraphicsState {
    var matrix = Matrix()
    /// The smallest upright rectangle around the part that is not clipped away; nil for everything.
    var clip: Box?
    /// The lightness of the colour for filling, from 0 (black) to 1; nil for a pattern or a colour that is not known.
    var fillLightness: Double? = 0
    /// True if the numbers of the colour spaces tell the lightness of a colour.
    var isFillKnown = true
    var isStrokeKnown = true
    var isPatternFill = false
    var isPatternStroke = false
    var strokeLightness: Double? = 0
    var fillOpacity = 1.0
    var strokeOpacity = 1.0
    var lineWidth = 1.0
    var text = TextState()

    mutating func narrow(to box: Box) {
        guard let clip else {
            self.clip = box
            return
        }
        // Nothing is left: a rectangle without area.
        self.clip =
            clip.intersection(box) ?? Box(left: clip.left, bottom: clip.bottom, right: clip.left, top: clip.bottom)
    }
}

/// §9.3.
struct TextState {
    var font: TextFont?
    var size = 0.0
    var characterSpacing = 0.0
    var wordSpacing = 0.0
    var scaling = 1.0
    var leading = 0.0
    var rise = 0.0
    var mode = 0
    var matrix = Matrix()
    var line = Matrix()
}

/// The lightness of a colour, by the number of its components (§8.6.4).
enum Lightness {
    static func of(_ components: [Double]) -> Double? {
        switch components.count {
        case 1: components[0]
        case 3: 0.3 * components[0] + 0.59 * components[1] + 0.11 * components[2]
        case 4: max(0, 1 - min(1, 0.3 * components[0] + 0.59 * components[1] + 0.11 * components[2] + components[3]))
        default: nil
        }
    }
}
