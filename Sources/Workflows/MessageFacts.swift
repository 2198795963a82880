public import DocumentKinds
public import InternetMessage

/// The facts that Decide may know of a message. Each fact is found only when it is asked for, and found once.
public protocol MessageFacts: Sendable {
    /// Header To and Cc, From; display names decoded (RFC 2047). Text that cannot be read is in ``unreadable``.
    var to: [NamedAddress] { get }
    var cc: [NamedAddress] { get }
    var from: [NamedAddress] { get }
    /// Bcc of the header, and the envelope recipients who are missing from To and Cc.
    var bcc: [NamedAddress] { get }
    /// The text in the address fields in which no address can be made out.
    var unreadable: UnreadableAddresses { get }
    /// Decoded; nil without a Subject.
    var subject: String? { get }
    /// The decoded text of all text/plain and text/html parts that are the mail's text.
    var bodyText: String { get }
    /// By structure: multipart/signed or application/pkcs7-mime with signed content, at the top level.
    var isSigned: Bool { get }
    /// By structure: application/pkcs7-mime with enveloped content, at the top level. An outer encryption hides a
    /// signature.
    var isEncrypted: Bool { get }
    /// The signature or encryption that the mail as a whole already has, by S/MIME or PGP; nil if it has neither.
    var protection: MailProtection? { get }
    var attachments: [AttachmentFacts] { get }
    /// True if the envelope sender is `<>`.
    var hasNullSender: Bool { get }
}

/// The protection that another program gave a mail before it came here, as its structure shows it.
public struct MailProtection: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable { case signed, encrypted }
    public enum Scheme: String, Sendable, Hashable {
        case smime = "S/MIME"
        case pgp = "PGP"
    }
    public let kind: Kind
    public let scheme: Scheme

    public init(_ kind: Kind, by scheme: Scheme) {
        self.kind = kind
        self.scheme = scheme
    }
}

/// The text in the address fields of a header that is not an address: untrusted, field by field.
public struct UnreadableAddresses: Sendable, Hashable {
    public var from: [String]
    public var to: [String]
    public var cc: [String]
    public var bcc: [String]

    public init(from: [String] = [], to: [String] = [], cc: [String] = [], bcc: [String] = []) {
        self.from = from
        self.to = to
        self.cc = cc
        self.bcc = bcc
    }
}

/// An address with what a reader is shown beside it.
public struct NamedAddress: Sendable, Hashable {
    public let displayName: String?
    public let address: AddrSpec

    public init(displayName: String?, address: AddrSpec) {
        self.displayName = displayName
        self.address = address
    }
}

/// An attachment: a leaf with disposition attachment, or a part that is neither text body nor referenced by cid and has
/// a name or a type that readers show as a file.
public struct AttachmentFacts: Sendable, Hashable {
    /// The number of the message that ``path`` is in: 0 for the message as received, others for the content of its
    /// signed S/MIME objects.
    public let layer: Int
    public let path: Entity.Path
    /// Decoded; nil without a name. Never used as a path.
    public let fileName: String?
    /// The name as names are compared; nil without one.
    public let shownFileName: ShownFileName?
    /// `type/subtype`, lower case, as declared.
    public let mediaType: String
    /// The kinds that the content indicates; empty if nothing is recognised.
    public let contentKinds: Set<DocumentOpening.Kind>
    /// The same as words that a filter may name, sorted. CMS has two.
    public var contentKindWords: [String] {
        contentKinds.flatMap { kind in kind == .cms ? [kind.rawValue, "p7m"] : [kind.rawValue] }.sorted()
    }
    /// PDF with a filled signature field, XML with a ds:Signature, CMS SignedData.
    public let isSigned: Bool
    /// The reason why the part must stay unchanged; nil if it may be changed.
    public let protection: Protection?

    /// The protection that a change of the part would break, apart from a signature within the document itself.
    public enum Protection: String, Sendable, Hashable {
        /// It stands within a multipart/signed, S/MIME's or PGP's.
        case withinSigned
        /// It is an S/MIME object of the mail, such as `smime.p7m`, that encloses signed parts.
        case signedPart
        /// It is encrypted by S/MIME, whatever its content.
        case encryptedPart
    }

    public init(
        layer: Int = 0, path: Entity.Path, fileName: String?, mediaType: String,
        contentKinds: Set<DocumentOpening.Kind>,
        isSigned: Bool, protection: Protection? = nil
    ) {
        self.layer = layer
        shownFileName = fileName.map { ShownFileName($0) }
        self.path = path
        self.fileName = fileName
        self.mediaType = mediaType
        self.contentKinds = contentKinds
        self.isSigned = isSigned
        self.protection = protection
    }
}
