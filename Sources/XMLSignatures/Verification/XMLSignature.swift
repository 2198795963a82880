public import Octets

/// The amount of information in a signature beside the document.
public enum XMLSignatureForm: String, Sendable, Hashable, CaseIterable {
    /// XML Signature 1.1 alone.
    case xmldsig
    /// With the signed properties of XAdES (ETSI EN 319 132-1): time and certificate.
    case xades
}

/// The findings about one ds:Signature, without any question of trust: certificates, revocation lists and timestamps
/// are passed on, not judged.
public struct XMLSignature: Sendable, Hashable {
    public enum Integrity: Sendable, Hashable {
        /// Every reference and the signature value are right, for the first of ``XMLSignature/certificates``.
        case intact
        /// Something was changed, or was never right; the reason, in one line.
        case broken(String)
        /// It cannot be told; the reason, in one line.
        case unknown(String)
    }

    /// The line where it begins in the document, counted from 1.
    public let line: Int
    public let form: XMLSignatureForm
    public let integrity: Integrity
    /// The certificates in DER, each once. The signer's stands first when ``signer`` is not nil.
    public let certificates: [OctetString]
    /// The certificate in DER whose key made the signature value, and whose digest the signed properties name if they
    /// name any; nil if there is none.
    public let signer: OctetString?
    /// The revocation lists in DER that came with the signature.
    public let revocationLists: [OctetString]
    public let algorithms: XMLSignatureAlgorithms
    /// The weaknesses of the algorithms and the signer's key; nothing else of the certificate is considered.
    public let weaknesses: [XMLWeakness]
    /// The time of signing that the signer claims, Unix seconds. It is signed, but not proven.
    public let claimedTime: Int?
    public let timestamps: [XMLTimestamp]
    /// True if everything in the document except the signatures is signed, comments excepted.
    public let coversWholeDocument: Bool
    /// The faults that keep the signature from being valid.
    public let findings: [XMLFinding]
    /// True if everything is right that can be checked without the signer's certificate, which neither the signature
    /// nor the caller has. A verifier that knows it can check the rest.
    public let lacksOnlyCertificate: Bool
    /// True if it leaves a part of the document unsigned, and no other signature signs the whole. False also for a
    /// signature whose content is elsewhere.
    public let leavesPartOpen: Bool

    /// True if it is valid as far as it is judged here: intact, and without findings. Otherwise it is worthless. If it
    /// is valid, the trust in its certificate and algorithms decides.
    public var isGood: Bool { integrity == .intact && findings.isEmpty }

    /// True if it is valid, apart from findings that the document already had before it was signed, as far as the
    /// signature tells.
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
    /// True if the document was in this state before it was signed, as far as its signature tells.
    public let isOlderThanSignature: Bool

    init(_ level: Level, isOlderThanSignature: Bool = false, _ message: String) {
        self.level = level
        self.isOlderThanSignature = isOlderThanSignature
        self.message = OneLine.of(message)
    }
}

/// The algorithm names of a signature, as written in it.
public struct XMLSignatureAlgorithms: Sendable, Hashable {
    public let signature: String
    public let digests: [String]
    /// The signer's key; nil if there is none.
    public let key: XMLKeyFacts?
}

public struct XMLKeyFacts: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable { case rsa, dsa, ecdsa, other }
    public let kind: Kind
    public let bits: Int
}

/// An algorithm or key that is too weak to be trusted, unless the configuration allows it.
public struct XMLWeakness: Sendable, Hashable {
    /// Such as `SHA-1` or `RSA with 1024 bits`.
    public let algorithm: String
    /// True if it proves nothing at all, so that no setting may allow it.
    public let isBroken: Bool
}

/// A timestamp over a signature (XAdES SignatureTimeStamp), not verified.
public struct XMLTimestamp: Sendable, Hashable {
    /// A TimeStampToken of RFC 3161 in DER.
    public let token: OctetString
    /// The octets whose digest must be in its message imprint: the canonical SignatureValue.
    public let stamped: OctetString
}
