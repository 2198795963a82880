public import Octets

extension Header {
    /// Reads the header that begins at `offset`, up to the first empty line, the first line that is not a field, or the
    /// end.
    ///
    /// Lines end with LF or CRLF, so a raw file and its CRLF form give the same fields.
    /// - Parameters:
    ///   - octets: All octets; the ranges of the fields are ranges of them.
    ///   - offset: The beginning of the header, 0 to `octets.count`.
    /// - Throws: ``MessageSyntaxError/Kind/headerTooLarge(limit:)``.
    public init(
        reading octets: OctetString, from offset: Int = 0, limits: Message.Limits = Message.Limits()
    ) throws(MessageSyntaxError) {
        let end = octets.count
        self = try octets.withUnsafeBytes { (buffer) throws(MessageSyntaxError) -> Header in
            var reader = HeaderReader(octets: octets, start: min(max(offset, 0), end), limit: limits.headerOctets)
            while reader.parse(LineBounds(of: buffer, at: reader.position), in: buffer) == .more {
                try reader.checkSize()
            }
            try reader.checkSize()
            return reader.header(before: end)
        }
    }
}

/// A line: where it begins, where its content ends, and where the next line begins.
struct LineBounds {
    let start: Int
    /// Before the line end; a CR stands within the content unless a LF follows it.
    let contentEnd: Int
    /// After the line end.
    let end: Int

    /// The line that begins at `start`.
    init(of buffer: UnsafeRawBufferPointer, at start: Int) {
        self.start = start
        guard let lineFeed = buffer.firstOffset(of: 0x0A, from: start) else {
            contentEnd = buffer.count
            end = buffer.count
            return
        }
        contentEnd = lineFeed > start && buffer[lineFeed - 1] == 0x0D ? lineFeed - 1 : lineFeed
        end = lineFeed + 1
    }

    /// The line that begins at `start`, as a reader with `habits` takes it.
    init(of buffer: UnsafeRawBufferPointer, at start: Int, _ habits: ReadingHabits) {
        var line = LineBounds(of: buffer, at: start)
        if habits.endsLinesAtCR, let found = buffer.firstLineEndOctet(from: start), found < line.contentEnd {
            line = LineBounds(start: start, contentEnd: found, end: found + 1)
        }
        if habits.cutsLinesAtNUL, let found = buffer.firstOffset(of: 0, from: start), found < line.contentEnd {
            line = LineBounds(start: start, contentEnd: found, end: line.end)
        }
        self = line
    }

    private init(start: Int, contentEnd: Int, end: Int) {
        self.start = start
        self.contentEnd = contentEnd
        self.end = end
    }

    var isEmpty: Bool { contentEnd == start }

    /// Returns true if it has nothing but blanks.
    func isBlank(in buffer: UnsafeRawBufferPointer) -> Bool {
        (start..<contentEnd).allSatisfy { buffer[$0].isBlankOrCR }
    }
}

/// Takes the lines of one header, one after the other, and makes fields of them.
struct HeaderReader {
    enum Step {
        /// The line belongs to the header.
        case more
        /// The line ended the header, or there was none.
        case ended
    }

    let octets: OctetString
    let start: Int
    let limit: Int
    /// The beginning of the next line.
    private(set) var position: Int
    /// The beginning of the body, once the header has ended.
    private(set) var bodyStart: Int
    private(set) var defects: [Entity.Defect] = []
    /// The choices that came up.
    private(set) var choices: ReadingChoices = []
    private let habits: ReadingHabits
    private var fields: [HeaderField] = []
    /// The field that a folded line would continue.
    private var open: (start: Int, nameStart: Int, nameEnd: Int, colon: Int, contentEnd: Int, end: Int)?

    init(octets: OctetString, start: Int, limit: Int, habits: ReadingHabits = ReadingHabits()) {
        self.octets = octets
        self.habits = habits
        self.start = start
        self.limit = limit
        position = start
        bodyStart = start
    }

    /// The header so far, the last field included.
    ///
    /// If a delimiter follows the last field directly, the field's line end belongs to the delimiter and is cut off at
    /// `end`.
    func header(before end: Int) -> Header {
        var ended = self
        if let field = open { ended.open?.end = max(min(field.end, end), field.contentEnd) }
        ended.closeField()
        return Header(fields: ended.fields, range: start..<max(min(position, end), start))
    }

    /// Takes the line, which must begin at ``position``.
    mutating func parse(_ line: LineBounds, in buffer: UnsafeRawBufferPointer) -> Step {
        guard line.start < line.end else {
            bodyStart = position
            return .ended
        }
        if line.isBlank(in: buffer) {
            if line.isEmpty || habits.endsHeaderAtBlankLine {
                bodyStart = line.end
                return .ended
            }
            choices.insert(.blankLine)
        }
        let first = buffer[line.start]
        if first == 0x20 || first == 0x09 {
            continueField(to: line)
        } else if let name = Self.fieldName(of: line, in: buffer), allows(name.colon - name.end) {
            closeField()
            open = (line.start, name.start, name.end, name.colon, line.contentEnd, line.end)
            if name.isIllegal { defects.append(.malformedHeaderLine(at: line.start)) }
        } else if line.start == start && isMailboxSeparator(line, in: buffer) {
            defects.append(.malformedHeaderLine(at: line.start))
        } else {
            return parseLineWithoutField(line)
        }
        position = line.end
        return .more
    }

    /// Returns true if so many blanks may stand before a colon.
    private mutating func allows(_ blanks: Int) -> Bool {
        if blanks > 0 { choices.insert(.blankBeforeColon) }
        return blanks == 0 || habits.allowsBlankBeforeColon
    }

    private mutating func parseLineWithoutField(_ line: LineBounds) -> Step {
        choices.insert(.lineWithoutField)
        defects.append(.missingHeaderEnd)
        switch habits.lineWithoutField {
        case .endsHeader:
            bodyStart = position
            return .ended
        case .replacesEmptyLine:
            bodyStart = line.end
            return .ended
        case .isSkipped: break
        case .continuesField: continueField(to: line)
        }
        position = line.end
        return .more
    }

    /// Ends the header before ``position``: a delimiter line stands there.
    mutating func endBeforeDelimiter() {
        choices.insert(.delimiterInHeader)
        bodyStart = position
    }

    func checkSize() throws(MessageSyntaxError) {
        if position - start > limit { throw MessageSyntaxError(.headerTooLarge(limit: limit), offset: start) }
    }

    /// RFC 5322 §2.2.3; a folded line with nothing before it is read over.
    private mutating func continueField(to line: LineBounds) {
        guard let field = open else { return defects.append(.malformedHeaderLine(at: line.start)) }
        open = (field.start, field.nameStart, field.nameEnd, field.colon, line.contentEnd, line.end)
    }

    private mutating func closeField() {
        guard let field = open else { return }
        open = nil
        var body = octets.slice(field.colon + 1..<field.contentEnd)
        if habits.cutsLinesAtNUL, let end = body.firstIndex(of: 0) { body = body.slice(0..<end) }
        fields.append(
            HeaderField(
                raw: octets.slice(field.start..<field.end), range: field.start..<field.end,
                name: octets.slice(field.nameStart..<field.nameEnd).text, rawBody: body))
    }

    /// The name before the first colon.
    ///
    /// RFC 5322 §2.2 allows printable US-ASCII; white space before the colon is obsolete syntax (§4.5). Broken mailers
    /// write octets of 128 and above, which are accepted as a name. With white space or control characters within, it
    /// is not a field. A byte order mark (RFC 3629 §6) before the name, which editors leave there, is not part of it.
    /// - Returns: nil when the line is no field.
    private static func fieldName(
        of line: LineBounds, in buffer: UnsafeRawBufferPointer
    ) -> (start: Int, end: Int, colon: Int, isIllegal: Bool)? {
        guard let base = buffer.baseAddress else { return nil }
        let octets = base.assumingMemoryBound(to: UInt8.self)
        let start = line.start + buffer.lengthOfByteOrderMark(at: line.start)
        var index = start
        var isIllegal = start > line.start
        while index < line.contentEnd, octets[index] > 0x20, octets[index] != 0x7F, octets[index] != 0x3A {
            if octets[index] >= 0x80 { isIllegal = true }
            index += 1
        }
        let end = index
        while index < line.contentEnd, octets[index] == 0x20 || octets[index] == 0x09 { index += 1 }
        guard end > start, index < line.contentEnd, octets[index] == 0x3A else { return nil }
        return (start, end, index, isIllegal)
    }

    /// Recognises `From ` before the first field: the separator line of an mbox file, which some deliverers leave
    /// there, quoted or not. A line with a colon behind the blanks is none: it is a field in obsolete syntax (RFC 5322
    /// §4.5), and no field for readers who do not know that syntax.
    private mutating func isMailboxSeparator(_ line: LineBounds, in buffer: UnsafeRawBufferPointer) -> Bool {
        guard Self.fieldName(of: line, in: buffer) == nil else { return false }
        func isThere(_ mark: StaticString) -> Bool {
            buffer.holds(
                UnsafeRawBufferPointer(start: mark.utf8Start, count: mark.utf8CodeUnitCount), at: line.start)
        }
        if isThere("From ") { return true }
        guard isThere(">From ") else { return false }
        choices.insert(.quotedSeparator)
        return habits.knowsQuotedSeparator
    }
}

extension UnsafeRawBufferPointer {
    /// The length of the byte order marks of UTF-8 at `index`, one after the other; 0 without any.
    func lengthOfByteOrderMark(at index: Int) -> Int {
        var end = index
        while end + 3 <= count && self[end] == 0xEF && self[end + 1] == 0xBB && self[end + 2] == 0xBF { end += 3 }
        return end - index
    }
}

extension HeaderField {
    /// The place of the byte order mark before the name, in octets from the beginning of the message; empty without
    /// one.
    public var byteOrderMark: Range<Int> {
        let length = raw.withUnsafeBytes { $0.lengthOfByteOrderMark(at: 0) }
        return range.lowerBound..<range.lowerBound + length
    }
}

extension OctetString {
    /// The number of octets before the header that are no part of it: byte order marks, empty lines and lines of
    /// blanks, which editors and scripts leave at the head of a file. 0 if there is nothing else in the file.
    public var octetsBeforeHeader: Int {
        withUnsafeBytes { buffer in
            var start = 0
            while start < buffer.count {
                let line = LineBounds(of: buffer, at: start + buffer.lengthOfByteOrderMark(at: start))
                let isBlank = buffer.octets(line.start..<line.contentEnd).allSatisfy(\.isBlankOrCR)
                guard isBlank, line.end > line.start else { return line.start < buffer.count ? line.start : 0 }
                start = line.end
            }
            return 0
        }
    }
}
