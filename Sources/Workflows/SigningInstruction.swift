/// With what a signature is made.
public struct SigningInstruction: Sendable, Hashable {
    /// nil: the server's default.
    public var profile: String?
    public var key: KeyChoice
    /// `OverrideableAttributes`, in document order.
    public var attributes: [Attribute]

    public struct Attribute: Sendable, Hashable {
        public var name: AttributeName
        public var value: String

        public init(name: AttributeName, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The form in which an attachment is signed; a mail has one form only.
    public var format: AttachmentFormat

    public init(
        profile: String?, key: KeyChoice, attributes: [Attribute] = [], format: AttachmentFormat = .own
    ) {
        self.profile = profile
        self.key = key
        self.attributes = attributes
        self.format = format
    }
}

/// The form of an attachment's signature.
public enum AttachmentFormat: String, Sendable, Hashable, CaseIterable {
    /// Within the document for PDF and XML, CMS for any other file.
    case own = "auto"
    /// CMS (PKCS#7) for every file, a PDF and an XML document too.
    case cms
}

/// The instructions of `SignAttachment` for attachments of several kinds. Each attachment gets the first profile, and
/// the first key, whose `contains` matches it.
public struct AttachmentInstructions: Sendable, Hashable {
    /// One `SignAttachment` of `ProfileSelection`.
    public struct Profile: Sendable, Hashable {
        /// nil: it is for every attachment.
        public var contains: [WildcardPattern]?
        /// nil: the server's default.
        public var profile: String?
        public var attributes: [SigningInstruction.Attribute]
        public var format: AttachmentFormat

        public init(
            contains: [WildcardPattern]?, profile: String?, attributes: [SigningInstruction.Attribute],
            format: AttachmentFormat
        ) {
            self.contains = contains
            self.profile = profile
            self.attributes = attributes
            self.format = format
        }
    }

    /// One `SignAttachment` of `CertificateSelection`.
    public struct Key: Sendable, Hashable {
        /// nil: it is for every attachment.
        public var contains: [WildcardPattern]?
        public var key: KeyChoice

        public init(contains: [WildcardPattern]?, key: KeyChoice) {
            self.contains = contains
            self.key = key
        }
    }

    /// In document order; never empty.
    public var profiles: [Profile]
    /// In document order; empty leaves the choice to the profile.
    public var keys: [Key]

    public init(profiles: [Profile], keys: [Key]) {
        self.profiles = profiles
        self.keys = keys
    }

    /// The same for every attachment.
    public init(_ instruction: SigningInstruction) {
        profiles = [
            Profile(
                contains: nil, profile: instruction.profile, attributes: instruction.attributes,
                format: instruction.format)
        ]
        keys = [Key(contains: nil, key: instruction.key)]
    }

    /// True if some profile is for every attachment, so that none is left unsigned.
    public var isForEveryAttachment: Bool { profiles.contains { $0.contains == nil } }

    /// Returns the instruction for signing `attachment`; nil if no profile is for it, and it stays unchanged.
    public func instruction(for attachment: AttachmentFacts) -> SigningInstruction? {
        func isFor(_ contains: [WildcardPattern]?) -> Bool {
            AttachmentSelection(contains: contains, signed: nil).isOfKind(attachment)
        }
        guard let profile = profiles.first(where: { isFor($0.contains) }) else { return nil }
        return SigningInstruction(
            profile: profile.profile, key: keys.first { isFor($0.contains) }?.key ?? .profileDefault,
            attributes: profile.attributes, format: profile.format)
    }
}
