import InternetMessage
import Octets

/// Makes entities fit for transport (RFC 8551 §3.1.2, §3.1.3): only what needs it is written anew, all else is slices.
enum EntityFitting {
    /// A body in the form in which it is written.
    enum Body {
        /// As it stands, 7-bit and clean.
        case asItIs
        /// A leaf under another transfer encoding.
        case encoded(ContentTransferEncoding, OctetRope)
        /// A multipart or message of which something was written anew; 7-bit.
        case rebuilt(OctetRope)
    }

    /// - Returns: nil when the entity is fit as it stands.
    static func fit(_ entity: Entity) throws(CompositionError) -> OctetRope? {
        let body = try body(of: entity)
        let header = entity.message.slice(entity.range.lowerBound..<entity.bodyRange.lowerBound)
        if case .asItIs = body, TransportFaults.of(header).isEmpty, entity.isDeclaredSevenBit { return nil }
        let fitting = FieldFitting(path: entity.path)
        var rope = OctetRope()
        for field in entity.header.fields where !isStale(field, of: entity, body) {
            rope.append(try fitting.fit(field))
        }
        rope.append(transferEncodingField(body))
        rope.append("\r\n")
        append(body, of: entity, to: &rope)
        return rope
    }

    /// Returns true if `field` describes the body in a way that is no longer true.
    static func isStale(_ field: HeaderField, of entity: Entity, _ body: Body) -> Bool {
        if field.isNamed("Content-Transfer-Encoding") {
            if case .asItIs = body { return !entity.isDeclaredSevenBit }
            return true
        }
        if field.isNamed("Content-MD5"), case .rebuilt = body { return true }
        return field.isNamed("Content-Length")
    }

    /// The field that goes with a body that was encoded; empty for any other.
    static func transferEncodingField(_ body: Body) -> String {
        switch body {
        case .encoded(.base64, _): "Content-Transfer-Encoding: base64\r\n"
        case .encoded: "Content-Transfer-Encoding: quoted-printable\r\n"
        case .asItIs, .rebuilt: ""
        }
    }

    static func append(_ body: Body, of entity: Entity, to rope: inout OctetRope) {
        switch body {
        case .asItIs: rope.append(entity.body)
        case .encoded(_, let encoded): rope.append(encoded)
        case .rebuilt(let rebuilt): rope.append(rebuilt)
        }
    }

    // MARK: - Bodies

    static func body(of entity: Entity) throws(CompositionError) -> Body {
        switch entity.content {
        case .leaf: return try leaf(entity)
        case .multipart(let multipart): return try parts(multipart, of: entity)
        case .message(let message):
            if entity.contentType.subtype == "global" {
                // RFC 6532 §3.7: other than message/rfc822 it may be encoded, and its header may have no other form.
                let faults = TransportFaults.of(entity.body)
                return faults.isEmpty ? .asItIs : .encoded(.base64, OctetRope([Base64Encoded(entity.body)]))
            }
            guard let fit = try fit(message) else { return .asItIs }
            return .rebuilt(fit)
        }
    }

    private static func parts(_ multipart: Entity.Multipart, of entity: Entity) throws(CompositionError) -> Body {
        guard let first = multipart.parts.first, let last = multipart.parts.last else {
            let faults = TransportFaults.of(entity.body)
            guard faults.isEmpty else { throw refusal(entity, faults, "a multipart without parts") }
            return .asItIs
        }
        var rope = OctetRope()
        var isChanged = false
        let delimiter = "--" + multipart.boundary.text
        /// Appends delimiters, preamble and epilogue. No reader shows the last two, so they are left out if they are
        /// not fit.
        func append(_ gap: Range<Int>, or replacement: String) throws(CompositionError) {
            let octets = entity.message.slice(gap)
            if TransportFaults.of(octets).isEmpty { return rope.append(octets) }
            let replacement = OctetString(replacement)
            let faults = TransportFaults.of(replacement)
            guard faults.isEmpty else { throw refusal(entity, faults, "the boundary of a multipart") }
            rope.append(replacement)
            isChanged = true
        }
        try append(entity.bodyRange.lowerBound..<first.range.lowerBound, or: delimiter + "\r\n")
        var end = first.range.lowerBound
        for part in multipart.parts {
            if part.range.lowerBound > end {
                try append(end..<part.range.lowerBound, or: "\r\n" + delimiter + "\r\n")
            }
            if let fit = try fitPart(part, of: entity) {
                rope.append(fit)
                isChanged = true
            } else {
                rope.append(part.octets)
            }
            end = part.range.upperBound
        }
        if multipart.isClosed {
            try append(last.range.upperBound..<entity.range.upperBound, or: "\r\n" + delimiter + "--\r\n")
        } else {
            // An unclosed multipart ends where readers give up; ours ends with its delimiter.
            rope.append("\r\n" + delimiter + "--\r\n")
            isChanged = true
        }
        return isChanged ? .rebuilt(rope) : .asItIs
    }

    private static func fitPart(_ part: Entity, of entity: Entity) throws(CompositionError) -> OctetRope? {
        guard entity.protectsItsParts else { return try fit(part) }
        let faults = TransportFaults.of(part.octets)
        guard faults.isEmpty else {
            throw CompositionError(
                .cannotBeMadeFit(path: part.path),
                "\(part.path.words) has \(faults.words) and is under a signature or encryption that a change would break"
            )
        }
        return nil
    }

    private static func leaf(_ entity: Entity) throws(CompositionError) -> Body {
        let faults = TransportFaults.of(entity.body)
        if faults.isEmpty { return .asItIs }
        let type = entity.contentType.type
        switch entity.transferEncoding {
        case .base64: return .encoded(.base64, OctetRope([Base64Encoded(entity.decodedSource)]))
        case .quotedPrintable:
            let decoded = entity.decodedSource
            return decoded.count <= maximumHeld
                ? .encoded(.quotedPrintable, OctetRope([DelimiterSafeText(decoded.collected())]))
                : .encoded(.base64, OctetRope([Base64Encoded(decoded)]))
        case .other(let word):
            throw refusal(
                entity, faults, "the unknown transfer encoding " + UntrustedText.plainTextLine(word, limit: 40))
        case .sevenBit, .eightBit, .binary: break
        }
        if type == "multipart" { throw refusal(entity, faults, "a multipart that cannot be taken apart") }
        if type == "message" && entity.contentType.mediaType != "message/global" {
            return try .rebuilt(fieldsOnly(entity, faults))
        }
        return type == "text" && isMostlyPlain(entity.body)
            ? .encoded(.quotedPrintable, OctetRope([DelimiterSafeText(entity.body)]))
            : .encoded(.base64, OctetRope([Base64Encoded(entity.body)]))
    }

    /// Returns a delivery report or a similar entity. It consists of lines of fields, which RFC 2046 §5.2 and RFC 3464
    /// §2.1 forbid to encode, but whose trailing blanks have no meaning.
    private static func fieldsOnly(_ entity: Entity, _ faults: TransportFaults) throws(CompositionError) -> OctetRope {
        guard faults == .trailingBlank, entity.bodyRange.count <= maximumHeld else {
            throw refusal(entity, faults, entity.contentType.mediaType)
        }
        var output: [UInt8] = []
        for (index, line) in entity.body.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            var line = line
            while let last = line.last, last == 0x20 || last == 0x09 || last == 0x0D { line = line.dropLast() }
            output += (index == 0 ? [] : [0x0D, 0x0A]) + line
        }
        return OctetRope([OctetString(output)])
    }

    /// Returns true if quoted-printable is the shorter form and stays readable, judged by the beginning.
    private static func isMostlyPlain(_ octets: OctetString) -> Bool {
        let sample = octets.prefix(16_384)
        let others = sample.count { $0 >= 0x7F || ($0 < 0x20 && $0 != 0x0D && $0 != 0x0A && $0 != 0x09) }
        return others * 5 <= sample.count + 64
    }

    private static func refusal(_ entity: Entity, _ faults: TransportFaults, _ what: String) -> CompositionError {
        CompositionError(
            .cannotBeMadeFit(path: entity.path),
            "\(entity.path.words) has \(faults.words) in \(what), which may not be encoded")
    }

    /// Octets that are held in memory at once where an encoder needs them whole.
    static let maximumHeld = 1_048_576
}

extension Entity {
    /// True if a change of a part would break a signature or an encryption (RFC 1847).
    var protectsItsParts: Bool {
        contentType.mediaType == "multipart/signed" || contentType.mediaType == "multipart/encrypted"
    }

    /// True if no mail server on the way may conclude that it has to encode the content.
    fileprivate var isDeclaredSevenBit: Bool { transferEncoding != .eightBit && transferEncoding != .binary }
}
