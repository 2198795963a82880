import Octets

/// The lines of a message that begin with two hyphens: no other can be a delimiter (RFC 2046 §5.1.1).
///
/// A message that is read several times need not be looked through each time.
struct DelimiterCandidates {
    /// In order. A line that stands behind a CR alone is one for some readers only.
    let lines: [(start: Int, isBehindCR: Bool)]
    /// True if a CR without LF stands anywhere.
    let holdsBareCR: Bool

    init(_ buffer: UnsafeRawBufferPointer) {
        var lines: [(start: Int, isBehindCR: Bool)] = []
        var holdsBareCR = false
        func record(_ start: Int, isBehindCR: Bool) {
            guard start + 2 < buffer.count, buffer[start] == 0x2D, buffer[start + 1] == 0x2D else { return }
            lines.append((start, isBehindCR))
        }
        record(0, isBehindCR: false)
        var index = 0
        while let found = buffer.firstLineEndOctet(from: index) {
            let isLF = buffer[found] == 0x0A
            let isPair = !isLF && found + 1 < buffer.count && buffer[found + 1] == 0x0A
            index = isPair ? found + 2 : found + 1
            if !isLF && !isPair { holdsBareCR = true }
            record(index, isBehindCR: !isLF && !isPair)
        }
        self.lines = lines
        self.holdsBareCR = holdsBareCR
    }
}
