import Octets

extension ClearSigned {
    /// - Returns: nil when the multipart/signed is not S/MIME.
    init?(_ entity: Entity) {
        let protocolName = entity.contentType.parameter("protocol")?.text.asciiLowercased
        var parts: [Entity] = []
        var objections: [String] = []
        if case .multipart(let multipart) = entity.content {
            parts = multipart.parts
            if !multipart.isClosed { objections.append("the multipart/signed has no closing boundary") }
        } else {
            objections.append("the multipart/signed cannot be taken apart into its parts")
        }
        let second = parts.count > 1 ? parts[1].signatureKind : nil
        let declaresSMIME = protocolName.map { Self.protocols.contains($0.trimmingBlanks) } ?? false
        guard declaresSMIME || second == .smime else { return nil }

        if let protocolName, !declaresSMIME {
            objections.append(
                "the protocol parameter names \(protocolName.quotedBriefly), but the second part is an S/MIME signature"
            )
        }
        if parts.count != 2 {
            objections.append("a multipart/signed has two parts, this one has \(parts.count)")
        }
        if parts.count > 1 && second != .smime {
            objections.append(
                "the second part is \(parts[1].contentType.mediaType.quotedBriefly), which is no S/MIME signature")
        }
        frame = entity
        content = parts.first ?? entity
        signature = parts.count > 1 ? parts[1] : entity
        self.objections = objections
    }

    /// The reasons why the message can be read in two ways that differ in which octets are signed or which attachments
    /// exist, a sentence each. If there are any, the message must not be trusted, whatever the signature says.
    ///
    /// Found anew each time: the whole message is read in all ways that readers in use do.
    public var ambiguities: [String] {
        var found = objections + frame.structuralAmbiguities(called: "the multipart/signed")
        if !isFrame(signature) {
            found += signature.structuralAmbiguities(called: "the signature part") + signature.damage
        }
        if !isFrame(content) { found += content.contentAmbiguities(called: "the signed part") }
        return (found + frame.differingReadings).uniqued
    }

    /// Returns true if `part` stands for one that is missing.
    private func isFrame(_ part: Entity) -> Bool { part.path == frame.path }

    static let protocols: Set<String> = ["application/pkcs7-signature", "application/x-pkcs7-signature"]
}

extension Entity {
    fileprivate enum SignatureKind { case smime, other }

    /// The kind of the second part of a multipart/signed.
    fileprivate var signatureKind: SignatureKind {
        guard case .leaf = content else { return .other }
        if ClearSigned.protocols.contains(contentType.mediaType) { return .smime }
        // Seen from gateways that know no better type; RFC 8551 §3.10 goes by the name then.
        let isOctetStream = contentType.mediaType == "application/octet-stream"
        let isNamed = isOctetStream && shownFileNames(using: BuiltInCharsets()).contains { $0.hasEnding("p7s") }
        return isNamed ? .smime : .other
    }

    /// Defects of this entity's own header and frame by which two readers find different octets or parts.
    public func structuralAmbiguities(called name: String) -> [String] {
        var found = defects.compactMap { defect -> String? in
            switch defect {
            case .repeatedField(let field)
            where Self.structuralFields.contains(field.asciiLowercased) && !header.agrees(on: field):
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
            // Every reader skips an mbox separator before the first field. Any other line that is not a field ends the
            // header for some readers, who then show the rest as text.
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
        return found
    }

    /// The reasons why the octets of the body are others for another reader: none, or a sentence.
    var damage: [String] {
        transferEncodingFault.map { ["the base64 of \(path.words) is damaged: \($0)"] } ?? []
    }

    /// The same as ``structuralAmbiguities(called:)`` for an entity and everything in it that is shown with it.
    fileprivate func contentAmbiguities(called name: String) -> [String] {
        var found: [String] = []
        var waiting = [self]
        while let entity = waiting.popLast() {
            found += entity.structuralAmbiguities(
                called: entity.path == path ? name : "part " + entity.path.numbers)
            if entity.contentType.mediaType == "message/external-body" {
                found.append("\(entity.path.words) is a reference to a content elsewhere, which is not signed")
            }
            if case .leaf = entity.content { found += entity.damage }
            if case .multipart(let multipart) = entity.content { waiting += multipart.parts.reversed() }
        }
        return found
    }

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

extension Header {
    /// Returns true if all fields called `name` say the same, so that it does not matter which of them counts.
    fileprivate func agrees(on name: String) -> Bool { Set(all(name).map(\.text)).count < 2 }
}

extension Entity.Path {
    /// The place of the entity, for people.
    fileprivate var words: String { isEmpty ? "the message" : "part " + numbers }

    /// Of a part that is deep within, the beginning.
    fileprivate var numbers: String {
        prefix(8).map { String($0 + 1) }.joined(separator: ".") + (count > 8 ? "... (level \(count))" : "")
    }
}

extension ContentTransferEncoding {
    /// True if the octets stand unencoded.
    var isIdentity: Bool {
        switch self {
        case .sevenBit, .eightBit, .binary, .other: true
        case .quotedPrintable, .base64: false
        }
    }
}

extension String {
    /// The text in quotes, short enough for a sentence, and without characters that act on a screen.
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
    var uniqued: [String] {
        var seen: Set<String> = []
        return filter { seen.insert($0).inserted }
    }
}
