public import InternetMessage
public import Octets

extension MultipartSigned {
    /// A finished entity of the signing server under our own header.
    public struct Adopted: Sendable {
        /// The whole message, CRLF line ends.
        public let message: OctetRope
        /// The signature object, to be verified here.
        public let cms: OctetString
        /// True if ``cms`` is detached. Otherwise it encloses its content, which must be compared when it is verified.
        public let isDetached: Bool
    }

    /// Returns the Content-* fields and the body of `document` (a MIME entity or a whole message, with LF or CRLF)
    /// under `outerHeader`.
    ///
    /// - Parameter entity: The entity that was sent to be signed. The first part of a multipart/signed must be exactly
    ///   this. Only verification can tell whether an enclosing pkcs7-mime holds it.
    /// - Throws: ``CompositionError/Kind/unusableAnswer`` if it is not signed, can be read in two ways, or carries
    ///   something else.
    public static func adopt(
        _ document: OctetString, outerHeader: OctetRope, expecting entity: OctetRope,
        limits: Message.Limits = Message.Limits()
    ) throws(CompositionError) -> Adopted {
        let message: Message
        do {
            message = try Message(reading: document.withCRLFLineEnds(), limits: limits)
        } catch {
            throw refusal("it cannot be read: \(error)")
        }
        let root = message.root
        let cms: OctetString
        let isDetached: Bool
        let reading = SMIMEReading(root)
        switch reading.form {
        case .multipartSigned(let signed):
            if let ambiguity = reading.ambiguities.first { throw refusal(ambiguity) }
            guard holds(signed.content.octets, entity) else {
                throw refusal("its first part is not, octet for octet, what was sent to be signed")
            }
            cms = signed.signature.decodedBody
            isDetached = true
        case .signedData:
            if let ambiguity = reading.ambiguities.first { throw refusal(ambiguity) }
            cms = root.decodedBody
            isDetached = false
        case .none, .encrypted, .compressed, .certificatesOnly:
            throw refusal("it is neither multipart/signed nor a signed application/pkcs7-mime")
        }
        let contentFields = root.header.fields.filter(\.isContentField)
        guard !TransportFaults.of(root.body).contains(.eightBit) else { throw refusal("it is not 7-bit") }
        var rope = OctetRope()
        rope.append(outerHeader)
        rope.append("MIME-Version: 1.0\r\n")
        for field in contentFields { rope.append(field.completed) }
        rope.append("\r\n")
        rope.append(root.body)
        return Adopted(message: rope, cms: cms, isDetached: isDetached)
    }

    private static func refusal(_ why: String) -> CompositionError {
        CompositionError(.unusableAnswer, "the finished entity is no signed form of what was sent: " + why)
    }

    /// Returns true if `octets` are those of `rope`, compared in pieces.
    private static func holds(_ octets: OctetString, _ rope: OctetRope) -> Bool {
        guard octets.count == rope.count else { return false }
        var offset = 0
        var isSame = true
        rope.forEachChunk { chunk in
            guard isSame else { return }
            isSame = octets.withUnsafeBytes { $0.holds(chunk, at: offset) }
            offset += chunk.count
        }
        return isSame
    }
}
