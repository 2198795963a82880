import DSSProtocol
import InternetMessage
import TestSupport
import Testing
import Workflows

@testable import SESConfiguration

@Suite("The values of ses.xml")
struct ValueTests {
    @Test("every element arrives in its value")
    func everything() throws {
        let configuration = try load(path: TestMaterial.fixtures + "/configuration/valid/everything.xml")
        let policy = configuration.policy
        #expect(policy.domainNames == ["example.test"])
        #expect(policy.administrator?.description == "admin@example.test")
        #expect(configuration.originatorID == "client")
        #expect(policy.errorAction == .block)
        #expect(policy.outgoing.noFilterAction == .recipients)
        #expect(policy.incoming.noFilterAction == .administrator)
        #expect(policy.notTrustedAction == .administratorAndRecipients)
        #expect(policy.indeterminateAction == .sender)
        #expect(policy.notSignedAction == .administratorAndSender)
        #expect(policy.signerIdentity == .report)
        #expect(policy.senderMustOwnFrom)
        #expect(policy.signNullSender)
        #expect(policy.authservID == "checks.example.test")
        #expect(policy.noticeFrom.description == "notices@example.test")
        #expect(
            policy.organisationSigners == [
                .address(try #require(AddrSpec(localPart: "gateway", domain: "partner.test"))),
                .domain("sealed.partner.test"), .certificate(issuer: "CN=Partner CA,O=Partner", serial: "4a1f"),
            ])
        #expect(configuration.signing == ServiceAddresses(primary: "http://127.0.0.1:8777/s", secondary: nil))
        #expect(configuration.verification?.all == ["https://verify.example.test/v"])
        let proxy = try #require(configuration.proxy)
        #expect(proxy.host == "proxy.example.test" && proxy.port == 3128)
        #expect(proxy.credentials?.user == "u" && proxy.credentials?.scheme == .basic)
        #expect(proxy.credentials?.password.reveal() == "p")
        #expect(configuration.clientPFX == nil)
        let processing = configuration.processing
        #expect(processing.spool == TestMaterial.fixtures + "/configuration/valid/spool")
        #expect(processing.concurrency == 4)
        #expect(processing.connectTimeout == 5 && processing.totalTimeout == 60)
        #expect(processing.maxMessageSize == 50 << 20)
        #expect(processing.retry == RetrySchedule(delays: [600, 600, 600, 7200], maxRetries: 9))
        #expect(configuration.dialect.envelope == .soap12)
        #expect(configuration.dialect.documents[.xml, .verify].element == .base64XML)
        #expect(configuration.dialect.words["Fine"] == .trusted)
        #expect(configuration.dialect.isTransient("too BUSY now"))
    }

    @Test("a workflow keeps name, line, filter, operations and the way a result is shown")
    func workflows() throws {
        let configuration = try load(path: TestMaterial.fixtures + "/configuration/valid/everything.xml")
        let signing = try #require(configuration.policy.outgoing.workflows.first)
        #expect(signing.name == "contracts")
        #expect(signing.line == 33)
        #expect(signing.filter.combination == .all)
        #expect(signing.filter.criteria.map(\.line) == Array(36...42))
        #expect(
            signing.filter.criteria.map(\.test) == [
                .to(WildcardPattern.list("bob@example.test")), .from(WildcardPattern.list("alice@example.test")),
                .cc(WildcardPattern.list("*@example.org")), .subject(contains: "sign"), .body(contains: "secure"),
                .email(signed: false, encrypted: false),
                .attachment(contains: WildcardPattern.list("pdf"), signed: false),
            ])
        #expect(
            signing.operations == [
                .signAttachment(
                    AttachmentInstructions(
                        SigningInstruction(
                            profile: "a", key: .alias("documents"),
                            attributes: [
                                .init(name: .location, value: "Guildford"), .init(name: .area, value: "4"),
                            ]))),
                .signEmail(SigningInstruction(profile: "e", key: .fromAddress)),
            ])
        #expect(signing.resultRule == .original && !signing.attachesResponse)
        let verifying = try #require(configuration.policy.incoming.workflows.first)
        #expect(verifying.name == "Incoming/Verify[1]/Workflow[1]")
        #expect(verifying.filter.combination == .any)
        #expect(verifying.operations == [.verifyAttachment, .verifyEmail])
        #expect(verifying.resultRule == .bottom && verifying.attachesResponse)
    }

    @Test("an absent setting has the default of the table")
    func defaults() throws {
        let configuration = try ConfigurationFixture().load()
        #expect(configuration.policy.errorAction == .administrator)
        #expect(configuration.policy.notTrustedAction == .administrator)
        #expect(configuration.policy.indeterminateAction == .administrator)
        #expect(configuration.policy.notSignedAction == nil)
        #expect(configuration.policy.outgoing == DirectionPolicy(workflows: [], noFilterAction: .recipients))
        #expect(configuration.policy.incoming == DirectionPolicy(workflows: [], noFilterAction: .recipients))
        #expect(configuration.policy.signerIdentity == .enforce)
        #expect(configuration.policy.organisationSigners.isEmpty)
        #expect(!configuration.policy.senderMustOwnFrom && !configuration.policy.signNullSender)
        #expect(configuration.policy.authservID == "ses.example.test")
        #expect(configuration.policy.noticeFrom.description == "postmaster@example.test")
        #expect(configuration.proxy == nil && configuration.clientPFX == nil)
        #expect(configuration.processing == ProcessingSettings())
        #expect(configuration.processing.concurrency == 8 && configuration.processing.maxMessageSize == 209_715_200)
        #expect(configuration.processing.connectTimeout == 10 && configuration.processing.totalTimeout == 120)
        #expect(configuration.processing.retry.delays == [300, 600, 2700, 7200, 10800, 21600])
        #expect(configuration.processing.retry.maxRetries == 25)
        #expect(configuration.dialect == .adss)
        #expect(configuration.warnings.isEmpty)
    }

    @Test("without an administrator's address, errors block")
    func noAdministrator() throws {
        let settings = "<DomainName>Example.TEST</DomainName><OriginatorId>c</OriginatorId>"
        let configuration = try ConfigurationFixture(settings: settings, services: "").load()
        #expect(configuration.policy.errorAction == .block)
        #expect(configuration.policy.notTrustedAction == .block)
        #expect(configuration.policy.administrator == nil)
        #expect(configuration.policy.domainNames == ["example.test"])
        #expect(configuration.signing == nil && configuration.verification == nil)
    }

    @Test("an operation without key, profile or filter takes the server's and every message")
    func workflowDefaults() throws {
        var fixture = ConfigurationFixture()
        fixture.rest =
            ConfigurationFixture.outgoing(ConfigurationFixture.sign(profiles: "<SignEmail profileId=\" \"/>"))
            + ConfigurationFixture.incoming(ConfigurationFixture.verify())
        let policy = try fixture.load().policy
        #expect(policy.outgoing.workflows.first?.filter == .everything)
        #expect(
            policy.outgoing.workflows.first?.operations == [
                .signEmail(SigningInstruction(profile: nil, key: .profileDefault))
            ])
        #expect(policy.incoming.workflows.first?.resultRule == .original)
        #expect(policy.incoming.workflows.first?.attachesResponse == false)
    }

    @Test(
        "an empty filter matches everything",
        arguments: ["<Filter/>", "<Filter><AND/></Filter>", "<Filter><OR></OR></Filter>"])
    func emptyFilter(_ filter: String) throws {
        var fixture = ConfigurationFixture()
        fixture.rest = ConfigurationFixture.outgoing(ConfigurationFixture.sign(filter: filter))
        #expect(try fixture.load().policy.outgoing.workflows.first?.filter == .everything)
    }

    @Test("every action is known at every place", arguments: RoutingAction.allCases)
    func actions(_ action: RoutingAction) throws {
        var fixture = ConfigurationFixture()
        fixture.settings += "<EmailErrorAction>\n \(action.rawValue) </EmailErrorAction>"
        fixture.services = """
            <SigningServiceSettings><NoFilterAction>\(action.rawValue)</NoFilterAction></SigningServiceSettings>
            <VerificationServiceSettings><NoFilterAction> \(action.rawValue)</NoFilterAction>
            <ResponseNotTrustedAction>\(action.rawValue)</ResponseNotTrustedAction></VerificationServiceSettings>
            """
        fixture.rest = """
            <Processing><ResponseIndeterminateAction>\(action.rawValue)</ResponseIndeterminateAction>
            <NotSignedAction>\(action.rawValue)</NotSignedAction></Processing>
            """
        let policy = try fixture.load().policy
        #expect(
            [
                policy.errorAction, policy.outgoing.noFilterAction, policy.incoming.noFilterAction,
                policy.notTrustedAction, policy.indeterminateAction, policy.notSignedAction,
            ].allSatisfy { $0 == action })
    }

    @Test("every way to show a result is known", arguments: ResultRule.allCases, [true, false])
    func resultRules(_ rule: ResultRule, attaches: Bool) throws {
        var fixture = ConfigurationFixture()
        let result =
            "<VerificationResultRule attachResponseXml=\"\(attaches)\">\n\(rule.rawValue) </VerificationResultRule>"
        fixture.rest = ConfigurationFixture.incoming(ConfigurationFixture.verify(result: result))
        let workflow = try fixture.load().policy.incoming.workflows.first
        #expect(workflow?.resultRule == rule && workflow?.attachesResponse == attaches)
    }

    @Test(
        "every order of operations is known",
        arguments: [
            ("SIGN_ATTACHMENT", ["SIGN_ATTACHMENT"]), (" SIGN_EMAIL\n", ["SIGN_EMAIL"]),
            ("SIGN_EMAIL , SIGN_ATTACHMENT", ["SIGN_EMAIL", "SIGN_ATTACHMENT"]),
            ("SIGN_ATTACHMENT,SIGN_EMAIL", ["SIGN_ATTACHMENT", "SIGN_EMAIL"]),
        ])
    func operations(_ rule: String, _ words: [String]) throws {
        var fixture = ConfigurationFixture()
        fixture.rest = ConfigurationFixture.outgoing(ConfigurationFixture.sign(rule: rule))
        #expect(try fixture.load().policy.outgoing.workflows.first?.operations.map(\.word) == words)
    }

    @Test(
        "every attribute of a signature is known with its values",
        arguments: AttributeName.allCases.flatMap { name -> [(AttributeName, String)] in
            switch name {
            case .reason, .location, .contactInfo: [(name, "any, text"), (name, "")]
            case .area: ["1", "2", "3", "4", "5"].map { (name, $0) }
            case .page: [(name, "1"), (name, "250")]
            case .field: [(name, "Signature 1")]
            case .visibility: [(name, "TRUE"), (name, "FALSE")]
            }
        })
    func attributes(_ name: AttributeName, _ value: String) throws {
        var fixture = ConfigurationFixture()
        let list =
            "<OverrideableAttributes><Attribute><Name> \(name.rawValue) </Name><Value>\(value) </Value></Attribute>"
            + "</OverrideableAttributes>"
        fixture.rest = ConfigurationFixture.outgoing(
            ConfigurationFixture.sign(
                rule: "SIGN_ATTACHMENT", profiles: "<SignAttachment profileId='a'>\(list)</SignAttachment>"))
        guard
            case .signAttachment(let instruction) = try fixture.load().policy.outgoing.workflows.first?.operations.first
        else { throw ExpectationError() }
        #expect(instruction.profiles.first?.attributes == [.init(name: name, value: value)])
    }

    private struct ExpectationError: Error {}

    @Test(
        "every criterion is known in either spelling",
        arguments: ["To", "From", "CC", "Cc", "BCC", "Bcc", "Subject", "Body"], ["AND", "OR"])
    func criteria(_ name: String, _ combination: String) throws {
        var fixture = ConfigurationFixture()
        fixture.rest = ConfigurationFixture.outgoing(
            ConfigurationFixture.sign(filter: ConfigurationFixture.filter("<\(name) contains=' a, b '/>", combination)))
        let criterion = try fixture.load().policy.outgoing.workflows.first?.filter.criteria.first
        let patterns = WildcardPattern.list("a,b")
        let expected: Criterion.Test? =
            switch name {
            case "To": .to(patterns)
            case "From": .from(patterns)
            case "CC", "Cc": .cc(patterns)
            case "BCC", "Bcc": .bcc(patterns)
            case "Subject": .subject(contains: " a, b ")
            case "Body": .body(contains: " a, b ")
            default: nil
            }
        #expect(criterion?.test == expected)
    }

    @Test("the action for mail without a workflow is that of the service of the first block")
    func noFilterAction() throws {
        var fixture = ConfigurationFixture()
        fixture.services = """
            <SigningServiceSettings><SigningServiceAddress><PrimaryAddress>http://a/</PrimaryAddress>
            </SigningServiceAddress><NoFilterAction>BLOCK_EMAIL</NoFilterAction></SigningServiceSettings>
            <VerificationServiceSettings><VerificationServiceAddress><PrimaryAddress>http://b/</PrimaryAddress>
            </VerificationServiceAddress><NoFilterAction>EMAIL_TO_SENDER</NoFilterAction></VerificationServiceSettings>
            """
        let sign = "<Sign>\(ConfigurationFixture.sign())</Sign>"
        let verify = "<Verify>\(ConfigurationFixture.verify())</Verify>"
        fixture.rest = "<Outgoing>\(verify)\(sign)</Outgoing><Incoming>\(sign)\(verify)</Incoming>"
        let policy = try fixture.load().policy
        #expect(policy.outgoing.noFilterAction == .sender && policy.incoming.noFilterAction == .block)
        #expect(
            policy.outgoing.workflows.map(\.name) == ["Outgoing/Verify[1]/Workflow[1]", "Outgoing/Sign[1]/Workflow[1]"])
        fixture.rest = ""
        let without = try fixture.load().policy
        #expect(without.outgoing.noFilterAction == .block && without.incoming.noFilterAction == .sender)
    }

    @Test("services, proxy, certificate and directions may stand in Settings or directly in SES")
    func places() throws {
        var inside = ConfigurationFixture()
        let directions =
            ConfigurationFixture.outgoing(ConfigurationFixture.sign())
            + ConfigurationFixture.incoming(ConfigurationFixture.verify())
        var outside = inside
        outside.rest = outside.services + directions
        outside.services = ""
        inside.services += directions
        let first = try inside.load()
        let second = try outside.load()
        #expect(first.signing == second.signing && first.verification == second.verification)
        #expect(first.policy.outgoing.workflows.map(\.operations) == second.policy.outgoing.workflows.map(\.operations))
        #expect(first.policy.incoming.workflows.count == 1 && second.policy.incoming.workflows.count == 1)
        inside.rest = outside.rest
        #expect(try inside.faults.map(\.code) == [.repeated, .repeated, .repeated, .repeated])
    }

    @Test("a service that a workflow uses must be there", arguments: ["Signing", "Verification"])
    func requiredService(_ kind: String) throws {
        var fixture = ConfigurationFixture(services: "")
        fixture.rest =
            kind == "Signing"
            ? ConfigurationFixture.outgoing(ConfigurationFixture.sign())
            : ConfigurationFixture.incoming(ConfigurationFixture.verify())
        let faults = try fixture.faults
        #expect(faults.map(\.code) == [.missing])
        #expect(faults.first?.text.hasPrefix("<\(kind)ServiceSettings> is missing: ") == true)
    }

    @Test("an empty secondary address is absent; white space around an address does not count")
    func addresses() throws {
        var fixture = ConfigurationFixture()
        fixture.services = """
            <SigningServiceSettings><SigningServiceAddress><PrimaryAddress> HTTPS://[::1]:8779/s?x=1
            </PrimaryAddress><SecondaryAddress> </SecondaryAddress></SigningServiceAddress></SigningServiceSettings>
            """
        #expect(try fixture.load().signing == ServiceAddresses(primary: "HTTPS://[::1]:8779/s?x=1", secondary: nil))
    }

    @Test(
        "sizes and timeouts",
        arguments: [
            ("<MaxMessageSize>1048576</MaxMessageSize>", [1 << 20, 10, 120]),
            ("<MaxMessageSize>64KiB</MaxMessageSize>", [64 << 10, 10, 120]),
            ("<Timeout total='5'/>", [200 << 20, 5, 5]), ("<Timeout connect='300'/>", [200 << 20, 300, 300]),
        ])
    func numbers(_ processing: String, _ expected: [Int]) throws {
        var fixture = ConfigurationFixture()
        fixture.rest = "<Processing>\(processing)</Processing>"
        let settings = try fixture.load().processing
        #expect([settings.maxMessageSize, settings.connectTimeout, settings.totalTimeout] == expected)
    }

    @Test("a disabled proxy or certificate needs no values")
    func disabled() throws {
        var fixture = ConfigurationFixture()
        fixture.services = """
            <ProxySettings status="disable"><ProxyHost/><ProxyPort/><Credentials status="enable"><ProxyUserName/>
            <ProxyPassword/><AuthenticationScheme/></Credentials></ProxySettings>
            <ClientAuthPfxSettings status="disable"><PfxFilePath>C:/Client.pfx</PfxFilePath></ClientAuthPfxSettings>
            """
        let configuration = try fixture.load()
        #expect(configuration.proxy == nil && configuration.clientPFX == nil && configuration.warnings.isEmpty)
    }
}
