/// The things that were taken over from an original, and those that are left for a person.
struct ImportReport {
    private(set) var taken: [String] = []
    private(set) var byHand: [String] = []

    mutating func noteTaken(_ text: String) { taken.append(text) }

    mutating func leave(_ text: String) { byHand.append(text) }

    var lines: [String] {
        var lines: [String] = []
        if !taken.isEmpty { lines += ["", "Taken:"] + taken.map { "  " + $0 } }
        if !byHand.isEmpty {
            lines += ["", "To be done by hand:"] + byHand.enumerated().map { "  \($0.offset + 1). \($0.element)" }
        }
        return lines
    }
}
