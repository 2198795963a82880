public import InternetMessage
public import Octets

/// Shows the result of a verification with the message.
public struct ResultComposition: Sendable {
    /// The four rules of `VerificationResultRule`.
    public enum Rule: Sendable, Hashable {
        /// Identical below the added fields, in the file's own line ends.
        case original
        /// A new mail: the result as text, the original attached.
        case originalAsAttachment
        /// Into the text of the message itself. A signed or encrypted message, which an edit would break, is attached
        /// instead, and so is one whose header ends at different places for different readers.
        case top, bottom
    }

    public let rule: Rule
    public let result: ResultText
    /// Attached where the rule has room for them: not with ``Rule/original``.
    public let answers: [ServerAnswer]
    /// Whole fields with CRLF for the top, such as Received and Authentication-Results.
    public let addedFields: [String]
    /// Random, of letters and digits: boundaries are made of it.
    public let token: String

    public init(rule: Rule, result: ResultText, answers: [ServerAnswer], addedFields: [String], token: String) {
        self.rule = rule
        self.result = rule == .original ? result.withoutResponses : result
        self.answers = rule == .original ? [] : answers
        self.addedFields = addedFields
        self.token = token
    }

    /// - Parameters:
    ///   - original: The message as received.
    ///   - message: The same, read from its canonical octets.
    /// - Returns: The mail to be passed on. All of it has CRLF line ends, except with ``Rule/original``, which keeps
    ///   those of the file.
    public func compose(_ original: CleanedMessage, read message: Message) -> OctetRope {
        switch rule {
        case .original: added(to: original.rawRope)
        case .originalAsAttachment: enclosing(original, message)
        case .top: message.root.canBeEdited ? written(.top, message) : enclosing(original, message)
        case .bottom: message.root.canBeEdited ? written(.bottom, message) : enclosing(original, message)
        }
    }

    private func added(to rope: OctetRope) -> OctetRope {
        var whole = OctetRope()
        for field in addedFields { whole.append(field) }
        whole.append(rope)
        return whole
    }

    private var resultPart: MailPart {
        .alternative(plain: result.plain, html: result.html, boundary: "ses-alternative-" + token)
    }

    // MARK: - A new mail

    private func enclosing(_ original: CleanedMessage, _ message: Message) -> OctetRope {
        let content = MailPart.multipart(
            "mixed", [resultPart] + answers.map(\.part) + [.original(original)],
            boundary: "ses-mixed-" + token)
        var rope = OctetRope()
        for field in Self.kept(of: message.header) { rope.append(field) }
        rope.append("MIME-Version: 1.0\r\n")
        rope.append(content.entity)
        return added(to: rope)
    }

    /// Returns the fields that make the new mail stand in the place of the original: it shows, sorts, threads and is
    /// answered like it.
    ///
    /// Message-ID is among them, because answers and journals refer to it. Of a field that may stand only once, the
    /// first counts. A From that cannot be rewritten is replaced by an empty group, which is no sender (RFC 6854).
    static func kept(of header: Header) -> [OctetString] {
        let single: Set<String> = [
            "from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id", "in-reply-to", "references",
            "auto-submitted", "list-id", "precedence",
        ]
        let fitting = FieldFitting(path: [])
        var seen: Set<String> = []
        var kept: [OctetString] = []
        for field in header.fields {
            let name = field.name.asciiLowercased
            guard name == "received" || (single.contains(name) && seen.insert(name).inserted) else { continue }
            do {
                kept.append(try fitting.fit(field))
            } catch {
                if name == "from" { kept.append(OctetString("From: Sender that cannot be shown:;\r\n")) }
            }
        }
        return kept
    }

    // MARK: - Into the text

    private func written(_ place: HTMLSplice.Place, _ message: Message) -> OctetRope {
        var rope = SignableEntity.outerHeader(of: message.root)
        rope.append("MIME-Version: 1.0\r\n")
        let spliced = BodyText(result: result, place: place).written(into: message.root)
        if let spliced, answers.isEmpty {
            rope.append(spliced)
            return added(to: rope)
        }
        let isEightBit = TransportFaults.of(message.root.body).contains(.eightBit)
        let content = spliced ?? Self.content(of: message.root)
        var parts = [content]
        if spliced == nil {
            parts.insert(resultPart.entity, at: place == .top ? 0 : 1)
        }
        parts += answers.map(\.part.entity)
        let boundary = "ses-mixed-" + token
        rope.append(
            FieldLines.field("Content-Type", ["multipart/mixed;", "boundary=\"\(boundary)\""])
                + (isEightBit ? "Content-Transfer-Encoding: 8bit\r\n" : "") + "\r\n")
        for part in parts {
            rope.append("--" + boundary + "\r\n")
            rope.append(part)
            rope.append("\r\n")
        }
        rope.append("--" + boundary + "--\r\n")
        return added(to: rope)
    }

    /// The Content-* fields and the body as they stand.
    private static func content(of root: Entity) -> OctetRope {
        var rope = OctetRope()
        for field in root.header.fields where field.isContentField && !field.isNamed("Content-Length") {
            rope.append(field.completed)
        }
        rope.append("\r\n")
        rope.append(root.body)
        return rope
    }
}

extension Entity {
    fileprivate var canBeEdited: Bool { !mustNotBeEdited && !hasDoubtfulHeader }

    /// True if a reader may take a part of the header, and the lines that we write into it, for text.
    private var hasDoubtfulHeader: Bool {
        defects.contains { defect in
            switch defect {
            case .malformedHeaderLine, .missingHeaderEnd: true
            case .missingBoundaryParameter, .missingClosingBoundary, .noParts, .repeatedField, .repeatedParameter,
                .malformedContentType, .unknownTransferEncoding, .encodedComposite, .tooDeep:
                false
            }
        }
    }

    /// True if an edit would break a signature or an encryption, at the top or further down.
    var mustNotBeEdited: Bool {
        switch SMIMEForm.of(self) {
        case .multipartSigned, .signedData, .encrypted: return true
        case .none, .compressed, .certificatesOnly: break
        }
        return !SMIMEForm.signedPartsBelow(self).isEmpty
            || walk(.ownParts).contains { part in
                if part.protectsItsParts { return true }
                if case .encrypted = SMIMEForm.of(part) { return true }
                return false
            }
    }
}
