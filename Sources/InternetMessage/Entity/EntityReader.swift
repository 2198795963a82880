public import Octets

extension Message {
    /// Takes a message apart in one pass over its lines, which end with LF or CRLF, also mixed.
    ///
    /// What is wrong and can be read over becomes an ``Entity/Defect``.
    /// - Throws: ``MessageSyntaxError`` when there is nothing to read, or more than `limits` allows.
    public init(reading octets: OctetString, limits: Limits = Limits()) throws(MessageSyntaxError) {
        guard !octets.isEmpty else { throw MessageSyntaxError(.empty, offset: 0) }
        let root = try octets.withUnsafeBytes { (buffer) throws(MessageSyntaxError) -> Entity in
            var reader = EntityReader(octets: octets, buffer: buffer, limits: limits)
            return try reader.read()
        }
        self.init(octets: octets, root: root)
    }
}

/// Reads entities from lines, with the open ones on a stack of its own, so that no nesting can exhaust the thread's.
struct EntityReader {
    /// A line that separates or ends the parts of the open entity at `depth`.
    private struct Delimiter {
        let line: LineBounds
        let depth: Int
        let isFinal: Bool
    }

    private let octets: OctetString
    private let buffer: UnsafeRawBufferPointer
    private let limits: Message.Limits
    private let habits: ReadingHabits
    /// The lines that may be delimiters, where they are known from an earlier look.
    private let candidates: DelimiterCandidates?
    /// The first of them that was not yet passed.
    private var nextCandidate = 0
    /// The entities that are being read, the root first.
    private var open: [OpenEntity] = []
    private var position = 0
    private var parts = 0
    /// The choices that came up so far. They are noted only by a reader with this project's habits and with candidates.
    private(set) var choices: ReadingChoices = []
    /// The fields with ``ReadingChoices/fieldForm``.
    private(set) var oddFields: [StructuralField] = []
    private let notesChoices: Bool

    init(
        octets: OctetString, buffer: UnsafeRawBufferPointer, limits: Message.Limits,
        habits: ReadingHabits = ReadingHabits(), candidates: DelimiterCandidates? = nil
    ) {
        self.octets = octets
        self.buffer = buffer
        self.limits = limits
        self.habits = habits
        self.candidates = candidates
        notesChoices = candidates != nil && habits == ReadingHabits()
        guard let candidates, notesChoices else { return }
        if candidates.holdsBareCR { choices.insert(.bareCR) }
        if buffer.firstOffset(of: 0) != nil { choices.insert(.nul) }
    }

    mutating func read() throws(MessageSyntaxError) -> Entity {
        try begin(path: [], default: .textPlain)
        while let found = nextDelimiter() {
            let contentEnd = lineEndBefore(found.line.start)
            close(deeperThan: found.depth, at: contentEnd)
            open[found.depth].recordDelimiter(isFinal: found.isFinal, contentEnd: contentEnd, lineEnd: found.line.end)
            position = found.line.end
            guard !found.isFinal else { continue }
            let multipart = open[found.depth]
            try begin(path: multipart.path + [multipart.children.count], default: multipart.partDefault)
        }
        close(deeperThan: 0, at: buffer.count)
        return open[0].closed(at: buffer.count, in: octets)
    }

    // MARK: - Opening

    /// Reads the header at the present position and opens its entity; where that is a message, also the message in it.
    private mutating func begin(path: Entity.Path, default: ContentType) throws(MessageSyntaxError) {
        var path = path
        var contentType = `default`
        while true {
            if !path.isEmpty { parts += 1 }
            if parts > limits.parts { throw MessageSyntaxError(.tooManyParts(limit: limits.parts), offset: position) }
            let header = try readHeader()
            let entity = OpenEntity(
                path: path, header: header, default: contentType, isTooDeep: isTooDeep(path), habits: habits)
            position = header.bodyStart
            open.append(entity)
            if notesChoices { note(entity) }
            guard case .message = entity.kind else { return }
            path.append(0)
            contentType = .textPlain
        }
    }

    private mutating func readHeader() throws(MessageSyntaxError) -> HeaderReader {
        var header = HeaderReader(octets: octets, start: position, limit: limits.headerOctets, habits: habits)
        while true {
            let line = LineBounds(of: buffer, at: header.position, habits)
            if habits.seeksDelimitersInHeader, delimiter(line) != nil {
                header.endBeforeDelimiter()
                return header
            }
            let step = header.parse(line, in: buffer)
            try header.checkSize()
            if step == .ended { return header }
        }
    }

    /// Depth beyond some hundreds is never followed, whatever the caller allows: releasing a value recurses.
    private func isTooDeep(_ path: Entity.Path) -> Bool { path.count >= min(limits.depth, 500) }

    // MARK: - Delimiters

    /// The next line that is a delimiter of an open multipart.
    private mutating func nextDelimiter() -> Delimiter? {
        guard open.contains(where: holdsParts) else {
            if notesChoices { noteEpilogue() }
            return nil
        }
        while let start = nextLineToLookAt() {
            let line = LineBounds(of: buffer, at: start, habits)
            if let found = delimiter(line) { return found }
            position = line.end
        }
        return nil
    }

    /// Returns the beginning of the next line that may be a delimiter.
    private mutating func nextLineToLookAt() -> Int? {
        guard let candidates else { return position < buffer.count ? position : nil }
        while nextCandidate < candidates.lines.count {
            let line = candidates.lines[nextCandidate]
            if line.start >= position, habits.endsLinesAtCR || !line.isBehindCR { return line.start }
            nextCandidate += 1
        }
        return nil
    }

    private func holdsParts(_ entity: OpenEntity) -> Bool {
        entity.boundary != nil && (!entity.isClosed || habits.readsEpilogue)
    }

    /// Returns the meaning of `line` for the open multiparts; an outer delimiter ends inner parts too (RFC 2046
    /// §5.1.2).
    ///
    /// RFC 2046 §5.1.1 is satisfied when a line begins with the boundary. Generators make boundaries that begin with
    /// another one, and most readers in use compare the whole line except for trailing white space. So does this
    /// reader, unless its habits are those of another.
    private mutating func delimiter(_ line: LineBounds) -> Delimiter? {
        guard line.contentEnd - line.start > 2, buffer[line.start] == 0x2D, buffer[line.start + 1] == 0x2D else {
            return nil
        }
        if notesChoices { noteLikeness(of: line) }
        let start = line.start + 2
        var end = line.contentEnd
        if habits.delimiters != .exactLine {
            while end > start, buffer[end - 1].isBlankOrCR { end -= 1 }
        }
        var found: (depth: Int, isFinal: Bool, length: Int)?
        for depth in open.indices.reversed() where holdsParts(open[depth]) {
            guard let boundary = open[depth].boundary, let isFinal = match(boundary, from: start, to: end) else {
                continue
            }
            if let found, habits.precedence == .longest, found.length >= boundary.count { continue }
            found = (depth, isFinal, boundary.count)
        }
        return found.map { Delimiter(line: line, depth: $0.depth, isFinal: $0.isFinal) }
    }

    /// Compares the line content from `start` to `end` with the delimiters of `boundary`.
    /// - Returns: True for the final delimiter, false for another one, nil if it is none.
    private func match(_ boundary: OctetString, from start: Int, to end: Int) -> Bool? {
        let rest = end - start - boundary.count
        guard rest >= 0, holds(boundary, at: start) else { return nil }
        if rest == 0 { return false }
        let isFinal = rest >= 2 && buffer[end - rest] == 0x2D && buffer[end - rest + 1] == 0x2D
        switch habits.delimiters {
        case .wholeLine, .exactLine: return isFinal && rest == 2 ? true : nil
        case .prefix: return isFinal
        case .prefixWithExactEnd: return isFinal && rest == 2
        }
    }

    private func holds(_ boundary: OctetString, at start: Int) -> Bool {
        boundary.withUnsafeBytes { octets in
            habits.ignoresBoundaryCase ? buffer.holdsIgnoringCase(octets, at: start) : buffer.holds(octets, at: start)
        }
    }

    /// Returns the beginning of the line end before the delimiter at `start`, which belongs to the delimiter (RFC 2046
    /// §5.1.1).
    private func lineEndBefore(_ start: Int) -> Int {
        if habits.endsLinesAtCR, start > 0, buffer[start - 1] == 0x0D { return start - 1 }
        guard start > 0, buffer[start - 1] == 0x0A else { return start }
        return start > 1 && buffer[start - 2] == 0x0D ? start - 2 : start - 1
    }

    // MARK: - Choices

    private mutating func note(_ entity: OpenEntity) {
        choices.formUnion(entity.choices)
        let odd = entity.structuralFields.compactMap(StructuralField.init)
        if !odd.isEmpty { choices.insert(.fieldForm) }
        oddFields += odd
    }

    /// Records that other readers may take the line, which begins with two hyphens, for a delimiter of a multipart that
    /// is open to any of them.
    private mutating func noteLikeness(of line: LineBounds) {
        let start = line.start + 2
        var likeness = 0
        for entity in open {
            guard let boundary = entity.boundary, start + boundary.count <= line.contentEnd else { continue }
            let isExact = boundary.withUnsafeBytes { buffer.holds($0, at: start) }
            guard isExact || boundary.withUnsafeBytes({ buffer.holdsIgnoringCase($0, at: start) }) else { continue }
            likeness += 1
            if entity.isClosed { choices.insert(.epilogue) }
            let end = start + boundary.count
            let isFinal = line.contentEnd - end == 2 && buffer[end] == 0x2D && buffer[end + 1] == 0x2D
            if !isExact || !isFinal && end != line.contentEnd { choices.insert(.delimiterForm) }
        }
        if likeness > 1 { choices.insert(.precedence) }
    }

    /// Records the lines behind the last final delimiter, which only other readers read.
    private mutating func noteEpilogue() {
        guard open.contains(where: { $0.boundary != nil }) else { return }
        while let start = nextLineToLookAt() {
            noteLikeness(of: LineBounds(of: buffer, at: start, habits))
            nextCandidate += 1
        }
    }

    // MARK: - Closing

    /// Closes the open entities deeper than `depth`, which end at `end`, each into the one around it.
    ///
    /// An empty part begins behind the line end that belongs to the delimiter: then this is where they all end.
    private mutating func close(deeperThan depth: Int, at end: Int) {
        let end = max(end, open[open.count - 1].start)
        while open.count > depth + 1 {
            let entity = open.removeLast().closed(at: end, in: octets)
            open[open.count - 1].append(entity)
        }
    }
}
