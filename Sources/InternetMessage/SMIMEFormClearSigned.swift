import Octets

extension ClearSigned {
    /// - Returns: nil when the multipart/signed is not S/MIME.
    init?(_ entity: Entity) {
        let protocolName = entity.contentType.parameter("protocol")?.text.asciiLowercased
        var parts: [Entity] = []
        var ambiguities: [String] = []
        if case .multipart(let multipart) = entity.content {
            parts = multipart.parts
            if !multipart.isClosed { ambiguities.append("the multipart/signed has no closing boundary") }
        } else {
            ambiguities.append("the multipart/signed cannot be taken apart into its parts")
        }
        let second = parts.count > 1 ? parts[1].signatureKind : nil
        let declaresSMIME = protocolName.map { Self.protocols.contains($0.trimmingBlanks) } ?? false
        guard declaresSMIME || second == .smime else { return nil }

        if let protocolName, !declaresSMIME {
            ambiguities.append(
                "the protocol parameter names \(protocolName.quotedBriefly), but the second part is an S/MIME signature"
            )
        }
        if parts.count != 2 {
            ambiguities.append("a multipart/signed has two parts, this one has \(parts.count)")
        }
        if parts.count > 1 && second != .smime {
            ambiguities.append(
                "the second part is \(parts[1].contentType.mediaType.quotedBriefly), which is no S/MIME signature")
        }
        ambiguities += entity.structuralAmbiguities(called: "the multipart/signed")
        if entity.holdsDelimiterBesideBareCR { ambiguities.append(Entity.delimiterBesideBareCR) }
        if let signature = parts.count > 1 ? parts[1] : nil {
            ambiguities += signature.structuralAmbiguities(called: "the signature part")
        }
        if let content = parts.first { ambiguities += content.contentAmbiguities() }
        content = parts.first ?? entity
        signature = parts.count > 1 ? parts[1] : entity
        self.ambiguities = ambiguities.uniqued
    }

    static let protocols: Set<String> = ["application/pkcs7-signature", "application/x-pkcs7-signature"]
}

extension Entity {
    fileprivate enum SignatureKind { case smime, other }

    /// What the second part of a multipart/signed is.
    fileprivate var signatureKind: SignatureKind {
        guard case .leaf = content else { return .other }
        if ClearSigned.protocols.contains(contentType.mediaType) { return .smime }
        // Seen from gateways that know no better type; RFC 8551 §3.10 goes by the name then.
        let isOctetStream = contentType.mediaType == "application/octet-stream"
        let isNamed = isOctetStream && shownFileNames(using: BuiltInCharsets()).contains { $0.hasEnding("p7s") }
        return isNamed ? .smime : .other
    }

    /// Defects of this entity's own header and frame by which two readers come to different octets or parts.
    public func structuralAmbiguities(called name: String) -> [String] {
        var found = defects.compactMap { defect -> String? in
            switch defect {
            case .repeatedField(let field) where Self.structuralFields.contains(field.asciiLowercased):
                "\(name) has more than one \(field.quotedBriefly) field"
            case .repeatedParameter(let parameter) where Self.structuralParameters.contains(parameter.asciiLowercased):
                "\(name) has more than one \(parameter.quotedBriefly) parameter"
            case .malformedContentType: "\(name) has a malformed Content-Type"
            case .unknownTransferEncoding(let encoding):
                "\(name) has the unknown transfer encoding \(encoding.quotedBriefly)"
            case .encodedComposite: "\(name) is a multipart or message under a transfer encoding"
            case .missingBoundaryParameter: "\(name) has no boundary"
            case .noParts: "\(name) has no parts"
            case .tooDeep: "\(name) is nested too deeply to be read"
            case .missingHeaderEnd: "the header of \(name) does not end with an empty line"
            // An mbox separator before the first field is read over by everybody; any other line that is no field ends
            // the header for some readers, who then show what follows as text.
            case .malformedHeaderLine(let offset) where offset > range.lowerBound || !beginsAsMailbox:
                "the header of \(name) has a line that is no field"
            case .repeatedField, .repeatedParameter, .malformedHeaderLine, .missingClosingBoundary: nil
            }
        }
        let isComposite = contentType.type == "multipart" || contentType.type == "message"
        if isComposite, !transferEncoding.isIdentity, !defects.contains(.encodedComposite) {
            found.append("\(name) is a multipart or message under a transfer encoding")
        }
        if message.slice(header.range).holdsBareCR {
            found.append("the header of \(name) has a CR without LF, which is the end of a line for some readers")
        }
        if header.fields.contains(where: \.hasBlankBeforeColon) {
            found.append("the header of \(name) has a blank before a colon, where it ends for some readers")
        }
        if hasDelimiterAfterClosing { found.append("\(name) has more parts behind its closing boundary") }
        return found
    }

    /// The same for what is signed and everything in it that is shown with it.
    fileprivate func contentAmbiguities() -> [String] {
        var found: [String] = []
        var waiting = [self]
        while let entity = waiting.popLast() {
            found += entity.structuralAmbiguities(
                called: entity.path == path ? "the signed part" : "a part of what is signed")
            if entity.contentType.mediaType == "message/external-body" {
                found.append("a part of what is signed is a reference to a content elsewhere, which is not signed")
            }
            if case .multipart(let multipart) = entity.content { waiting += multipart.parts.reversed() }
        }
        return found
    }

    /// Whether a line that only a CR ends may be a delimiter, or stands before one: some readers take a CR for the end of a line.
    public var holdsDelimiterBesideBareCR: Bool {
        body.withUnsafeBytes { octets in
            func isDelimiter(_ index: Int) -> Bool {
                index + 1 < octets.count && octets[index] == 0x2D && octets[index + 1] == 0x2D
            }
            var index = 0
            while let found = octets.firstOffset(of: 0x0D, from: index) {
                let former = index
                index = found + 1
                if index < octets.count, octets[index] == 0x0A { continue }
                let start = octets[former..<found].lastIndex(of: 0x0A).map { $0 + 1 } ?? former
                if isDelimiter(start) || isDelimiter(index) { return true }
            }
            return false
        }
    }

    /// The same in words.
    public static let delimiterBesideBareCR =
        "a CR without LF stands beside what may be a boundary, and is the end of a line for some readers"

    private var beginsAsMailbox: Bool {
        octets.starts(with: "From ".utf8) || octets.starts(with: ">From ".utf8)
    }

    private static let structuralFields: Set<String> = [
        "content-type", "content-transfer-encoding", "content-disposition", "mime-version",
    ]
    private static let structuralParameters: Set<String> = ["boundary", "protocol", "name", "filename", "smime-type"]
}

extension OctetString {
    fileprivate var holdsBareCR: Bool {
        withUnsafeBytes { octets in
            var index = 0
            while let found = octets.firstOffset(of: 0x0D, from: index) {
                index = found + 1
                if index == octets.count || octets[index] != 0x0A { return true }
            }
            return false
        }
    }
}

extension HeaderField {
    /// RFC 5322 §4.5, obsolete.
    fileprivate var hasBlankBeforeColon: Bool {
        guard let colon = raw.firstIndex(of: 0x3A), colon > 0 else { return false }
        return raw[colon - 1] == 0x20 || raw[colon - 1] == 0x09
    }
}

extension ContentTransferEncoding {
    /// Whether the octets stand as they are.
    fileprivate var isIdentity: Bool {
        switch self {
        case .sevenBit, .eightBit, .binary, .other: true
        case .quotedPrintable, .base64: false
        }
    }
}

extension String {
    /// In quotes, short enough to stand in a sentence, and without characters that act on a screen.
    var quotedBriefly: String {
        let safe = unicodeScalars.prefix(80).map { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: "?"
            default: String(scalar)
            }
        }
        return "\"" + safe.joined() + (unicodeScalars.count > 80 ? "..." : "") + "\""
    }

    fileprivate var trimmingBlanks: String {
        String(drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
}

extension [String] {
    /// Each text once, where it stood first.
    fileprivate var uniqued: [String] {
        var seen: Set<String> = []
        return filter { seen.insert($0).inserted }
    }
}
