import FontEmbedding

/// The lines of a stamp: text broken and made small enough for its box, cut with an ellipsis if even that is not
/// enough.
struct StampLayout {
    /// In points.
    private(set) var fontSize = 0.0
    private(set) var lines: [[SetGlyph]] = []

    static let lineHeight = 1.2
    private static let usualSize = 10.0
    private static let maximumSize = 14.0
    private static let minimumSize = 4.5
    /// Of one text; more cannot show.
    private static let maximumCharacters = 600

    private let fonts: FontStack
    private let space: SetText

    /// - Parameters:
    ///   - texts: Each begins a line of its own; the most important first.
    ///   - width: In points, as is the height.
    init(_ texts: [String], width: Double, height: Double, fonts: FontStack) {
        self.fonts = fonts
        space = fonts.set(" ")
        guard width > 0, height > 0, !texts.isEmpty else { return }
        let paragraphs = texts.map { words($0) }
        // Tiny boxes get tiny letters: what shows of them is up to the reader's magnifier.
        let least = min(Self.minimumSize, height / Self.lineHeight)
        // In a tall box letters may be larger.
        let most = min(Self.maximumSize, max(Self.usualSize, height / 8))
        var size = min(most, height / Self.lineHeight)
        while true {
            let broken = paragraphs.map { lines(of: $0, width: width * 1_000 / size) }
            let room = Int(height / (size * Self.lineHeight) + 0.001)
            let isLast = size <= least
            if broken.reduce(0, { $0 + $1.count }) <= room || isLast {
                fontSize = size
                lines = cut(broken, to: room, width: Int(width * 1_000 / size))
                return
            }
            size = max(least, size - 0.5)
        }
    }

    private typealias Line = [SetText]

    private func words(_ text: String) -> [SetText] {
        text.prefix(Self.maximumCharacters)
            .split {
                $0.unicodeScalars.allSatisfy { $0.properties.isWhitespace || $0.properties.generalCategory == .control }
            }
            .map { fonts.set(String($0)) }
    }

    private func lines(of words: [SetText], width: Double) -> [Line] {
        let width = Int(width)
        var lines: [Line] = []
        var line: Line = []
        var used = 0
        for word in words {
            for piece in pieces(of: word, width: width) {
                let needed = line.isEmpty ? piece.width : used + space.width + piece.width
                if line.isEmpty || needed <= width {
                    line.append(piece)
                    used = needed
                } else {
                    lines.append(line)
                    line = [piece]
                    used = piece.width
                }
            }
        }
        if !line.isEmpty { lines.append(line) }
        return lines
    }

    /// A word that is wider than a line, in pieces of at most a line; at least one glyph each.
    private func pieces(of word: SetText, width: Int) -> [SetText] {
        guard word.width > width else { return [word] }
        var pieces: [SetText] = []
        var piece: [SetGlyph] = []
        var used = 0
        // In the order of reading, which for a word from right to left is the other way round.
        for glyph in word.isRightToLeft ? word.glyphs.reversed() : word.glyphs {
            // A mark stays with its letter.
            if used + glyph.advance > width, !piece.isEmpty, glyph.advance > 0 {
                pieces.append(SetText(glyphs: piece, isRightToLeft: word.isRightToLeft))
                piece = []
                used = 0
            }
            piece.append(glyph)
            used += glyph.advance
        }
        pieces.append(SetText(glyphs: piece, isRightToLeft: word.isRightToLeft))
        guard word.isRightToLeft else { return pieces }
        return pieces.map { SetText(glyphs: $0.glyphs.reversed(), isRightToLeft: true) }
    }

    /// Removes lines from the longest texts until at most `room` are left, and whole texts from the end if that is not
    /// enough.
    private func cut(_ texts: [[Line]], to room: Int, width: Int) -> [[SetGlyph]] {
        var kept = Array(texts.filter { !$0.isEmpty }.prefix(max(0, room)))
        var isCut = kept.map { _ in false }
        while kept.reduce(0, { $0 + $1.count }) > room {
            guard let longest = kept.indices.max(by: { kept[$0].count < kept[$1].count }), kept[longest].count > 1
            else { break }
            kept[longest].removeLast()
            isCut[longest] = true
        }
        return zip(kept, isCut).flatMap { lines, isCut in
            lines.enumerated().map { index, line in
                let glyphs = joined(line)
                let isShort = isCut && index == lines.count - 1
                return isShort || glyphs.reduce(0, { $0 + $1.advance }) > width
                    ? withEllipsis(glyphs, width: width) : glyphs
            }
        }
    }

    private func withEllipsis(_ glyphs: [SetGlyph], width: Int) -> [SetGlyph] {
        let ellipsis = fonts.set("\u{2026}")
        var glyphs = glyphs
        var used = glyphs.reduce(0) { $0 + $1.advance }
        while used + ellipsis.width > width, let last = glyphs.popLast() { used -= last.advance }
        return glyphs + ellipsis.glyphs
    }

    /// Joins words from left to right; consecutive words of a script from right to left keep its order.
    private func joined(_ line: Line) -> [SetGlyph] {
        var ordered: Line = []
        var turned: Line = []
        for word in line {
            if word.isRightToLeft {
                turned.append(word)
            } else {
                ordered += turned.reversed()
                turned = []
                ordered.append(word)
            }
        }
        ordered += turned.reversed()
        return Array(ordered.map(\.glyphs).joined(separator: space.glyphs))
    }
}
