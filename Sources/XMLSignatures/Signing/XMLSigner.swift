public import Octets

/// Signs documents: an enveloped signature over the whole, as last child of the root element.
public struct XMLSigner: Sendable {
    /// Gets a TimeStampToken of RFC 3161 in DER over these octets; throws ``XMLSignatureError/Kind/timestamp``.
    public typealias TimestampSource = (OctetString) throws(XMLSignatureError) -> OctetString

    public let key: XMLSigningKey
    public let form: XMLSignatureForm

    public init(key: XMLSigningKey, form: XMLSignatureForm) {
        self.key = key
        self.form = form
    }

    /// The document with a signature: RSA or ECDSA, SHA-256, over everything but comments.
    ///
    /// The octets of the document stay unchanged. The signature is put in front of the root's end tag (a root that is
    /// an empty element tag becomes two tags). The result is verified before it is returned.
    ///
    /// A document with a signature that covers its root is refused: one more element in it would break that signature.
    /// Signatures of parts stay good.
    /// - Parameters:
    ///   - document: At most ``XMLSignatureLimits/octets`` octets, in UTF-8, UTF-16 or a charset of one octet.
    ///   - signingTime: Unix seconds; goes into the XAdES form only.
    ///   - timestamp: Makes a XAdES signature of level T; not asked for ``XMLSignatureForm/xmldsig``.
    ///   - identifier: The part that makes the Ids of the signature unique: letters and digits; nil for 128 random
    ///     bits.
    /// - Throws: ``XMLSignatureError``; all but `timestamp` and `failed` are permanent.
    public func sign(
        _ document: OctetString, signingTime: Int, timestamp: TimestampSource? = nil, identifier: String? = nil
    ) throws(XMLSignatureError) -> OctetString {
        try Self.requireUnbroken(document)
        let identifier = identifier ?? Self.randomIdentifier()
        guard Reference.isPlain(identifier) else {
            throw XMLSignatureError(.unsupported, "the identifier of a signature is made of letters and digits")
        }
        var text = try SignatureText(identifier: identifier, key: key, form: form, signingTime: signingTime)
        text.documentDigest = try Self.digest(of: document)
        text = try complete(text, timestamp)
        let encoding = DocumentEncoding(document)
        let place = try RootEnd.find(in: document, encoding)
        let signed = place.insert(text.text, into: document, encoding)
        try verify(signed)
        return signed
    }

    private static func digest(of document: OctetString) throws(XMLSignatureError) -> OctetString {
        let parsed = try ParsedDocument(document)
        try requireOpen(parsed)
        if let finding = parsed.commentFinding { throw XMLSignatureError(.unsupported, refusal(finding)) }
        let run = try DigestRun(.sha256)
        _ = try Canonicalisation.inclusive.write(parsed, .document) { run.update($0) }
        return try run.finish()
    }

    /// A document is as good as the worst of its signatures: beside a broken one no other is trusted.
    /// - Throws: ``XMLSignatureError/Kind/unsupported`` where there is one.
    private static func requireUnbroken(_ document: OctetString) throws(XMLSignatureError) {
        for signature in try XMLSignatureReading.signatures(in: document) {
            guard case .broken(let why) = signature.integrity else { continue }
            throw XMLSignatureError(
                .unsupported, line: signature.line,
                "the document has a signature that is broken, beside which no other is trusted: \(why)")
        }
    }

    /// - Throws: ``XMLSignatureError/Kind/alreadySigned`` where one more signature would break another.
    private static func requireOpen(_ parsed: ParsedDocument) throws(XMLSignatureError) {
        guard !parsed.root.isElement("Signature") else {
            throw XMLSignatureError(
                .alreadySigned, line: parsed.root.line,
                "the document is itself a signature; a further one in it would break it")
        }
        for element in try parsed.signatures() where try Self.wouldBreak(element, in: parsed) {
            throw XMLSignatureError(
                .alreadySigned, line: element.line,
                "the document has a signature over the whole, which a further one would break; send it as it is, or "
                    + "sign it as a file (CMS)")
        }
    }

    /// Returns true if a signature covers the root, as far as it can be read. A signature that cannot be read is left
    /// to its verifier.
    private static func wouldBreak(_ signature: Node, in parsed: ParsedDocument) throws(XMLSignatureError) -> Bool {
        var next: Node? = signature
        while let node = next {
            next = node.next(within: signature)
            guard node.isElement("Reference"), let uri = node.attribute("URI") else { continue }
            if uri.isEmpty || uri.hasPrefix("#xpointer(") { return true }
            let claims = parsed.root.attributes.contains { $0.name.lowercased() == "id" && "#" + $0.value == uri }
            if claims { return true }
        }
        return false
    }

    /// Fills in the values that depend on the rest. The parts of the signature are canonicalised in a document of their
    /// own, which gives the same, because their canonical form is exclusive.
    private func complete(
        _ given: SignatureText, _ timestamp: TimestampSource?
    ) throws(XMLSignatureError) -> SignatureText {
        var text = given
        if form == .xades {
            text.propertiesDigest = try DigestMethod.sha256.digest(
                of: Self.canonical(text) { $0.isXAdES("SignedProperties") })
        }
        text.value = try key.sign(Self.canonical(text) { $0.isElement("SignedInfo") })
        if form == .xades, let timestamp {
            text.timestamp = try timestamp(try Self.canonical(text) { $0.isElement("SignatureValue") })
            guard text.timestamp?.isEmpty == false else {
                throw XMLSignatureError(.timestamp, "the timestamp authority gave nothing")
            }
        }
        return text
    }

    private static func canonical(
        _ text: SignatureText, _ isWanted: (Node) -> Bool
    ) throws(XMLSignatureError) -> OctetString {
        let parsed = try ParsedDocument(OctetString(text.text))
        var next: Node? = parsed.root
        while let node = next {
            if isWanted(node) { return try Canonicalisation.exclusive.octets(parsed, .element(node)) }
            next = node.next(within: parsed.root)
        }
        throw XMLSignatureError(.failed, "a part of the signature that is being made is not there")
    }

    /// Reads the result as a stranger would.
    private func verify(_ signed: OctetString) throws(XMLSignatureError) {
        let found = try XMLSignatureReading.signatures(in: signed)
        let own = found.last { $0.coversWholeDocument && $0.certificates.first == key.certificate }
        switch own?.integrity {
        case .intact where own?.isGood == true && own?.signer == key.certificate: return
        case .intact where own?.isGoodAsMade == true && own?.signer == key.certificate:
            throw XMLSignatureError(.unsupported, Self.refusal(own?.findings.first))
        case .unknown(let reason):
            throw XMLSignatureError(.unsupported, "the document cannot be signed, because \(reason)")
        case .intact, .broken, nil:
            let reasons = found.flatMap(\.findings).map(\.message)
            throw XMLSignatureError(
                .failed, "the signature that was made does not verify: \(reasons.joined(separator: "; "))")
        }
    }

    /// Returns the reason why `document` cannot be signed so that its signature is trusted; nil if there is none.
    ///
    /// - Throws: ``XMLSignatureError`` of the kind `failed` only.
    public static func obstacle(to document: OctetString) throws(XMLSignatureError) -> XMLSignatureError? {
        do throws(XMLSignatureError) {
            let parsed = try ParsedDocument(document)
            try requireOpen(parsed)
            try requireUnbroken(document)
            // A document that canonical XML cannot express cannot be signed.
            _ = try Canonicalisation.inclusive.write(parsed, .document) { _ in true }
            if let finding = parsed.commentFinding { return XMLSignatureError(.unsupported, refusal(finding)) }
            return nil
        } catch {
            if error.kind == .failed { throw error }
            return error
        }
    }

    private static func refusal(_ finding: XMLFinding?) -> String {
        "a signature of the document would not be trusted: \(finding?.message ?? "no reason given"); correct the document"
    }

    private static func randomIdentifier() -> String {
        var generator = SystemRandomNumberGenerator()
        let octets = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
        return octets.hexadecimal
    }
}
