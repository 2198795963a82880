/// A `ses.xml` of a test's own.
public struct SESXML: Sendable {
    public var domains = ["example.test"]
    public var administrator: String? = "admin@example.test"
    public var originator = "samples_test_client"
    public var emailErrorAction: String?
    public var signing: [String]
    public var verification: [String]
    public var signingNoFilterAction: String?
    public var verificationNoFilterAction: String?
    public var notTrustedAction: String?
    /// The content of `Outgoing` and of `Incoming`; an empty one leaves the element out.
    public var outgoing = ""
    public var incoming = ""
    /// The content of `Processing`, without `Spool`.
    public var processing = ""

    /// - Parameter servers: `http://HOST:PORT` of the primary and, if there is one, the secondary server.
    public init(servers: [String]) {
        signing = servers.map { $0 + "/adss/signing/dss" }
        verification = servers.map { $0 + "/adss/verification/dss" }
    }

    /// Signs each outgoing mail with `alias`.
    public static func sign(
        alias: String, filter: String = "", profile: String = "adss:signing:profile:007"
    ) -> String {
        """
        <Sign><Workflow>\(filter)<OperationRule>SIGN_EMAIL</OperationRule>
        <ProfileSelection><SignEmail profileId="\(profile)"/></ProfileSelection>
        <CertificateSelection><SignEmail alias="\(alias)"/></CertificateSelection></Workflow></Sign>
        """
    }

    /// Signs the attachments of each outgoing mail with `alias`, and the mail too where `mailProfile` is given.
    /// - Parameter attributes: `OverrideableAttributes`, as name and value.
    public static func signAttachments(
        alias: String, profile: String, filter: String = "", attributes: [(String, String)] = [],
        mailProfile: String? = nil, mailAlias: String = "alice@example.test"
    ) -> String {
        let overriding = attributes.map { "<Attribute><Name>\($0.0)</Name><Value>\($0.1)</Value></Attribute>" }.joined()
        let mail = mailProfile.map { "<SignEmail profileId=\"\($0)\"/>" } ?? ""
        return """
            <Sign><Workflow>\(filter)
            <OperationRule>SIGN_ATTACHMENT\(mailProfile == nil ? "" : ", SIGN_EMAIL")</OperationRule>
            <ProfileSelection><SignAttachment profileId="\(profile)">
            \(overriding.isEmpty ? "" : "<OverrideableAttributes>\(overriding)</OverrideableAttributes>")
            </SignAttachment>\(mail)</ProfileSelection>
            <CertificateSelection><SignAttachment alias="\(alias)"/>
            \(mailProfile == nil ? "" : "<SignEmail alias=\"\(mailAlias)\"/>")</CertificateSelection></Workflow></Sign>
            """
    }

    /// Verifies each incoming mail and shows the result by `rule`.
    public static func verify(
        rule: String = "SEND_ORIGINAL_EMAIL", attachResponse: Bool = false, filter: String = "",
        operations: String = "VERIFY_EMAIL"
    ) -> String {
        """
        <Verify><Workflow>\(filter)<OperationRule>\(operations)</OperationRule>
        <VerificationResultRule attachResponseXml="\(attachResponse)">\(rule)</VerificationResultRule>
        </Workflow></Verify>
        """
    }

    /// The document, for a spool at `spool`.
    public func text(spool: String) -> String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <SES>
        <Settings>
        \(domains.map { "<DomainName>\($0)</DomainName>" }.joined())
        \(Self.element("AdminEmailAddress", administrator))
        <OriginatorId>\(originator)</OriginatorId>
        \(Self.element("EmailErrorAction", emailErrorAction))
        <SigningServiceSettings>
        <SigningServiceAddress>\(Self.addresses(signing))</SigningServiceAddress>
        \(Self.element("NoFilterAction", signingNoFilterAction))
        </SigningServiceSettings>
        <VerificationServiceSettings>
        <VerificationServiceAddress>\(Self.addresses(verification))</VerificationServiceAddress>
        \(Self.element("NoFilterAction", verificationNoFilterAction))
        \(Self.element("ResponseNotTrustedAction", notTrustedAction))
        </VerificationServiceSettings>
        </Settings>
        \(outgoing.isEmpty ? "" : "<Outgoing>\(outgoing)</Outgoing>")
        \(incoming.isEmpty ? "" : "<Incoming>\(incoming)</Incoming>")
        <Processing><Spool>\(spool)</Spool>\(processing)</Processing>
        </SES>
        """
    }

    private static func element(_ name: String, _ value: String?) -> String {
        value.map { "<\(name)>\($0)</\(name)>" } ?? ""
    }

    private static func addresses(_ all: [String]) -> String {
        zip(["PrimaryAddress", "SecondaryAddress"], all).map { "<\($0)>\($1)</\($0)>" }.joined()
    }
}
