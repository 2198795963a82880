public import Octets

/// How much a signature says beside the document.
public enum XMLSignatureForm: String, Sendable, Hashable, CaseIterable {
    /// XML Signature 1.1 alone.
    case xmldsig
    /// With the signed properties of XAdES (ETSI EN 319 132-1): time and certificate.
    case xades
}

/// What is found about one ds:Signature, short of whom to trust: certificates, revocation lists and timestamps are
/// handed on, not judged.
public struct XMLSignature: Sendable, Hashable {
    public enum Integrity: Sendable, Hashable {
        /// Every reference and the signature value are right, for the first of ``XMLSignature/certificates``.
        case intact
        /// Something was changed, or was never right; the reason, in one line.
        case broken(String)
        /// It cannot be told; the reason, in one line.
        case unknown(String)
    }

    /// Where it begins in the document, counted from 1.
    public let line: Int
    public let form: XMLSignatureForm
    public let integrity: Integrity
    /// The certificates in DER, each once. The signer's stands first when ``signer`` is not nil.
    public let certificates: [OctetString]
    /// The certificate in DER with whose key the signature value is right, and whose digest the signed properties name
    /// where there are such; nil when there is none.
    public let signer: OctetString?
    /// The revocation lists in DER that came with the signature.
    public let revocationLists: [OctetString]
    public let algorithms: XMLSignatureAlgorithms
    /// What is weak about the algorithms and the signer's key; nothing else of the certificate is looked at.
    public let weaknesses: [XMLWeakness]
    /// When the signer says to have signed, Unix seconds. Signed, but proven by nothing.
    public let claimedTime: Int?
    public let timestamps: [XMLTimestamp]
    /// Whether everything in the document but the signatures is signed, comments excepted.
    public let coversWholeDocument: Bool
    /// What keeps the signature from being good.
    public let findings: [XMLFinding]
    /// Whether everything is right as far as it can be looked at without the signer's certificate, which neither the
    /// signature nor the caller has: whoever knows it can say the rest.
    public let lacksOnlyCertificate: Bool
    /// Whether it leaves a part of the document unsigned, and no other signature signs the whole. False also for a
    /// signature whose content is elsewhere.
    public let leavesPartOpen: Bool

    /// Whether it is good as far as it is judged here: intact, and nothing found against it. Without that it is worth
    /// nothing; with it the trust in its certificate and algorithms decides.
    public var isGood: Bool { integrity == .intact && findings.isEmpty }

    /// The same but for what was so in the document before it was signed, as far as the signature tells.
    var isGoodAsMade: Bool { integrity == .intact && findings.allSatisfy(\.isOlderThanSignature) }
}

/// One thing that keeps a signature from being good.
public struct XMLFinding: Sendable, Hashable {
    public enum Level: Sendable, Hashable {
        /// Too little is known.
        case indeterminate
        /// It speaks against the signature.
        case invalid
    }
    public let level: Level
    /// One line; words of the document may be in it.
    public let message: String
    /// Whether the document was so before it was signed, for all that its signature tells.
    public let isOlderThanSignature: Bool

    init(_ level: Level, isOlderThanSignature: Bool = false, _ message: String) {
        self.level = level
        self.isOlderThanSignature = isOlderThanSignature
        self.message = OneLine.of(message)
    }
}

/// The algorithm names of a signature, as they stand in it.
public struct XMLSignatureAlgorithms: Sendable, Hashable {
    public let signature: String
    public let digests: [String]
    /// The signer's key; nil when there is none.
    public let key: XMLKeyFacts?
}

public struct XMLKeyFacts: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable { case rsa, dsa, ecdsa, other }
    public let kind: Kind
    public let bits: Int
}

/// An algorithm or key that is too weak to be trusted, unless somebody says so.
public struct XMLWeakness: Sendable, Hashable {
    /// Such as `SHA-1` or `RSA with 1024 bits`.
    public let algorithm: String
    /// Whether it proves nothing at all, so that no setting may allow it.
    public let isBroken: Bool
}

/// A timestamp over a signature (XAdES SignatureTimeStamp), not verified.
public struct XMLTimestamp: Sendable, Hashable {
    /// A TimeStampToken of RFC 3161 in DER.
    public let token: OctetString
    /// What its message imprint must be the digest of: the canonical SignatureValue.
    public let stamped: OctetString
}
