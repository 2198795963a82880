public import Octets

/// The result of comparing signatures with their content, whoever made them.
public enum CMSIntegrity: Sendable, Hashable {
    case intact
    /// Digest or signature differ.
    case broken(String)
    /// Cannot be computed here: an unsupported algorithm, or a certificate that is not available.
    case unknown(String)
}

/// The content of a CMS SignedData by its own account; nothing of it is verified.
public struct SignedDataFacts: Sendable, Hashable {
    /// True if it carries content (eContent).
    public let enclosesContent: Bool
    /// The type of the content that was signed (RFC 5652 §5.2), as an object identifier.
    public let contentType: String
    /// One for each signerInfo, in order.
    public let signers: [Signer]

    public struct Signer: Sendable, Hashable {
        /// `sha-256` and so on, as RFC 8551 §3.5.3.2 names them in micalg; another algorithm under OpenSSL's name.
        public let digestAlgorithm: String
        /// True if the signer's certificate is available: enclosed, or known.
        public var hasCertificate: Bool { certificate != nil }
        /// ``Certificate/addresses`` of the certificate; empty without one.
        public let addresses: [String]
        /// Issuer (RFC 4514 text) and serial number (hexadecimal, lower case, no leading zeros) of the certificate;
        /// nil when the signer is named by key identifier and its certificate is not enclosed.
        public let issuer: String?
        public let serial: String?
        /// Subject (RFC 4514 text) of the enclosed certificate.
        public let subject: String?
        /// The enclosed certificate.
        public let certificate: Certificate?
        /// The signingTime attribute, Unix seconds.
        public let signingTime: Int?
    }
}

/// Looks into a CMS and checks its arithmetic; knows nothing of trust.
public enum CMSInspection {
    static let followed =
        "octets follow the signature that do not belong to it, such as a second signature; nothing protects them"

    /// Returns the facts in `signature` (SignedData, BER).
    /// - Parameter known: Certificates to look for signers in, beside those enclosed.
    /// - Throws: ``CryptographyError/Kind/malformed`` when it is no SignedData.
    public static func facts(
        of signature: OctetString, knowing known: [Certificate] = []
    ) throws(CryptographyError) -> SignedDataFacts {
        let parsed = try ParsedSignedData(signature, additional: known)
        let signers = parsed.signers.map { signer in
            let certificate = signer.certificate
            let name = signer.issuerAndSerial
            return SignedDataFacts.Signer(
                digestAlgorithm: signer.digestName, addresses: certificate?.addresses ?? [],
                issuer: certificate?.issuer ?? name?.issuer, serial: certificate?.serial ?? name?.serial,
                subject: certificate?.subject, certificate: certificate, signingTime: signer.signingTime)
        }
        return SignedDataFacts(
            enclosesContent: parsed.enclosedContent != nil, contentType: parsed.contentTypeText, signers: signers)
    }

    /// Returns the content that `signature` encloses (eContent), read in place; nil if it encloses none.
    /// - Throws: ``CryptographyError/Kind/malformed`` when it is no SignedData.
    public static func content(of signature: OctetString) throws(CryptographyError) -> (any OctetSource)? {
        try SignedDataSplit(signature).content
    }

    /// Tests whether every signer's signature fits `content`, with the certificates enclosed. A SignedData without
    /// signers is broken too.
    /// - Parameters:
    ///   - content: The signed content; nil for the enclosed content.
    ///   - known: Certificates to look for signers in, beside those enclosed.
    /// - Throws: ``CryptographyError`` if `signature` is not a SignedData that can be read.
    public static func check(
        _ signature: OctetString, content: (any OctetSource)?, knowing known: [Certificate] = []
    ) throws(CryptographyError) -> CMSIntegrity {
        let parsed = try ParsedSignedData(signature, additional: known)
        guard !parsed.isFollowed else { return .broken(followed) }
        guard !parsed.signers.isEmpty else { return .broken("the signature has no signer (no signerInfo)") }
        guard let content = content ?? parsed.enclosedContent else {
            return .unknown("the signature contains no content, and no content was given")
        }
        return Self.worst(try parsed.check(content))
    }

    /// A broken signature is worse than one that cannot be checked.
    static func worst(_ findings: [CMSIntegrity]) -> CMSIntegrity {
        let broken = findings.first { if case .broken = $0 { true } else { false } }
        return broken ?? findings.first { $0 != .intact } ?? .intact
    }
}
