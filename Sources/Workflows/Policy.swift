import DomainNames
public import InternetMessage

/// The administrator's rules for mail: the part of `ses.xml` that decides. Plain values, in document order.
public struct Policy: Sendable, Hashable {
    /// The organisation's domains, with A-labels and in lower case; at least one.
    public var domainNames: [String]
    /// The address that receives notices for the administrator.
    public var administrator: AddrSpec?
    /// The action for a message whose operation failed permanently.
    public var errorAction: RoutingAction
    public var outgoing: DirectionPolicy
    public var incoming: DirectionPolicy
    public var notTrustedAction: RoutingAction
    public var indeterminateAction: RoutingAction
    /// nil: to the recipients.
    public var notSignedAction: RoutingAction?
    public var signerIdentity: SignerIdentityRule
    /// Certificates that may sign for any From of the organisation.
    public var organisationSigners: [OrganisationSigner]
    /// `SenderMustOwnFrom`: nothing is signed unless the one From address is that of the envelope sender.
    public var senderMustOwnFrom: Bool
    /// `SignNullSender`: outgoing bounces are matched like other mail.
    public var signNullSender: Bool
    /// The authserv-id of our Authentication-Results fields (RFC 8601 §2.5).
    public var authservID: String
    /// The From address of notices.
    public var noticeFrom: AddrSpec
    /// `SignSignedOrEncrypted`: mail that is signed or encrypted already is signed even where no filter asks for it.
    public var signsProtectedMail: Bool

    public init(
        domainNames: [String], administrator: AddrSpec?, errorAction: RoutingAction, outgoing: DirectionPolicy,
        incoming: DirectionPolicy, notTrustedAction: RoutingAction, indeterminateAction: RoutingAction,
        notSignedAction: RoutingAction?, signerIdentity: SignerIdentityRule, organisationSigners: [OrganisationSigner],
        senderMustOwnFrom: Bool, signNullSender: Bool, authservID: String, noticeFrom: AddrSpec,
        signsProtectedMail: Bool = false
    ) {
        self.domainNames = domainNames
        self.administrator = administrator
        self.errorAction = errorAction
        self.outgoing = outgoing
        self.incoming = incoming
        self.notTrustedAction = notTrustedAction
        self.indeterminateAction = indeterminateAction
        self.notSignedAction = notSignedAction
        self.signerIdentity = signerIdentity
        self.organisationSigners = organisationSigners
        self.senderMustOwnFrom = senderMustOwnFrom
        self.signNullSender = signNullSender
        self.authservID = authservID
        self.noticeFrom = noticeFrom
        self.signsProtectedMail = signsProtectedMail
    }

    public subscript(direction: Direction) -> DirectionPolicy {
        switch direction {
        case .outgoing: outgoing
        case .incoming: incoming
        }
    }

    /// Returns true if `address` is in one of the organisation's domains.
    public func isInternal(_ address: AddrSpec) -> Bool {
        let domain = address.canonicalDomain
        return domainNames.contains { CanonicalDomain($0) == domain }
    }
}

/// The way a message travels.
public enum Direction: String, Sendable, Hashable, CaseIterable {
    case outgoing, incoming
}

/// The ways that a message can go, in the words of `ses.xml`.
public enum RoutingAction: String, Sendable, Hashable, CaseIterable {
    case block = "BLOCK_EMAIL"
    case administrator = "EMAIL_TO_ADMINISTRATOR"
    case recipients = "EMAIL_TO_RECIPIENTS"
    case administratorAndRecipients = "EMAIL_TO_ADMINISTRATOR_AND_RECIPIENTS"
    case sender = "EMAIL_TO_SENDER"
    case administratorAndSender = "EMAIL_TO_ADMINISTRATOR_AND_SENDER"
}

/// `Outgoing` or `Incoming`: its workflows and what happens to mail that matches none.
public struct DirectionPolicy: Sendable, Hashable {
    /// All workflows of all `Sign` and `Verify` blocks, in document order.
    public var workflows: [Workflow]
    public var noFilterAction: RoutingAction

    public init(workflows: [Workflow], noFilterAction: RoutingAction) {
        self.workflows = workflows
        self.noFilterAction = noFilterAction
    }
}

public struct Workflow: Sendable, Hashable {
    /// The `name` attribute, or its place such as `Outgoing/Sign[1]/Workflow[2]`.
    public var name: String
    /// The line of `ses.xml` on which it begins.
    public var line: Int
    public var filter: Filter
    /// In the order in which they run; never empty.
    public var operations: [Operation]
    public var resultRule: ResultRule
    /// `attachResponseXml`.
    public var attachesResponse: Bool

    public init(
        name: String, line: Int, filter: Filter, operations: [Operation], resultRule: ResultRule,
        attachesResponse: Bool
    ) {
        self.name = name
        self.line = line
        self.filter = filter
        self.operations = operations
        self.resultRule = resultRule
        self.attachesResponse = attachesResponse
    }
}

public enum Operation: Sendable, Hashable {
    case signAttachment(AttachmentInstructions)
    case signEmail(SigningInstruction)
    case verifyAttachment
    case verifyEmail

    /// The word of `ses.xml`.
    public var word: String {
        switch self {
        case .signAttachment: "SIGN_ATTACHMENT"
        case .signEmail: "SIGN_EMAIL"
        case .verifyAttachment: "VERIFY_ATTACHMENT"
        case .verifyEmail: "VERIFY_EMAIL"
        }
    }

    /// True if it makes signatures.
    public var isSigning: Bool {
        switch self {
        case .signAttachment, .signEmail: true
        case .verifyAttachment, .verifyEmail: false
        }
    }

    /// True if it is done with each attachment, not with the mail as a whole.
    public var isOnAttachments: Bool {
        switch self {
        case .signAttachment, .verifyAttachment: true
        case .signEmail, .verifyEmail: false
        }
    }
}

public enum AttributeName: String, Sendable, Hashable, CaseIterable {
    case reason = "SIGNING_REASON"
    case location = "SIGNING_LOCATION"
    case contactInfo = "CONTACT_INFO"
    case area = "SIGNING_AREA"
    case page = "SIGNING_PAGE"
    case field = "SIGNING_FIELD"
    case visibility = "VISIBILITY"
}

/// `CertificateSelection`.
public enum KeyChoice: Sendable, Hashable {
    case alias(String)
    /// `FROM_EMAIL_ADDRESS`: the alias is the one From address.
    case fromAddress
    /// `NONE`: the profile chooses.
    case profileDefault
}

/// `VerificationResultRule`: how a verdict is shown.
public enum ResultRule: String, Sendable, Hashable, CaseIterable {
    case top = "ADD_RESULT_TO_TOP"
    case bottom = "ADD_RESULT_TO_BOTTOM"
    case originalAsAttachment = "ADD_ORIGINAL_EMAIL_AS_ATTACHMENT"
    case original = "SEND_ORIGINAL_EMAIL"
}

public enum SignerIdentityRule: String, Sendable, Hashable, CaseIterable {
    /// A signer other than From makes the mail not trusted.
    case enforce
    /// It is only told.
    case report
}

/// One entry of `OrganisationSigner`.
public enum OrganisationSigner: Sendable, Hashable {
    /// A certificate with this address.
    case address(AddrSpec)
    /// Any certificate with an address in this domain.
    case domain(String)
    /// The certificate with this issuer (RFC 4514 text) and serial number (hexadecimal, lower case, no leading zeros).
    case certificate(issuer: String, serial: String)
}
