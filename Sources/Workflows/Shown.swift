/// Returns text of a message in a form for a sentence for people: bounded, on one line, and without characters that act
/// on the reader's screen.
///
/// - Parameter limit: characters (scalars) of `text` at most; a longer one ends with `...`.
func shown(_ text: some StringProtocol, limit: Int = 200) -> String {
    var safe = String.UnicodeScalarView()
    for (index, scalar) in text.unicodeScalars.enumerated() {
        if index == limit {
            safe.append(contentsOf: "...".unicodeScalars)
            break
        }
        if actsOnScreens(scalar) {
            safe.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
        } else {
            safe.append(scalar)
        }
    }
    return String(safe)
}

/// Control and format characters (bidirectional overrides, zero-width ones), and what separates lines.
private func actsOnScreens(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: true
    default: false
    }
}

/// `items`, the first ones of `count`, as a list for people.
func listed(_ items: some Sequence<String>, of count: Int) -> String {
    let items = Array(items)
    return items.joined(separator: ", ") + (count > items.count ? " and \(count - items.count) more" : "")
}
