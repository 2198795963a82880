import PDFStructure

/// Text (ISO 32000-1 §9): where each of its characters stands.
extension ContentPainter {
    /// From below the base line to above it, in parts of the font size. The font's own height is not used: a document
    /// could make characters as large as it likes, and a cover a small part of them.
    private static let below = -0.22
    private static let above = 0.8
    /// No character is taken to be wider or narrower.
    private static let widest = 1.2
    private static let narrowest = 0.15

    mutating func interpretText(
        _ name: String, _ operands: [PDFValue], _ resources: PDFDictionary
    ) throws(PDFSyntaxError) {
        let numbers = operands.map { $0.number ?? 0 }
        let first = numbers.first ?? 0
        switch name {
        case "BT": (state.text.matrix, state.text.line) = (Matrix(), Matrix())
        case "Tf":
            state.text.font = try font(operands.first, resources)
            state.text.size = numbers.last ?? 0
        case "Tc": state.text.characterSpacing = first
        case "Tw": state.text.wordSpacing = first
        case "Tz": state.text.scaling = first / 100
        case "TL": state.text.leading = first
        case "Ts": state.text.rise = first
        case "Tr": state.text.mode = Int(exactly: first) ?? 0
        case "Td" where numbers.count == 2: moveLine(numbers[0], numbers[1])
        case "TD" where numbers.count == 2:
            state.text.leading = -numbers[1]
            moveLine(numbers[0], numbers[1])
        case "Tm":
            if let matrix = Matrix(numbers) { (state.text.matrix, state.text.line) = (matrix, matrix) }
        case "T*": moveLine(0, -state.text.leading)
        case "Tj": show(operands.last)
        case "'":
            moveLine(0, -state.text.leading)
            show(operands.last)
        case "\"" where numbers.count == 3:
            (state.text.wordSpacing, state.text.characterSpacing) = (numbers[0], numbers[1])
            moveLine(0, -state.text.leading)
            show(operands.last)
        case "TJ":
            for item in operands.last?.array ?? [] {
                if let distance = item.number { advance(-distance / 1_000 * state.text.size) } else { show(item) }
            }
        default: break
        }
    }

    private mutating func moveLine(_ x: Double, _ y: Double) {
        state.text.line = Matrix(e: x, f: y).then(state.text.line)
        state.text.matrix = state.text.line
    }

    /// Along the line, in text space before scaling.
    private mutating func advance(_ distance: Double) {
        let isVertical = state.text.font?.isVertical ?? false
        let step = isVertical ? Matrix(f: distance) : Matrix(e: distance * state.text.scaling)
        state.text.matrix = step.then(state.text.matrix)
    }

    private mutating func show(_ value: PDFValue?) {
        guard let octets = value?.string?.octets, let font = state.text.font else { return }
        let text = state.text
        for character in font.characters(octets) {
            let width = min(max(character.width, Self.narrowest), Self.widest)
            // Mode 3 paints nothing, as the text behind a scanned page; mode 7 only clips (table 106).
            if !character.isBlank, text.mode != 3, text.mode != 7 {
                let box = Box(
                    left: font.isVertical ? -0.5 : 0, bottom: font.isVertical ? -1 : Self.below,
                    right: font.isVertical ? 0.5 : width, top: font.isVertical ? 0 : Self.above)
                var sized = Matrix(a: text.size * text.scaling, d: text.size, f: text.rise)
                sized = sized.then(state.text.matrix).then(state.matrix)
                let opacity = text.mode == 1 ? state.strokeOpacity : state.fillOpacity
                painting.add(PaintedMark(.glyph, Quad(box, sized), clip: state.clip, opacity: opacity))
            }
            let step = font.isVertical ? -1 : character.width
            let spacing = text.characterSpacing + (character.isSpace ? text.wordSpacing : 0)
            advance(step * text.size + (font.isVertical ? -spacing : spacing))
        }
    }
}
