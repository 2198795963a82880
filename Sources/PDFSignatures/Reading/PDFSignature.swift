public import Octets

/// An objection of the document's structure to one of its signatures.
public struct PDFFinding: Hashable, Sendable, CustomStringConvertible {
    public enum Level: Hashable, Sendable {
        /// The signature does not hold for the document in its present state.
        case invalid
        /// It cannot be judged here.
        case indeterminate
    }
    public let level: Level
    /// The fault and its place, in one line. It may contain names from the document.
    public let message: String

    public init(_ level: Level, _ message: String) {
        self.level = level
        self.message = message
    }

    public var description: String { message }
}

/// A signature as the document's structure has it (ISO 32000-1 §12.8). Its cryptography is the caller's matter: the
/// signature is good only if ``contents`` verifies over ``covered`` **and** ``findings`` is empty.
public struct PDFSignature: Sendable {
    /// The fully qualified name of its field; nil when no field leads to it.
    public internal(set) var fieldName: String?
    /// The value of /Contents without its padding: a CMS (or, by ``subFilter``, something older); nil if there is none.
    public internal(set) var contents: OctetString?
    /// Exactly the octets that the byte range covers; empty when it is unusable. Shares the document's storage.
    public internal(set) var covered = OctetRope()
    /// The length in octets of the revision that was signed, the gap for the signature included; nil when unusable.
    public internal(set) var revisionLength: Int?
    /// True if that revision is the whole file.
    public internal(set) var coversWholeFile = false
    /// The encoding of the signature, such as `ETSI.CAdES.detached`.
    public internal(set) var subFilter: String?
    /// A timestamp for the document (ISO 32000-2 §12.8.5) in place of somebody's signature: ``contents`` is a token of
    /// RFC 3161 whose imprint is of ``covered``.
    public internal(set) var isDocumentTimestamp = false
    /// /M, when the signer says to have signed, Unix seconds. Nobody vouches for it.
    public internal(set) var claimedTime: Int?
    /// /Name, /Reason, /Location and /ContactInfo as the signer gives them; nil in an encrypted document.
    public internal(set) var signerName: String?
    public internal(set) var reason: String?
    public internal(set) var location: String?
    public internal(set) var contactInfo: String?
    /// Of a certification, what it lets others change (DocMDP /P, §12.8.2.2): 1 nothing, 2 forms and signatures, 3 and
    /// annotations. Nil for a signature of approval.
    public internal(set) var certificationLevel: Int?
    /// The objections to it; empty if the structure is sound.
    public internal(set) var findings: [PDFFinding] = []

    init() {}

    mutating func isInvalid(_ message: String) { findings.append(PDFFinding(.invalid, message)) }
}
