import Octets

/// An entity whose end is not yet known.
struct OpenEntity {
    enum Kind {
        case leaf
        case multipart(boundary: OctetString)
        case message
    }

    let path: Entity.Path
    let start: Int
    let kind: Kind
    private(set) var children: [Entity] = []
    /// True if the final delimiter was seen.
    private(set) var isClosed = false
    private let reader: HeaderReader
    private let fields: ContentFields
    /// The choices that came up in the header.
    let choices: ReadingChoices
    private var defects: [Entity.Defect]
    private var preamble: Range<Int>?
    private var epilogueStart: Int?

    init(
        path: Entity.Path, header reader: HeaderReader, default: ContentType, isTooDeep: Bool, habits: ReadingHabits
    ) {
        self.path = path
        self.reader = reader
        start = reader.start
        let fields = ContentFields(
            reader.header(before: reader.position), default: `default`, isRoot: path.isEmpty, habits: habits)
        self.fields = fields
        defects = reader.defects + fields.defects
        var choices = reader.choices.union(fields.choices)
        if let boundary = fields.contentType.parameter("boundary")?.value,
            boundary.count > 70 || boundary.last?.isBlankOrCR == true
        {
            choices.insert(.delimiterForm)
        }
        self.choices = choices
        let contentType = fields.contentType
        let isComposite = contentType.type == "multipart" || contentType.isMessage
        if !isComposite {
            kind = .leaf
        } else if fields.transferEncoding == .base64 || fields.transferEncoding == .quotedPrintable {
            kind = .leaf
            defects.append(.encodedComposite)
        } else if isTooDeep {
            kind = .leaf
            defects.append(.tooDeep)
        } else if contentType.isMessage {
            kind = .message
        } else if let boundary = contentType.boundary(habits) {
            kind = .multipart(boundary: boundary)
        } else {
            kind = .leaf
            defects.append(.missingBoundaryParameter)
        }
    }

    /// The fields that decided how the body is taken apart.
    var structuralFields: [HeaderField] { fields.structural }

    var boundary: OctetString? {
        if case .multipart(let boundary) = kind { boundary } else { nil }
    }

    /// The type of a part without Content-Type (RFC 2045 §5.2, 2046 §5.1.5).
    var partDefault: ContentType { fields.contentType.subtype == "digest" ? .messageRFC822 : .textPlain }

    mutating func append(_ child: Entity) { children.append(child) }

    /// - Parameters:
    ///   - contentEnd: Before the line end that belongs to the delimiter.
    ///   - lineEnd: After the delimiter line.
    mutating func recordDelimiter(isFinal: Bool, contentEnd: Int, lineEnd: Int) {
        if preamble == nil { preamble = reader.bodyStart..<max(reader.bodyStart, contentEnd) }
        guard isFinal else { return }
        isClosed = true
        epilogueStart = lineEnd
    }

    /// The entity, which ends at `end`, not before it begins.
    func closed(at end: Int, in octets: OctetString) -> Entity {
        let body = min(reader.bodyStart, end)..<end
        var defects = defects
        let content: Entity.Content
        switch kind {
        case .leaf: content = .leaf
        case .message: content = children.first.map { .message($0) } ?? .leaf
        case .multipart(let boundary):
            let epilogue = epilogueStart.map { min($0, end)..<end } ?? end..<end
            content = .multipart(
                Entity.Multipart(
                    boundary: boundary, preamble: preamble ?? body, parts: children, epilogue: epilogue,
                    isClosed: isClosed))
            if children.isEmpty { defects.append(.noParts) }
            if !isClosed { defects.append(.missingClosingBoundary) }
        }
        return Entity(
            path: path, message: octets, range: start..<end, header: reader.header(before: end), bodyRange: body,
            contentType: fields.contentType, transferEncoding: fields.transferEncoding,
            disposition: fields.disposition, content: content, defects: defects)
    }
}

extension ContentType {
    static let textPlain = ContentType(type: "text", subtype: "plain")
    static let messageRFC822 = ContentType(type: "message", subtype: "rfc822")

    /// True if the body is a message (RFC 2046 §5.2.1, RFC 6532 §3.7).
    var isMessage: Bool { type == "message" && (subtype == "rfc822" || subtype == "global") }

    /// The boundary; trailing white space cannot belong to it (RFC 2046 §5.1.1), and an empty one separates nothing.
    func boundary(_ habits: ReadingHabits) -> OctetString? {
        guard var value = parameter("boundary")?.value else { return nil }
        if habits.delimiters != .exactLine {
            while let last = value.last, last.isBlankOrCR { value.removeLast() }
        }
        return value.isEmpty ? nil : OctetString(value.prefix(habits.maximumBoundaryLength))
    }
}
