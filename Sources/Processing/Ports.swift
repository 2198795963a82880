public import DSSProtocol
public import Octets

/// The signing server, as processing needs it.
public protocol SignatureService: Sendable {
    /// - Parameter answers: where the octets of a returned document wait.
    func sign(_ operation: SigningOperation, answers: any OctetCollectorMaking) async throws(Failure) -> SigningAnswer
    func verify(_ operation: VerificationOperation, answers: any OctetCollectorMaking) async throws(Failure)
        -> VerificationAnswer
}

/// Looks into a CMS and checks its arithmetic; knows nothing of trust.
public protocol SignatureInspection: Sendable {
    /// What stands in `signature` (DER or BER SignedData).
    func facts(of signature: OctetString) throws(Failure) -> CMSFacts
    /// Whether every signer's signature fits `content` (nil: the enclosed content) with the certificates enclosed.
    func check(_ signature: OctetString, content: (any OctetSource)?) throws(Failure) -> SignatureIntegrity
}

/// Whether signatures fit their content, whoever made them.
public enum SignatureIntegrity: Sendable, Hashable {
    case intact
    /// Digest or signature differ.
    case broken(String)
    /// Cannot be computed here: an unsupported algorithm, a certificate that is not enclosed.
    case unknown(String)
}

/// What a CMS SignedData says of itself.
public struct CMSFacts: Sendable, Hashable {
    /// Whether it carries content (eContent).
    public let enclosesContent: Bool
    /// One for each signerInfo.
    public let signers: [Signer]

    public struct Signer: Sendable, Hashable {
        /// `sha-256` and so on, as RFC 8551 §3.5.3.2 names them in micalg.
        public let digestAlgorithm: String
        /// The addresses of the certificate: rfc822Name, SmtpUTF8Mailbox, and emailAddress of the subject. Empty without an enclosed certificate.
        public let addresses: [String]
        /// Issuer (RFC 4514 text) and serial number (hexadecimal, lower case, no leading zeros) of the certificate.
        public let issuer: String?
        public let serial: String?
        /// Subject (RFC 4514 text).
        public let subject: String?
        /// The signingTime attribute, Unix seconds.
        public let signingTime: Int?

        public init(
            digestAlgorithm: String, addresses: [String], issuer: String?, serial: String?, subject: String?,
            signingTime: Int?
        ) {
            self.digestAlgorithm = digestAlgorithm
            self.addresses = addresses
            self.issuer = issuer
            self.serial = serial
            self.subject = subject
            self.signingTime = signingTime
        }
    }

    public init(enclosesContent: Bool, signers: [Signer]) {
        self.enclosesContent = enclosesContent
        self.signers = signers
    }
}
