public import Octets

/// A request as a signing server receives it.
public struct DSSServerRequest: Sendable {
    public enum Operation: Sendable, Hashable { case sign, verify }

    /// The envelope around the request, and so around the answer.
    public enum Envelope: Sendable, Hashable { case soap11, soap12, none }

    /// The element in which a document came.
    public enum DocumentElement: String, Sendable, Hashable {
        case base64Data = "Base64Data"
        case base64XML = "Base64XML"
    }

    public struct Document: Sendable {
        public let element: DocumentElement
        /// The MimeType attribute.
        public let mimeType: String?
        public let octets: OctetString
    }

    public internal(set) var operation = Operation.sign
    public internal(set) var envelope = Envelope.none
    public internal(set) var requestID: String?
    public internal(set) var profile: String?
    /// ClaimedIdentity/Name: the client id.
    public internal(set) var client: String?
    /// The alias of the key: KeySelector/KeyInfo/KeyName, or CertificateAlias of the extension form.
    public internal(set) var keyAlias: String?
    public internal(set) var signatureType: String?
    /// Attributes that override the profile, in either form.
    public internal(set) var attributes: [Attribute] = []
    /// True if the content is to be enclosed (IncludeObject).
    public internal(set) var includesObject = false
    public internal(set) var returnsSigningTime = false
    public internal(set) var returnsSignerIdentity = false
    public internal(set) var returnsVerificationTime = false
    public internal(set) var returnsReport = false
    public internal(set) var document: Document?
    /// SignatureObject/Base64Signature.
    public internal(set) var signature: OctetString?
    /// Optional inputs that this reader does not know: a server must refuse them (DSS core §2.7).
    public internal(set) var unsupported: [String] = []

    public struct Attribute: Sendable, Hashable {
        public let name: String
        public let value: String
    }
}

/// The reason why octets are not a request.
public struct DSSServerRequestError: Error, Sendable, CustomStringConvertible {
    public enum Kind: Sendable, Hashable {
        /// No well-formed XML, or none that is safe to read.
        case unreadable
        /// XML, but no SignRequest or VerifyRequest.
        case noRequest
        /// A document is not clean base64.
        case notBase64
        /// A document could not be kept.
        case storage
    }
    public let kind: Kind
    /// One line, without control characters.
    public let reason: String

    public init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = PlainText.line(reason, limit: 300)
    }

    public var description: String { reason }
}
