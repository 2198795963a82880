public import DSSProtocol
import Octets
import XMLReading

extension EncodedRequest {
    /// The SignRequest for `operation`. The document is not touched; it is read and encoded when the body is read.
    public init(signing operation: SigningOperation, dialect: Dialect) {
        var text = RequestText(
            "SignRequest", requestID: operation.requestID, profile: operation.profile, dialect: dialect)
        text.open("dss:OptionalInputs")
        text.claim(operation.originatorID)
        if dialect.sendsSignatureType { text.leaf("dss:SignatureType", operation.kind.signatureType) }
        if let alias = operation.keyAlias, !alias.isEmpty { text.key(alias, dialect.aliasForm) }
        if !operation.attributes.isEmpty { text.attributes(operation.attributes, dialect) }
        text.close("dss:OptionalInputs")
        let isMessage = operation.kind == .email && dialect.mailSigningInput == .wholeMessage
        let document: any OctetSource =
            isMessage ? OctetRope([OctetString("MIME-Version: 1.0\r\n"), operation.document]) : operation.document
        let parts = text.documents(document, dialect.documents[operation.kind, .sign])
        self.init(dialect, parts, end: text.end("SignRequest"))
    }

    /// The VerifyRequest for `operation`: its document, its signature, or both.
    public init(verification operation: VerificationOperation, dialect: Dialect) {
        var text = RequestText(
            "VerifyRequest", requestID: operation.requestID, profile: dialect.verificationProfile, dialect: dialect)
        text.open("dss:OptionalInputs")
        text.claim(operation.originatorID)
        for input in dialect.verificationInputs { text.ask(for: input) }
        text.close("dss:OptionalInputs")
        var parts: [any OctetSource] = []
        if let document = operation.document {
            parts = text.documents(document, dialect.documents[operation.kind, .verify])
        }
        if let signature = operation.signature {
            text.open("dss:SignatureObject")
            text.open("dss:Base64Signature", attributes: [("Type", DSSWord.cms)])
            parts += [text.drain(), Base64Encoded(signature, lineLength: nil)]
            text.close("dss:Base64Signature")
            text.close("dss:SignatureObject")
        }
        self.init(dialect, parts, end: text.end("VerifyRequest"))
    }

    private init(_ dialect: Dialect, _ parts: [any OctetSource], end: OctetString) {
        fields = dialect.headerFields
        body = OctetRope(parts + [end])
    }
}

extension DocumentKind {
    fileprivate var signatureType: String {
        switch self {
        case .email, .cms: DSSWord.cms
        case .pdf: DSSWord.pades
        case .xml: DSSWord.xmlSignature
        }
    }
}

extension Dialect {
    fileprivate var headerFields: [(name: String, value: String)] {
        let accept = (name: "Accept", value: "text/xml, application/soap+xml, application/xml")
        switch envelope {
        case .soap11:
            let action = soapAction.map { [(name: "SOAPAction", value: "\"\($0)\"")] } ?? []
            return [("Content-Type", "text/xml; charset=utf-8"), accept] + action
        case .soap12:
            let action = soapAction.flatMap { $0.isEmpty ? nil : "; action=\"\($0)\"" } ?? ""
            return [("Content-Type", "application/soap+xml; charset=utf-8" + action), accept]
        case .none:
            return [("Content-Type", "application/xml; charset=utf-8"), accept]
        }
    }
}
