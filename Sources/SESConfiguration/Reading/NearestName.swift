import InternetMessage

/// Finds the word that was probably meant.
enum NearestName {
    /// The one of `known` that is most like `word`: at most a third of its letters differ, transpositions counted once.
    static func of(_ word: String, among known: [String]) -> String? {
        guard word.utf8.count <= 64 else { return nil }
        let letters = Array(word.asciiLowercased.unicodeScalars)
        var best: (name: String, distance: Int)?
        for name in known where name != word {
            let distance = Self.distance(letters, Array(name.asciiLowercased.unicodeScalars))
            guard distance <= max(2, min(letters.count, name.utf8.count) / 3), distance < letters.count else {
                continue
            }
            if best == nil || distance < best?.distance ?? 0 { best = (name, distance) }
        }
        return best?.name
    }

    /// Insertions, deletions, replacements and transpositions of neighbours that lead from one word to the other.
    static func distance(_ first: [Unicode.Scalar], _ second: [Unicode.Scalar]) -> Int {
        var beforeLast = [Int](repeating: 0, count: second.count + 1)
        var last = Array(0...second.count)
        for row in first.indices {
            var current = [row + 1]
            current.reserveCapacity(second.count + 1)
            for column in second.indices {
                let same = first[row] == second[column]
                var cost = min(last[column + 1] + 1, current[column] + 1, last[column] + (same ? 0 : 1))
                if row > 0, column > 0, first[row] == second[column - 1], first[row - 1] == second[column] {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            (beforeLast, last) = (last, current)
        }
        return last[second.count]
    }
}
