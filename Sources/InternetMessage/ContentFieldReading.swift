import Octets

extension ContentType {
    /// Reads the body of a Content-Type field (RFC 2045 §5.1), leniently as to parameters.
    /// - Returns: nil when it does not begin with type and subtype.
    public init?(parsing body: some StringProtocol) {
        let field = ParameterizedField(OctetString(body))
        guard let (type, subtype) = field.mediaType else { return nil }
        self.init(type: type, subtype: subtype, parameters: field.parameters)
    }
}

extension ContentDisposition {
    /// Reads the body of a Content-Disposition field (RFC 2183 §2), leniently.
    public init(parsing body: some StringProtocol) { self.init(ParameterizedField(OctetString(body))) }

    init(_ field: ParameterizedField) {
        // RFC 2183 §2.8: what is not known is treated as an attachment; so is what is not there.
        self.init(type: field.value.isEmpty ? "attachment" : field.value, parameters: field.parameters)
    }
}

extension ContentTransferEncoding {
    /// Reads the body of a Content-Transfer-Encoding field (RFC 2045 §6.1).
    ///
    /// The RFC has a token alone; quotes around it and a semicolon behind it are seen, and read over.
    public init(parsing body: some StringProtocol) { self.init(ParameterizedField(OctetString(body))) }

    init(_ field: ParameterizedField) {
        self =
            switch field.value {
            case "7bit", "": .sevenBit
            case "8bit": .eightBit
            case "binary": .binary
            case "quoted-printable": .quotedPrintable
            case "base64": .base64
            default: .other(field.value)
            }
    }
}

/// What the header of an entity says of its body, with what was wrong in it.
struct ContentFields {
    var contentType: ContentType
    var transferEncoding: ContentTransferEncoding = .sevenBit
    var disposition: ContentDisposition?
    var defects: [Entity.Defect] = []

    /// The first of repeated fields counts.
    init(_ header: Header, default: ContentType) {
        contentType = `default`
        for name in header.repeatedFields { defects.append(.repeatedField(name)) }
        if let field = header.first("Content-Type") {
            let parsed = ParameterizedField(field.unfoldedBody)
            if let (type, subtype) = parsed.mediaType {
                contentType = ContentType(type: type, subtype: subtype, parameters: parsed.parameters)
                note(parsed)
            } else {
                // RFC 2045 §5.2: what cannot be read is plain text.
                contentType = ContentType(type: "text", subtype: "plain", parameters: parsed.parameters)
                note(parsed)
                if !defects.contains(.malformedContentType) { defects.append(.malformedContentType) }
            }
            if parsed.isMalformed, !defects.contains(.malformedContentType) { defects.append(.malformedContentType) }
        }
        if let field = header.first("Content-Transfer-Encoding") {
            transferEncoding = ContentTransferEncoding(ParameterizedField(field.unfoldedBody))
            if case .other(let word) = transferEncoding { defects.append(.unknownTransferEncoding(word)) }
        }
        if let field = header.first("Content-Disposition") {
            let parsed = ParameterizedField(field.unfoldedBody)
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
    private static let singleFields: Set<String> = [
        "date", "from", "sender", "reply-to", "to", "cc", "bcc", "message-id", "in-reply-to", "references", "subject",
        "mime-version", "content-type", "content-transfer-encoding", "content-id", "content-description",
        "content-disposition",
    ]

    /// The names, lower case and in order, of those that stand more often than they may.
    var repeatedFields: [String] {
        var seen: [String: Int] = [:]
        var repeated: [String] = []
        for field in fields where field.name.utf8.count <= 25 {
            let name = field.name.asciiLowercased
            guard Self.singleFields.contains(name) else { continue }
            seen[name, default: 0] += 1
            if seen[name] == 2 { repeated.append(name) }
        }
        return repeated
    }
}
