public import DSSProtocol
public import DocumentKinds
public import Octets

/// The signing server, as processing needs it.
public protocol SignatureService: Sendable {
    /// - Parameter answers: where the octets of a returned document wait.
    /// - Throws: ``Failure``: transient if the server did not answer, permanent if it refused.
    func sign(_ operation: SigningOperation, answers: any OctetCollectorMaking) async throws(Failure) -> SigningAnswer
    /// - Throws: ``Failure``: transient if the server did not answer, permanent if it refused.
    func verify(_ operation: VerificationOperation, answers: any OctetCollectorMaking) async throws(Failure)
        -> VerificationAnswer
}

/// Looks into a CMS and checks its arithmetic; knows nothing of trust.
public protocol SignatureInspection: Sendable {
    /// Returns the facts in `signature` (DER or BER SignedData).
    /// - Throws: A permanent ``Failure`` if it cannot be read.
    func facts(of signature: OctetString) throws(Failure) -> CMSFacts
    /// Returns the content that `signature` encloses, read in place; nil if it encloses none.
    /// - Throws: A permanent ``Failure`` if it cannot be read.
    func content(of signature: OctetString) throws(Failure) -> (any OctetSource)?
    /// Tests whether every signer's signature fits `content` (nil: the enclosed content) with the certificates
    /// enclosed.
    /// - Throws: A permanent ``Failure`` if it cannot be read.
    func check(_ signature: OctetString, content: (any OctetSource)?) throws(Failure) -> SignatureIntegrity
    /// The same two with certificates that the signature may not carry, DER.
    /// - Throws: A permanent ``Failure`` if it cannot be read.
    func facts(of signature: OctetString, knowing certificates: [OctetString]) throws(Failure) -> CMSFacts
    /// - Throws: A permanent ``Failure`` if it cannot be read.
    func check(
        _ signature: OctetString, content: (any OctetSource)?, knowing certificates: [OctetString]
    ) throws(Failure) -> SignatureIntegrity
    /// Returns the reason why nobody will accept a signature that the certificate of `signer` makes now: it expired, is
    /// not valid yet, or is for another use. Nil if there is none, or the certificate is not known.
    /// - Parameter now: Unix seconds.
    /// - Throws: A permanent ``Failure`` if the certificate cannot be read.
    func obstacle(
        toSigning use: SignatureUse, by signer: CMSFacts.Signer, at now: Int
    ) throws(Failure) -> SigningObstacle?
}

/// The reason why nobody will accept a signature that a certificate makes now.
public struct SigningObstacle: Sendable, Hashable {
    /// The part that the clock has in it.
    public enum Cause: Sendable, Hashable {
        /// The certificate is not valid before that time, in Unix seconds: it will be, or the clock is behind.
        case early(until: Int)
        /// It has expired, or the clock is ahead.
        case late
        /// It is unfit at any time.
        case other
    }

    public let reason: String
    public let cause: Cause

    public init(_ reason: String, _ cause: Cause = .other) {
        self.reason = reason
        self.cause = cause
    }
}

/// The use of a signature. Each use requires other purposes of its certificate.
public enum SignatureUse: Sendable, Hashable, CaseIterable {
    /// A mail (RFC 8550 §4.4).
    case mail
    /// A PDF, an XML document or any other file.
    case document
}

extension SignatureInspection {
    /// - Throws: A permanent ``Failure`` if it cannot be read.
    public func facts(of signature: OctetString, knowing certificates: [OctetString]) throws(Failure) -> CMSFacts {
        try facts(of: signature)
    }

    /// - Throws: A permanent ``Failure`` if it cannot be read.
    public func check(
        _ signature: OctetString, content: (any OctetSource)?, knowing certificates: [OctetString]
    ) throws(Failure) -> SignatureIntegrity {
        try check(signature, content: content)
    }
}

/// Looks into documents and checks the arithmetic of the signatures they carry; knows nothing of trust.
public protocol DocumentInspection: Sendable {
    /// Returns the reason why `document` can take no further signature, in words: it is encrypted, certified against
    /// changes, or not of this format. Nil if nothing forbids it.
    /// - Throws: A ``Failure`` if the document cannot be examined.
    func obstacle(toSigning document: OctetString, as format: DocumentFormat) throws(Failure) -> String?

    /// Tests whether `signed` is `original` with exactly one new signature that fits, and nothing else.
    ///
    /// A PDF begins with the octets of `original`. Behind its one new signature there is nothing but validation data
    /// and timestamps of the document, which let the signature last. An XML document equals `original` under C14N once
    /// its one new ds:Signature is taken out.
    /// - Throws: A permanent ``Failure`` if one of the documents cannot be read.
    func check(
        _ signed: OctetString, from original: OctetString, as format: DocumentFormat
    ) throws(Failure) -> MadeSignature

    /// Returns the signatures in `document`, in the order in which they were made as far as that can be seen; empty if
    /// there are none.
    /// - Throws: A permanent ``Failure`` when it cannot be read.
    func signatures(in document: OctetString, as format: DocumentFormat) throws(Failure) -> [DocumentSignature]
}

/// One signature within a document, as it is known without asking anybody whom to trust.
public struct DocumentSignature: Sendable, Hashable {
    /// The part of the document that the signature covers.
    public enum Coverage: Sendable, Hashable {
        case wholeDocument
        /// It was signed before something was added; in words what followed, such as a further signature.
        case earlierRevision(String)
        /// Only a part, in words.
        case part(String)
    }

    /// The full name of the field (PDF) or the Id of the ds:Signature (XML), nil without one.
    public let name: String?
    /// nil when the document does not carry the signer's certificate.
    public let signer: CMSFacts.Signer?
    /// The time of signing that the signer claims, Unix seconds.
    public let claimedTime: Int?
    public let integrity: SignatureIntegrity
    public let coverage: Coverage
    /// True if everything is right here except the signature value, which cannot be checked because the document does
    /// not carry the signer's certificate. A server that knows it can check the value.
    public let lacksOnlyCertificate: Bool

    public init(
        name: String?, signer: CMSFacts.Signer?, claimedTime: Int?, integrity: SignatureIntegrity, coverage: Coverage,
        lacksOnlyCertificate: Bool = false
    ) {
        self.name = name
        self.signer = signer
        self.claimedTime = claimedTime
        self.integrity = integrity
        self.coverage = coverage
        self.lacksOnlyCertificate = lacksOnlyCertificate
    }
}

/// The signature that a signing server put into a document, as it is found there.
public struct MadeSignature: Sendable, Hashable {
    public let integrity: SignatureIntegrity
    /// nil when the signature was not found, or the document does not carry the signer's certificate.
    public let signer: CMSFacts.Signer?

    public init(_ integrity: SignatureIntegrity, by signer: CMSFacts.Signer? = nil) {
        self.integrity = integrity
        self.signer = signer
    }
}

/// The result of comparing signatures with their content, whoever made them.
public enum SignatureIntegrity: Sendable, Hashable {
    case intact
    /// Digest or signature differ.
    case broken(String)
    /// Cannot be computed here: an unsupported algorithm, a certificate that is not enclosed.
    case unknown(String)
}

/// The content of a CMS SignedData by its own account.
public struct CMSFacts: Sendable, Hashable {
    /// True if it carries content (eContent).
    public let enclosesContent: Bool
    /// The type of the content that was signed (RFC 5652 §5.2), as an object identifier.
    public let contentType: String
    /// One for each signerInfo.
    public let signers: [Signer]

    public struct Signer: Sendable, Hashable {
        /// `sha-256` and so on, as RFC 8551 §3.5.3.2 names them in micalg.
        public let digestAlgorithm: String
        /// The addresses of the certificate: rfc822Name, SmtpUTF8Mailbox, and emailAddress of the subject. Empty
        /// without an enclosed certificate.
        public let addresses: [String]
        /// Issuer (RFC 4514 text) and serial number (hexadecimal, lower case, no leading zeros) of the certificate.
        public let issuer: String?
        public let serial: String?
        /// Subject (RFC 4514 text).
        public let subject: String?
        /// The signingTime attribute, Unix seconds.
        public let signingTime: Int?
        /// The certificate in DER; nil when it is not at hand.
        public let certificate: OctetString?
        /// True if the signer's certificate is known; without it the signer is unknown.
        public let hasCertificate: Bool

        public init(
            digestAlgorithm: String, addresses: [String], issuer: String?, serial: String?, subject: String?,
            signingTime: Int?, certificate: OctetString? = nil, hasCertificate: Bool = true
        ) {
            self.hasCertificate = hasCertificate
            self.digestAlgorithm = digestAlgorithm
            self.addresses = addresses
            self.issuer = issuer
            self.serial = serial
            self.subject = subject
            self.signingTime = signingTime
            self.certificate = certificate
        }
    }

    public init(enclosesContent: Bool, contentType: String = CMSFacts.data, signers: [Signer]) {
        self.enclosesContent = enclosesContent
        self.contentType = contentType
        self.signers = signers
    }

    /// id-data, the only content type of a signed message (RFC 8551 §2.4.1). A timestamp token, for example, is a
    /// SignedData with another content type.
    public static let data = "1.2.840.113549.1.7.1"
}
