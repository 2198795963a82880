import PDFStructure

/// Data that help to verify signatures and are never shown.
extension ChangeReview {
    /// /DSS and, of the same form, /Extensions: dictionaries and arrays that may get more, streams that may not change.
    mutating func reviewValidationData(
        _ before: PDFValue, _ after: PDFValue, depth: Int
    ) throws(PDFSyntaxError) {
        // /DSS, /VRI, an entry of it, its array.
        guard depth < 8 else { return }
        if let number = after.reference?.number, changed.contains(number) {
            guard existing.contains(number) else { return try approveNew(in: after) }
            guard !approved.contains(number) else { return }
            if try !isSame(number) {
                // A stream is what it was: only what holds the streams together may change.
                guard before == after, isReferredToOnce(number), try file.object(number, in: 0)?.stream == nil,
                    try file.object(number, in: revision)?.stream == nil
                else { return }
            }
            approved.insert(number)
        }
        let old = try file.resolved(before, in: revision)
        let new = try file.resolved(after, in: 0)
        switch new {
        case .dictionary(let entries):
            for (key, value) in entries.entries {
                try reviewValidationData(old.dictionary?[key] ?? .null, value, depth: depth + 1)
            }
        case .array(let items):
            let former = old.array ?? []
            for (index, item) in items.enumerated() {
                let counterpart = index < former.count ? former[index] : .null
                try reviewValidationData(counterpart, item, depth: depth + 1)
            }
        default: break
        }
    }
}
