import Octets

extension ContentType {
    /// Reads the body of a Content-Type field (RFC 2045 §5.1), leniently as to parameters.
    /// - Returns: nil when it does not begin with type and subtype.
    public init?(parsing body: some StringProtocol) {
        let field = ParameterizedField(OctetString(body))
        guard let (type, subtype) = field.mediaType else { return nil }
        self.init(type: type, subtype: subtype, parameters: field.parameters)
    }

    /// Makes the content type of a field. A field that cannot be read means plain text (RFC 2045 §5.2).
    init(_ field: ParameterizedField) {
        let (type, subtype) = field.mediaType ?? ("text", "plain")
        self.init(type: type, subtype: subtype, parameters: field.parameters)
    }
}

extension ContentDisposition {
    /// Reads the body of a Content-Disposition field (RFC 2183 §2), leniently.
    public init(parsing body: some StringProtocol) { self.init(ParameterizedField(OctetString(body))) }

    init(_ field: ParameterizedField) {
        // RFC 2183 §2.8: an unknown disposition is treated as an attachment, and so is a missing one.
        self.init(type: field.value.isEmpty ? "attachment" : field.value, parameters: field.parameters)
    }
}

extension ContentTransferEncoding {
    /// Reads the body of a Content-Transfer-Encoding field (RFC 2045 §6.1).
    ///
    /// The RFC has a token alone; quotes around it and a semicolon behind it are seen, and read over.
    public init(parsing body: some StringProtocol) { self.init(ParameterizedField(OctetString(body))) }

    init(_ field: ParameterizedField) { self.init(word: field.value) }

    /// Makes the encoding that a reader with `habits` takes from `field`.
    init(_ field: HeaderField, _ habits: ReadingHabits) {
        if habits.readsEncodingStrictly {
            self.init(word: field.text.asciiLowercased)
        } else {
            self.init(ParameterizedField(field.unfoldedBody, habits))
        }
    }

    /// - Parameter word: Lower case.
    private init(word: String) {
        self =
            switch word {
            case "7bit", "": .sevenBit
            case "8bit": .eightBit
            case "binary": .binary
            case "quoted-printable": .quotedPrintable
            case "base64": .base64
            default: .other(word)
            }
    }
}

/// The header fields of an entity that describe its body, and the defects in them.
struct ContentFields {
    var contentType: ContentType
    var transferEncoding: ContentTransferEncoding = .sevenBit
    var disposition: ContentDisposition?
    var defects: [Entity.Defect] = []
    /// The choices that came up, ``ReadingChoices/fieldForm`` left out.
    private(set) var choices: ReadingChoices = []
    /// The Content-Type and the Content-Transfer-Encoding that counted.
    private(set) var structural: [HeaderField] = []

    /// The first of repeated fields counts, unless the habits are those of another reader.
    init(_ header: Header, default: ContentType, isRoot: Bool, habits: ReadingHabits) {
        func field(_ name: String) -> HeaderField? {
            switch habits.fields {
            case .first: header.first(name)
            case .last: header.last(name)
            }
        }
        contentType = `default`
        let declaresMIME = !isRoot || header.declaresMIME
        let isMIME = declaresMIME || !habits.requiresMIMEVersion
        if !declaresMIME { choices.insert(.version) }
        for name in header.repeatedFields {
            defects.append(.repeatedField(name))
            choices.insert(.repeatedField)
        }
        if let field = isMIME ? field("Content-Type") : nil {
            let parsed = ParameterizedField(field.unfoldedBody, habits)
            contentType = ContentType(parsed)
            structural.append(field)
            note(parsed)
            if parsed.isMalformed || parsed.mediaType == nil { defects.append(.malformedContentType) }
        }
        if let field = field("Content-Transfer-Encoding") {
            transferEncoding = ContentTransferEncoding(field, habits)
            structural.append(field)
            if case .other(let word) = transferEncoding { defects.append(.unknownTransferEncoding(word)) }
        }
        if let field = field("Content-Disposition") {
            let parsed = ParameterizedField(field.unfoldedBody, habits)
            disposition = ContentDisposition(parsed)
            note(parsed)
        }
    }

    private mutating func note(_ field: ParameterizedField) {
        for name in field.repeated { defects.append(.repeatedParameter(name)) }
    }
}

extension Header {
    /// The fields of RFC 5322 §3.6 and RFC 2045 §3 that may stand once.
    private static let singleFields: [String] = [
        "date", "from", "sender", "reply-to", "to", "cc", "bcc", "message-id", "in-reply-to", "references", "subject",
        "mime-version", "content-type", "content-transfer-encoding", "content-id", "content-description",
        "content-disposition",
    ]

    /// True if the message follows RFC 2045.
    var declaresMIME: Bool {
        guard let field = first("MIME-Version") else {
            // The content of an S/MIME object is a MIME entity, which needs none (RFC 8551 §3.1).
            return fields.allSatisfy { $0.name.asciiLowercased.hasPrefix("content-") }
        }
        return ParameterizedField(field.unfoldedBody).value.hasPrefix("1.")
    }

    /// The names, lower case and in order, of those that stand more often than they may.
    var repeatedFields: [String] {
        let names = Self.singleFields
        // A bit for each name.
        var seen: UInt32 = 0
        var seenTwice: UInt32 = 0
        var repeated: [String] = []
        for field in fields {
            guard let place = names.firstIndex(where: { field.isNamed($0) }) else { continue }
            let bit = UInt32(1) << UInt32(place)
            if seen & bit != 0, seenTwice & bit == 0 {
                seenTwice |= bit
                repeated.append(names[place])
            }
            seen |= bit
        }
        return repeated
    }
}
