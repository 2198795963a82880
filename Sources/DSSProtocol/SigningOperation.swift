public import Octets

/// The kinds of document the signing server is asked about; the dialect chooses element and word for each.
public enum DocumentKind: String, Sendable, Hashable, CaseIterable {
    case email, pdf, xml, cms
}

/// One call that has a document signed.
public struct SigningOperation: Sendable {
    public let kind: DocumentKind
    /// The octets to be signed; for a mail the MIME entity with CRLF line ends.
    public let document: any OctetSource
    /// The signing profile; nil or empty lets the server choose.
    public let profile: String?
    /// The key's alias; nil lets the profile choose (`NONE`).
    public let keyAlias: String?
    /// The attributes that override the profile, in the order of the configuration.
    public let attributes: [SignatureAttribute]
    /// The client id (ClaimedIdentity/Name).
    public let originatorID: String
    /// New for every new content, kept when the same octets go to the secondary address.
    public let requestID: String

    public init(
        kind: DocumentKind, document: any OctetSource, profile: String?, keyAlias: String?,
        attributes: [SignatureAttribute], originatorID: String, requestID: String
    ) {
        self.kind = kind
        self.document = document
        self.profile = profile
        self.keyAlias = keyAlias
        self.attributes = attributes
        self.originatorID = originatorID
        self.requestID = requestID
    }
}

/// One overriding attribute of a signature, such as `SIGNING_REASON`.
public struct SignatureAttribute: Sendable, Hashable {
    public let name: String
    public let value: String

    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// The result of a signing call.
public enum SigningAnswer: Sendable {
    /// CMS SignedData, DER or BER (docs/dss-protocol.md, Answers).
    case cms(OctetString)
    /// The finished document: MIME entity or message (form B), PDF or XML.
    case document(OctetString)
}
