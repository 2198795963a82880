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
    /// The entities that are being read, the root first.
    private var open: [OpenEntity] = []
    private var position = 0
    private var parts = 0

    init(octets: OctetString, buffer: UnsafeRawBufferPointer, limits: Message.Limits) {
        self.octets = octets
        self.buffer = buffer
        self.limits = limits
    }

    mutating func read() throws(MessageSyntaxError) -> Entity {
        try begin(path: [], default: .textPlain)
        while let found = nextDelimiter() {
            let contentEnd = lineEndBefore(found.line.start)
            close(deeperThan: found.depth, at: contentEnd)
            open[found.depth].takeDelimiter(isFinal: found.isFinal, contentEnd: contentEnd, lineEnd: found.line.end)
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
            let entity = OpenEntity(path: path, header: header, default: contentType, isTooDeep: isTooDeep(path))
            position = header.bodyStart
            open.append(entity)
            guard case .message = entity.kind else { return }
            path.append(0)
            contentType = .textPlain
        }
    }

    private mutating func readHeader() throws(MessageSyntaxError) -> HeaderReader {
        var header = HeaderReader(octets: octets, start: position, limit: limits.headerOctets)
        while true {
            let line = LineBounds(of: buffer, at: header.position)
            if delimiter(line) != nil {
                header.endBeforeDelimiter()
                return header
            }
            let step = header.take(line, in: buffer)
            try header.checkSize()
            if step == .ended { return header }
        }
    }

    /// Depth beyond some hundreds is never followed, whatever the caller allows: releasing a value recurses.
    private func isTooDeep(_ path: Entity.Path) -> Bool { path.count >= min(limits.depth, 500) }

    // MARK: - Delimiters

    /// The next line that is a delimiter of an open multipart.
    private mutating func nextDelimiter() -> Delimiter? {
        guard open.contains(where: { $0.boundary != nil && !$0.isClosed }) else { return nil }
        while position < buffer.count {
            let line = LineBounds(of: buffer, at: position)
            if let found = delimiter(line) { return found }
            position = line.end
        }
        return nil
    }

    /// What `line` is to the open multiparts, innermost first: an outer delimiter ends inner parts too (RFC 2046 §5.1.2).
    ///
    /// RFC 2046 §5.1.1 is content when a line begins with the boundary. Generators make boundaries of which one begins with
    /// another, and the readers in use compare the whole line but for trailing white space; so does this one.
    private func delimiter(_ line: LineBounds) -> Delimiter? {
        guard line.contentEnd - line.start > 2, buffer[line.start] == 0x2D, buffer[line.start + 1] == 0x2D else {
            return nil
        }
        let start = line.start + 2
        var end = line.contentEnd
        while end > start, buffer[end - 1].isBlankOrCR { end -= 1 }
        let hasFinalDashes = end - start >= 2 && buffer[end - 1] == 0x2D && buffer[end - 2] == 0x2D
        for depth in open.indices.reversed() {
            guard !open[depth].isClosed, let boundary = open[depth].boundary else { continue }
            let isPlain = boundary.count == end - start
            guard isPlain || (hasFinalDashes && boundary.count == end - start - 2),
                boundary.withUnsafeBytes({ buffer.holds($0, at: start) })
            else { continue }
            return Delimiter(line: line, depth: depth, isFinal: !isPlain)
        }
        return nil
    }

    /// Where the line end before the delimiter at `start` begins: it belongs to the delimiter (RFC 2046 §5.1.1).
    private func lineEndBefore(_ start: Int) -> Int {
        guard start > 0, buffer[start - 1] == 0x0A else { return start }
        return start > 1 && buffer[start - 2] == 0x0D ? start - 2 : start - 1
    }

    // MARK: - Closing

    /// Closes the open entities deeper than `depth`, which end at `end`, each into the one around it.
    ///
    /// An empty part begins behind the line end that belongs to the delimiter: then this is where they all end.
    private mutating func close(deeperThan depth: Int, at end: Int) {
        let end = max(end, open[open.count - 1].start)
        while open.count > depth + 1 {
            let entity = open.removeLast().closed(at: end, in: octets)
            open[open.count - 1].take(entity)
        }
    }
}

extension UInt8 {
    /// Space, tab or CR.
    var isBlankOrCR: Bool { self == 0x20 || self == 0x09 || self == 0x0D }
}
