/// The way in which one kind of signing server is spoken to and its answers are read. Every difference between servers
/// is a value here. Only the encoder and the decoder look at it.
public struct Dialect: Sendable, Hashable {
    /// The envelope around a request.
    public enum Envelope: String, Sendable, Hashable, CaseIterable {
        /// SOAP 1.1, `text/xml`.
        case soap11
        /// SOAP 1.2, `application/soap+xml`.
        case soap12
        /// Nothing, `application/xml` (OASIS DSS core, HTTP POST binding).
        case none
    }

    /// The place of the key's alias in a SignRequest.
    public enum AliasForm: String, Sendable, Hashable, CaseIterable {
        /// `KeySelector/ds:KeyInfo/ds:KeyName`.
        case keyName
        /// `KeySelector/Other/CertificateAlias` of our extension namespace.
        case `extension`
        /// Nowhere: the profile chooses the key.
        case omit
    }

    /// The form in which attributes that override the profile travel.
    public enum AttributesForm: String, Sendable, Hashable, CaseIterable {
        /// As one element named by ``Dialect/attributeNames``.
        case `extension`
        /// As `Properties/SignedProperties/Property`, one for each attribute.
        case dssProperties
        /// Not at all.
        case omit
    }

    /// The names of the extension form of attributes.
    public struct AttributeNames: Sendable, Hashable {
        public var namespace = DSSNamespace.extensions
        public var list = "OverrideableAttributes"
        public var attribute = "Attribute"
        public var name = "Name"
        public var value = "Value"

        public init() {}
    }

    /// The document that is sent to have a mail signed.
    public enum MailSigningInput: String, Sendable, Hashable, CaseIterable {
        /// The MIME entity: content header fields and body.
        case entity
        /// The entity as a message of its own, beginning with `MIME-Version: 1.0`.
        case wholeMessage
    }

    /// The document that is sent to have a signed mail verified.
    public enum MailVerificationInput: String, Sendable, Hashable, CaseIterable {
        case wholeMessage
        /// The first part of multipart/signed as document, and the CMS as SignatureObject.
        case detachedCms
    }

    /// The optional inputs of a VerifyRequest.
    public enum VerificationInput: String, Sendable, Hashable, CaseIterable {
        case returnSigningTimeInfo = "ReturnSigningTimeInfo"
        case returnSignerIdentity = "ReturnSignerIdentity"
        case returnVerificationTimeInfo = "ReturnVerificationTimeInfo"
        case returnProcessingDetails = "ReturnProcessingDetails"
        case returnVerificationReport = "ReturnVerificationReport"
    }

    public var envelope: Envelope
    /// The SOAPAction header field of SOAP 1.1 and the action parameter of SOAP 1.2; nil sends none.
    public var soapAction: String?
    public var aliasForm: AliasForm
    public var attributesForm: AttributesForm
    public var attributeNames: AttributeNames
    public var mailSigningInput: MailSigningInput
    public var mailVerificationInput: MailVerificationInput
    /// True if a SignRequest names its SignatureType; otherwise the profile decides.
    public var sendsSignatureType: Bool
    /// The Profile attribute of a VerifyRequest; nil sends none.
    public var verificationProfile: String?
    /// In the order in which they are sent.
    public var verificationInputs: [VerificationInput]
    /// The wrapping of each kind of document.
    public var documents: DocumentTable
    /// The words of AssertionStatus and of report results.
    public var words: VerdictWords
    /// A refusal whose message contains one of these (case ignored) is worth another try.
    public var transientMessages: [String] = []

    /// ADSS Server, as far as it is known: SOAP 1.1 and the fewest optional inputs.
    public static let adss = Dialect(
        envelope: .soap11, soapAction: "", aliasForm: .keyName, attributesForm: .extension,
        attributeNames: AttributeNames(), mailSigningInput: .entity, mailVerificationInput: .wholeMessage,
        sendsSignatureType: false, verificationProfile: nil,
        verificationInputs: [.returnSigningTimeInfo, .returnSignerIdentity], documents: .adss, words: .standard)

    /// OASIS DSS core 1.0 by the letter: no envelope, IANA media types, S/MIME as detached CMS.
    public static let dss10 = Dialect(
        envelope: .none, soapAction: nil, aliasForm: .keyName, attributesForm: .extension,
        attributeNames: AttributeNames(), mailSigningInput: .entity, mailVerificationInput: .detachedCms,
        sendsSignatureType: true, verificationProfile: nil,
        verificationInputs: [.returnSigningTimeInfo, .returnSignerIdentity], documents: .dss10, words: .standard)

    /// The dialects that `ses.xml` can name.
    public enum Preset: String, Sendable, Hashable, CaseIterable {
        case adss, dss10

        public var dialect: Dialect {
            switch self {
            case .adss: .adss
            case .dss10: .dss10
            }
        }
    }

    /// Returns true if `message` contains one of ``transientMessages``.
    public func isTransient(_ message: String) -> Bool {
        let message = message.lowercased()
        return transientMessages.contains { !$0.isEmpty && message.contains($0.lowercased()) }
    }
}
