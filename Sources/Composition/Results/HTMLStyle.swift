import InternetMessage

/// Tests whether the style attribute of an element keeps it within its own place.
///
/// Only properties and values that are known to is the answer yes: an outline, a shadow, a line without height or a
/// negative margin would paint over what stands beside the element.
enum HTMLStyle {
    /// - Parameter style: The attribute's value, lower case, character references not resolved.
    static func isHarmless(_ style: String) -> Bool {
        let octets = style.utf8
        // References, escapes, comments, functions, strings: what could be read in another way.
        guard
            !octets.contains(where: {
                "&\\(){}@<>!`".utf8.contains($0) || $0 < 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09
            }),
            style.firstRange(of: "/*") == nil
        else { return false }
        return style.split(separator: ";").allSatisfy { declaration in
            let text = trimmed(declaration)
            if text.isEmpty { return true }
            guard let colon = text.firstIndex(of: ":") else { return false }
            return isHarmless(String(trimmed(text[..<colon])), trimmed(text[text.index(after: colon)...]))
        }
    }

    private static func isHarmless(_ name: String, _ value: Substring) -> Bool {
        switch name {
        case "line-height": return isFullLine(value)
        case "vertical-align":
            return ["baseline", "top", "middle", "bottom", "text-top", "text-bottom", "sub", "super"].contains(value)
        case "display":
            return value == "none" || value == "block" || value.hasPrefix("inline") || value.hasPrefix("table")
        case "margin", "margin-top", "margin-right", "margin-bottom", "margin-left", "padding", "padding-top",
            "padding-right", "padding-bottom", "padding-left", "width", "max-width", "min-width", "height",
            "min-height", "border-radius", "border-spacing":
            return !hasNegative(value)
        case "font": return !value.contains("/") && !hasNegative(value)
        case _ where name.hasPrefix("border"): return !hasNegative(value) && !name.hasPrefix("border-image")
        default: return plain.contains(name) && !hasNegative(value)
        }
    }

    private static let plain: Set<String> = [
        "color", "background", "background-color", "font-family", "font-size", "font-style", "font-weight",
        "font-variant", "text-align", "text-decoration", "text-transform", "white-space", "word-wrap", "word-break",
        "overflow-wrap", "list-style", "list-style-type", "table-layout", "empty-cells", "caption-side",
    ]

    /// A line that is no lower than its letters, so that they stay in it.
    private static func isFullLine(_ value: Substring) -> Bool {
        if value == "normal" { return true }
        if value.hasSuffix("%") { return Double(value.dropLast()).map { $0 >= 100 } ?? false }
        return Double(value).map { $0 >= 1 } ?? false
    }

    /// Returns true if a negative number may stand in it.
    private static func hasNegative(_ value: Substring) -> Bool {
        var previous: Character = " "
        for character in value {
            if previous == "-", character.isNumber || character == "." { return true }
            previous = character
        }
        return false
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return text
    }
}
