public import DSSProtocol
public import Octets
import XMLReading

/// An answer as a signing server gives it (docs/dss-protocol.md, Answers).
public struct DSSServerAnswer: Sendable {
    public enum Major: String, Sendable, Hashable {
        case success = "Success"
        case requesterError = "RequesterError"
        case responderError = "ResponderError"
        case insufficientInformation = "InsufficientInformation"
        case pending = "Pending"
    }

    /// The result minors that a server of ours gives; the URIs are those of DSS core §4.2.
    public enum Minor: Sendable, Hashable {
        case onAllDocuments, incorrectSignature, notSupported, inappropriateSignature, referencedDocumentNotPresent
        case notParseable, generalError, keyLookupFailed, crlNotAvailable, ocspNotAvailable, chainNotComplete
        /// Ours: the client id is not known.
        case unknownClient

        var uri: String {
            let word =
                switch self {
                case .onAllDocuments: "valid:signature:OnAllDocuments"
                case .incorrectSignature: "invalid:IncorrectSignature"
                case .notSupported: "NotSupported"
                case .inappropriateSignature: "Inappropriate:signature"
                case .referencedDocumentNotPresent: "ReferencedDocumentNotPresent"
                case .notParseable: "NotParseableXMLDocument"
                case .generalError: "GeneralError"
                case .keyLookupFailed: "invalid:KeyLookupFailed"
                case .crlNotAvailable: "CrlNotAvailiable"
                case .ocspNotAvailable: "OcspNotAvailiable"
                case .chainNotComplete: "CertificateChainNotComplete"
                case .unknownClient: ""
                }
            return word.isEmpty ? DSSWord.unknownClient : DSSWord.minorPrefix + word
        }
    }

    /// A part of ProcessingDetails.
    public struct Detail: Sendable, Hashable {
        public let isInvalid: Bool
        /// `IssuerTrust`, `RevocationStatus`, `ValidityInterval` or `Signature`; ours is `SignerIdentity`.
        public let kind: String
        public let message: String

        public init(isInvalid: Bool, kind: String, message: String) {
            self.isInvalid = isInvalid
            self.kind = kind
            self.message = message
        }

        var type: String { kind == "SignerIdentity" ? DSSWord.signerIdentityDetail : DSSWord.detailPrefix + kind }
    }

    /// A statement about one signature of a document.
    public struct Signature: Sendable, Hashable {
        public let verdict: Verdict
        /// The PDF field that holds it.
        public var fieldName: String?
        /// X.509 subject.
        public var signer: String?
        /// The time at which the signer claims to have signed; RFC 3339.
        public var signingTime: String?
        /// The latest time at which the signature existed, as a timestamp proves; RFC 3339.
        public var provenTime: String?
        public var details: [Detail]

        public init(
            _ verdict: Verdict, fieldName: String? = nil, signer: String? = nil, signingTime: String? = nil,
            provenTime: String? = nil, details: [Detail] = []
        ) {
            self.verdict = verdict
            self.fieldName = fieldName
            self.signer = signer
            self.signingTime = signingTime
            self.provenTime = provenTime
            self.details = details
        }
    }

    /// The document or signature that was made.
    public enum Output: Sendable {
        /// CMS SignedData, as SignatureObject.
        case cms(any OctetSource)
        /// The whole document with its signature.
        case document(DSSServerRequest.DocumentElement, mimeType: String?, any OctetSource)
    }

    public var operation: DSSServerRequest.Operation
    public var envelope: DSSServerRequest.Envelope
    public var requestID: String?
    public var profile: String?
    public var major: Major
    public var minor: Minor?
    public var message: String?
    public var output: Output?
    /// RFC 3339.
    public var signingTime: String?
    /// RFC 3339.
    public var verificationTime: String?
    /// X.509 subjects.
    public var signers: [String] = []
    /// The certificates of signers whose signature does not carry them, DER; ours.
    public var signerCertificates: [OctetString] = []
    public var details: [Detail] = []
    /// One for each signature of a document, in the document's order.
    public var signatures: [Signature] = []
    /// True if a DSS-X verification report is added.
    public var hasReport = false
    public var prefixes = Prefixes()
    /// Adds a `ds:Signature` that means nothing, as a server that signs its answers would.
    public var hasStraySignature = false

    /// Namespace prefixes; empty makes the namespace the default one.
    public struct Prefixes: Sendable, Hashable {
        public var core = "dss"
        public var soap = "soap"

        public init() {}
        public init(core: String, soap: String) {
            self.core = core
            self.soap = soap
        }
    }

    public init(
        _ operation: DSSServerRequest.Operation, envelope: DSSServerRequest.Envelope, requestID: String?,
        profile: String?, major: Major, minor: Minor? = nil, message: String? = nil
    ) {
        self.operation = operation
        self.envelope = envelope
        self.requestID = requestID
        self.profile = profile
        self.major = major
        self.minor = minor
        self.message = message
    }

    /// The Content-Type of the answer.
    public var contentType: String { Self.contentType(envelope) }

    static func contentType(_ envelope: DSSServerRequest.Envelope) -> String {
        switch envelope {
        case .soap11: "text/xml; charset=utf-8"
        case .soap12: "application/soap+xml; charset=utf-8"
        case .none: "application/xml; charset=utf-8"
        }
    }

    /// The answer's octets; documents are encoded while they are read.
    public var octets: OctetRope {
        var text = ServerAnswerText(self)
        text.write(self)
        return text.finished()
    }
}
