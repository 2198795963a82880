public import InternetMessage
public import Octets

/// Writes a message anew so that all readers of mail take it apart in the way in which it was read here.
///
/// Repaired is what the standards leave no doubt about:
///
/// - Fields have no blank before the colon (RFC 5322 §4.5), no CR and no NUL. The MIME fields stand once, in plain
///   syntax. Content-Type without a subtype is text/plain (RFC 2045 §5.2).
/// - Multiparts have boundaries that nothing in them looks like (RFC 2046 §5.1.1), and neither preamble nor epilogue.
/// - A multipart or message under a transfer encoding is decoded (RFC 2045 §6.4, RFC 2046 §5.2.1).
/// - Base64 is clean (RFC 2045 §6.8).
///
/// All other octets are slices of the received message, and so are multipart/signed and multipart/encrypted except for
/// their fields. Defects that cannot be repaired stay.
public struct StructuralRepair {
    /// Random, of letters and digits: boundaries are made of it.
    private let token: String
    private var multiparts = 0

    /// Nested deeper than that nothing is decoded.
    private static let maximumLevels = 50

    private init(token: String) { self.token = token }

    /// - Parameters:
    ///   - message: Read from octets with CRLF line ends.
    ///   - token: Letters and digits that occur in no other message, at most 40.
    /// - Throws: ``CompositionError/Kind/cannotBeMadeFit(path:)`` if a part has a header line that is not a field,
    ///   because it is unknown whether its header ends there.
    public static func applied(to message: Message, token: String) throws(CompositionError) -> OctetRope {
        var repair = StructuralRepair(token: token)
        var rope = try repair.written(message.root, isRoot: true, level: 0)
        if message.root.isOpenMultipart { rope.append("\r\n") }
        return rope
    }

    // MARK: - Entities

    private mutating func written(_ entity: Entity, isRoot: Bool, level: Int) throws(CompositionError) -> OctetRope {
        if !isRoot { try requireFields(entity) }
        if entity.defects.contains(.encodedComposite), let decoded = decoded(entity, level: level) {
            return try written(decoded, isRoot: isRoot, level: level + 1)
        }
        var rope = OctetRope()
        guard case .multipart(let multipart) = entity.content, entity.isOpenMultipart else {
            rope.append(FieldRepair(entity, isRoot: isRoot).header)
            rope.append("\r\n")
            if entity.transferEncodingFault == nil {
                rope.append(entity.body)
            } else {
                rope.append(Base64Encoded(entity.decodedSource))
            }
            return rope
        }
        let boundary = newBoundary()
        rope.append(FieldRepair(entity, isRoot: isRoot, boundary: boundary).header)
        for part in multipart.parts {
            rope.append("\r\n--" + boundary + "\r\n")
            rope.append(try written(part, isRoot: false, level: level + 1))
        }
        rope.append("\r\n--" + boundary + "--")
        return rope
    }

    /// No boundary begins with another one.
    private mutating func newBoundary() -> String {
        multiparts += 1
        let number = String(multiparts)
        return "ses-part-" + token + "-" + String(repeating: "0", count: max(0, 6 - number.utf8.count)) + number
    }

    private func requireFields(_ entity: Entity) throws(CompositionError) {
        for defect in entity.defects {
            switch defect {
            case .malformedHeaderLine, .missingHeaderEnd:
                throw CompositionError(
                    .cannotBeMadeFit(path: entity.path),
                    "\(entity.path.words) has a header line that is no field, and readers differ in where its header ends"
                )
            case .missingBoundaryParameter, .missingClosingBoundary, .noParts, .repeatedField, .repeatedParameter,
                .malformedContentType, .unknownTransferEncoding, .encodedComposite, .tooDeep:
                break
            }
        }
    }

    /// The entity without the transfer encoding that it may not have.
    ///
    /// Of multiparts the encoding is as often a mere claim: one that has its delimiters as it stands is not encoded.
    /// - Returns: nil when it has no parts either way.
    private func decoded(_ entity: Entity, level: Int) -> Entity? {
        guard level < Self.maximumLevels else { return nil }
        let isMultipart = entity.contentType.type == "multipart"
        let decodedBody = entity.decodedBody.withCRLFLineEnds()
        for body in isMultipart ? [entity.body, decodedBody] : [decodedBody] {
            var rope = FieldRepair(entity, isRoot: false, dropsEncoding: true).header
            rope.append("\r\n")
            rope.append(body)
            guard let message = readable(rope.collected()) else { continue }
            switch message.root.content {
            case .multipart(let multipart) where !multipart.parts.isEmpty: return message.root
            case .message(let inner) where !inner.header.fields.isEmpty: return message.root
            case .leaf, .multipart, .message: continue
            }
        }
        return nil
    }

    private func readable(_ octets: OctetString) -> Message? {
        do { return try Message(reading: octets) } catch { return nil }
    }
}

extension Entity {
    /// True if it is a multipart with parts that may be rewritten.
    fileprivate var isOpenMultipart: Bool {
        guard case .multipart(let multipart) = content else { return false }
        return !multipart.parts.isEmpty && !protectsItsParts
    }
}

/// The header of an entity in plain syntax.
private struct FieldRepair {
    let entity: Entity
    let isRoot: Bool
    /// In place of the one it has.
    var boundary: String?
    var dropsEncoding = false

    init(_ entity: Entity, isRoot: Bool, boundary: String? = nil, dropsEncoding: Bool = false) {
        self.entity = entity
        self.isRoot = isRoot
        self.boundary = boundary
        self.dropsEncoding = dropsEncoding
    }

    /// Without the empty line that ends it.
    var header: OctetRope {
        var rope = OctetRope()
        var seen: Set<String> = []
        for field in entity.header.fields {
            let name = field.name.asciiLowercased
            let isStructural = name == "mime-version" || name.hasPrefix("content-")
            if isStructural, !seen.insert(name).inserted { continue }
            switch name {
            case "content-type": rope.append(contentType)
            case "content-disposition": rope.append(disposition ?? plain(field))
            case "content-transfer-encoding": if !dropsEncoding { rope.append(encoding ?? plain(field)) }
            case "content-length", "content-md5": break
            case "mime-version": rope.append("MIME-Version: 1.0\r\n")
            default: rope.append(isPlain(field) ? field.completed : OctetString(plain(field)))
            }
        }
        if isRoot, seen.contains("content-type"), !seen.contains("mime-version") {
            rope.append("MIME-Version: 1.0\r\n")
        }
        return rope
    }

    private var contentType: String {
        let type = entity.contentType
        let parameters = type.parameters.map { parameter in
            guard parameter.name == "boundary", let boundary else { return parameter }
            return Parameter(name: "boundary", value: Array(boundary.utf8))
        }
        return ParameterLines.field("Content-Type", type.mediaType, parameters)
    }

    private var disposition: String? {
        entity.disposition.map { ParameterLines.field("Content-Disposition", $0.type, $0.parameters) }
    }

    /// Nil for an unknown word, which stays unchanged.
    private var encoding: String? {
        let word: String
        switch entity.transferEncoding {
        case .sevenBit: word = "7bit"
        case .eightBit: word = "8bit"
        case .binary: word = "binary"
        case .quotedPrintable: word = "quoted-printable"
        case .base64: word = "base64"
        case .other: return nil
        }
        return "Content-Transfer-Encoding: \(word)\r\n"
    }

    private func isPlain(_ field: HeaderField) -> Bool {
        field.raw.count >= field.name.utf8.count + 1 && field.raw[field.name.utf8.count] == 0x3A
            && TransportFaults.of(field.raw).isDisjoint(with: [.null, .bareLineEnd])
    }

    /// The field without a blank before its colon, and without octets that end a line for some readers.
    private func plain(_ field: HeaderField) -> String {
        let words = field.unfoldedBody.text.split { $0.isWhitespace || $0 == "\0" }.map(String.init)
        return FieldLines.field(field.name, words)
    }
}
