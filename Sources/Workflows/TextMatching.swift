import InternetMessage

/// Text of a message, made ready to be compared without case.
struct ComparableText {
    /// UTF-8 after simple case folding.
    let octets: [UInt8]
    /// The same by characters, which compare by canonical equivalence: macOS, for one, names files in decomposed form.
    /// nil where that cannot make a difference, or would cost too much for its worth.
    let characters: [Character]?

    init(_ text: some StringProtocol) { self.init(folded: caseFolded(text)) }

    /// - Parameter octets: UTF-8 after case folding.
    init(folded octets: [UInt8]) {
        self.octets = octets
        let isShort = octets.count <= 4_096
        characters =
            isShort && octets.contains { $0 >= 0x80 } ? Array(String(decoding: octets, as: UTF8.self)) : nil
    }
}

/// A text with wildcards, made ready to be found without case.
struct TextPattern {
    private let octets: Wildcards<UInt8>
    /// nil for ASCII, which has one form only.
    private let characters: Wildcards<Character>?

    /// - Parameter text: must be matched by the whole of a text; `*` stands for any run of characters.
    init(whole text: some StringProtocol) {
        self.init(
            runs: caseFolded(text).split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map(
                [UInt8].init))
    }

    /// - Parameter text: `*` stands for any run of characters; may stand anywhere in a text.
    init(within text: some StringProtocol) { self.init(whole: "*" + String(text) + "*") }

    /// - Parameter text: without wildcards; may stand anywhere in a text.
    init(literal text: some StringProtocol) { self.init(literalFolded: caseFolded(text)) }

    /// - Parameter octets: UTF-8 after case folding, without wildcards; may stand anywhere in a text.
    init(literalFolded octets: [UInt8]) { self.init(runs: [[], octets, []]) }

    private init(runs: [[UInt8]]) {
        octets = Wildcards(runs: runs)
        let isASCII = runs.allSatisfy { $0.allSatisfy { $0 < 0x80 } }
        characters = isASCII ? nil : Wildcards(runs: runs.map { [Character](String(decoding: $0, as: UTF8.self)) })
    }

    func matches(_ text: ComparableText) -> Bool {
        if octets.match(text.octets) { return true }
        guard let characters, let given = text.characters else { return false }
        return characters.match(given)
    }
}

/// Runs of units with wildcards between them.
///
/// The first run is held to the beginning and the last to the end; each run between them is sought from left to right
/// behind the one before, which finds a match whenever there is one. Linear in text and pattern together.
struct Wildcards<Unit: Equatable> {
    private let runs: [[Unit]]

    /// - Parameter runs: what stands before, between and after the wildcards; a single one means no wildcard.
    init(runs: [[Unit]]) { self.runs = runs }

    func match(_ text: [Unit]) -> Bool {
        guard let first = runs.first, let last = runs.last, runs.count > 1 else { return runs.first == text }
        guard text.count >= first.count + last.count, text.starts(with: first),
            text[(text.count - last.count)...].elementsEqual(last)
        else { return false }
        var position = first.count
        let end = text.count - last.count
        for run in runs.dropFirst().dropLast() where !run.isEmpty {
            guard let after = Self.endOfFirst(run, in: text, from: position, to: end) else { return false }
            position = after
        }
        return true
    }

    /// Returns the end of the first `run` within `text[start..<end]` (Knuth, Morris and Pratt).
    private static func endOfFirst(_ run: [Unit], in text: [Unit], from start: Int, to end: Int) -> Int? {
        guard end - start >= run.count else { return nil }
        // failure[n]: the length of the longest proper prefix of the run that is also a suffix of its first n + 1 units
        var failure = [Int](repeating: 0, count: run.count)
        var length = 0
        for index in run.indices.dropFirst() {
            while length > 0 && run[index] != run[length] { length = failure[length - 1] }
            if run[index] == run[length] { length += 1 }
            failure[index] = length
        }
        var matched = 0
        for index in start..<end {
            while matched > 0 && text[index] != run[matched] { matched = failure[matched - 1] }
            if text[index] == run[matched] { matched += 1 }
            if matched == run.count { return index + 1 }
        }
        return nil
    }
}

/// Returns the UTF-8 of `text` after simple case folding (Unicode §5.18). One scalar becomes one scalar, so `ß` does
/// not become `ss`, and the dotless `ı` does not become `i`.
func caseFolded(_ text: some StringProtocol) -> [UInt8] {
    var text = String(text)
    return text.withUTF8 { octets in
        var folded: [UInt8] = []
        folded.reserveCapacity(octets.count)
        var index = 0
        while index < octets.count {
            guard octets[index] >= 0x80 else {
                folded.append(octets[index].asciiLowercased)
                index += 1
                continue
            }
            // A run without ASCII at once: mail is either mostly ASCII or mostly not.
            let start = index
            while index < octets.count, octets[index] >= 0x80 { index += 1 }
            for scalar in String(decoding: UnsafeBufferPointer(rebasing: octets[start..<index]), as: UTF8.self)
                .unicodeScalars
            {
                folded.append(contentsOf: UTF8.encode(simpleFolding(scalar)) ?? UTF8.encodedReplacementCharacter)
            }
        }
        return folded
    }
}

private func simpleFolding(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    guard scalar.properties.changesWhenCaseFolded else { return scalar }
    if let lower = only(scalar.properties.lowercaseMapping), lower != scalar { return lower }
    // Second lower-case forms, such as the final sigma and the long s, meet the first one through their capital.
    guard let upper = only(scalar.properties.uppercaseMapping) else { return scalar }
    return only(upper.properties.lowercaseMapping) ?? scalar
}

private func only(_ mapping: String) -> Unicode.Scalar? {
    let scalars = mapping.unicodeScalars
    return scalars.count == 1 ? scalars.first : nil
}

/// UTF-8 with every run of blanks and line ends as one blank: where a line was wrapped is no matter of the words.
func withoutLineWraps(_ octets: [UInt8]) -> [UInt8] {
    var joined: [UInt8] = []
    joined.reserveCapacity(octets.count)
    var index = 0
    while index < octets.count {
        let length = lengthOfBlank(octets, at: index)
        if length == 0 {
            joined.append(octets[index])
        } else if joined.last != 0x20 {
            joined.append(0x20)
        }
        index += max(length, 1)
    }
    return joined
}

/// Returns the number of octets of the white space at `index`: one of ASCII's, or the two of a no-break space, which is
/// common in HTML.
private func lengthOfBlank(_ octets: [UInt8], at index: Int) -> Int {
    switch octets[index] {
    case 0x09...0x0D, 0x20: 1
    case 0xC2 where index + 1 < octets.count && octets[index + 1] == 0xA0: 2
    default: 0
    }
}
