import Octets
import PDFStructure

/// Objects that were written again, perhaps in another way, and mean the same as before.
extension ChangeReview {
    /// Deeper structures are taken for different.
    private static let deepest = 32

    /// Pairs of objects that are being compared, or are known to be the same.
    private struct Comparison {
        var pairs: Set<[Int]> = []
        var depth = 0
    }

    /// Returns true if the object is the same as before, although it was written again.
    func isSame(_ number: Int) throws(PDFSyntaxError) -> Bool {
        guard let before = try file.object(number, in: revision), let after = try file.object(number, in: 0),
            before.reference == after.reference
        else { return false }
        var comparison = Comparison()
        return try isSame(before, after, &comparison)
    }

    /// The keys of which the two have different values; new objects that hold the same value are approved.
    mutating func differences(
        _ before: PDFDictionary, _ after: PDFDictionary
    ) throws(PDFSyntaxError) -> Set<String> {
        var keys: Set<String> = []
        for key in Set(before.entries.keys).union(after.entries.keys) {
            var comparison = Comparison()
            if try isSame(before[key], after[key], &comparison) {
                for pair in comparison.pairs where !existing.contains(pair[1]) { approved.insert(pair[1]) }
            } else {
                keys.insert(key)
            }
        }
        return keys
    }

    private func isSame(
        _ before: PDFValue, _ after: PDFValue, _ comparison: inout Comparison
    ) throws(PDFSyntaxError) -> Bool {
        // The same number is the same object. If it was changed, it is reviewed by its number.
        if before == after { return true }
        comparison.depth += 1
        defer { comparison.depth -= 1 }
        guard comparison.depth < Self.deepest else { return false }
        switch (before, after) {
        case (.array(let old), .array(let new)):
            guard old.count == new.count else { return false }
            for (old, new) in zip(old, new) where try !isSame(old, new, &comparison) { return false }
            return true
        case (.dictionary(let old), .dictionary(let new)):
            guard !new.hasDuplicates, Set(old.entries.keys) == Set(new.entries.keys) else { return false }
            for (key, value) in old.entries where try !isSame(value, new[key], &comparison) { return false }
            return true
        case (.reference, _), (_, .reference): return try isSameBehind(before, after, &comparison)
        case (.real, .real), (.integer, .real), (.real, .integer): return Self.isRounded(before, after)
        default: return false
        }
    }

    /// Writers that write a page again round its numbers to the decimals that they keep, about ten. A difference of
    /// less than a millionth is invisible at any size.
    private static func isRounded(_ before: PDFValue, _ after: PDFValue) -> Bool {
        guard let before = before.number, let after = after.number, before.isFinite, after.isFinite else {
            return false
        }
        return abs(before - after) <= 1e-6 * max(abs(before), abs(after))
    }

    /// A value that moved into an object of its own, out of one, or into another one.
    private func isSameBehind(
        _ before: PDFValue, _ after: PDFValue, _ comparison: inout Comparison
    ) throws(PDFSyntaxError) -> Bool {
        // The content of an encrypted object depends on its number.
        guard file.sections[revision].trailer["Encrypt"] == .null else { return false }
        if let number = after.reference?.number, changed.contains(number), existing.contains(number) { return false }
        let pair = [before.reference?.number ?? -1, after.reference?.number ?? -1]
        // Of two that lead to each other again, one comparison is enough.
        if !pair.contains(-1), !comparison.pairs.insert(pair).inserted { return true }
        switch (before, after) {
        case (.reference(let old), .reference(let new)):
            guard let old = try file.object(old.number, in: revision), let new = try file.object(new.number, in: 0),
                before.reference == old.reference, after.reference == new.reference
            else { return false }
            return try isSame(old, new, &comparison)
        case (.reference(let old), _):
            guard let object = try file.object(old.number, in: revision), object.stream == nil else { return false }
            return try isSame(object.value, after, &comparison)
        case (_, .reference(let new)):
            guard let object = try file.object(new.number, in: 0), object.stream == nil else { return false }
            comparison.pairs.insert(pair)
            return try isSame(before, object.value, &comparison)
        default: return false
        }
    }

    private func isSame(
        _ before: IndirectObject, _ after: IndirectObject, _ comparison: inout Comparison
    ) throws(PDFSyntaxError) -> Bool {
        // Pages are known by their numbers: destinations and signature fields lead to these.
        let types = [before.value.dictionary?["Type"].name, after.value.dictionary?["Type"].name]
        guard before.reference == after.reference || !types.contains("Page") && !types.contains("Pages") else {
            return false
        }
        guard try isSame(before.value, after.value, &comparison) else { return false }
        switch (before.stream, after.stream) {
        case (nil, nil): return true
        case (let before?, let after?): return file.document.slice(before) == file.document.slice(after)
        default: return false
        }
    }
}
