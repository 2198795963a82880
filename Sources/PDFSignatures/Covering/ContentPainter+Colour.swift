import PDFStructure

/// Colours (ISO 32000-1 §8.6): how light something is painted.
extension ContentPainter {
    /// - Returns: True if the operator is one of colour.
    mutating func interpretColour(
        _ name: String, _ operands: [PDFValue], _ resources: PDFDictionary
    ) throws(PDFSyntaxError) -> Bool {
        let numbers = operands.compactMap(\.number)
        switch name {
        case "g", "rg", "k":
            (state.fillLightness, state.isPatternFill) = (Lightness.of(numbers), false)
        case "G", "RG", "K":
            (state.strokeLightness, state.isPatternStroke) = (Lightness.of(numbers), false)
        case "cs":
            // A new space begins with black in most of them.
            (state.fillLightness, state.isPatternFill) = (0, false)
            state.isFillKnown = try isKnown(operands.first, resources)
        case "CS":
            (state.strokeLightness, state.isPatternStroke) = (0, false)
            state.isStrokeKnown = try isKnown(operands.first, resources)
        case "sc", "scn":
            state.isPatternFill = operands.last?.name != nil
            state.fillLightness = state.isFillKnown && !state.isPatternFill ? Lightness.of(numbers) : nil
        case "SC", "SCN":
            state.isPatternStroke = operands.last?.name != nil
            state.strokeLightness = state.isStrokeKnown && !state.isPatternStroke ? Lightness.of(numbers) : nil
        default: return false
        }
        return true
    }

    /// Returns true if the numbers of a colour space tell the lightness of a colour.
    private func isKnown(_ name: PDFValue?, _ resources: PDFDictionary) throws(PDFSyntaxError) -> Bool {
        let plain: Set<String> = ["DeviceGray", "DeviceRGB", "DeviceCMYK", "CalGray", "CalRGB", "ICCBased"]
        guard let name = name?.name else { return false }
        if plain.contains(name) { return true }
        let spaces = try file.resolved(resources["ColorSpace"], in: revision).dictionary
        let space = try file.resolved(spaces?[name] ?? .null, in: revision)
        let first = try file.resolved(space.array?.first ?? .null, in: revision)
        let kind = space.name ?? first.name
        return kind.map(plain.contains) ?? false
    }
}
