import TestSupport
import Testing

@testable import SESConfiguration

@Suite("Warnings of ses.xml")
struct WarningTests {
    private typealias Fixture = ConfigurationFixture

    /// Warnings that short workflows cause and that tests of other warnings ignore.
    private static let ofShortWorkflows: Set<ConfigurationWarning.Code> = [.protectedMail, .organisationKey]

    private func warnings(
        outgoing: String = "", incoming: String = "", rest: String = "",
        without left: Set<ConfigurationWarning.Code> = ofShortWorkflows
    ) throws -> [ConfigurationWarning.Code] {
        var fixture = Fixture()
        fixture.rest =
            (outgoing.isEmpty ? "" : "<Outgoing>\(outgoing)</Outgoing>")
            + (incoming.isEmpty ? "" : "<Incoming>\(incoming)</Incoming>") + rest
        return try fixture.load().warnings.map(\.code).filter { !left.contains($0) }
    }

    private func signing(_ filters: String...) throws -> [ConfigurationWarning.Code] {
        try warnings(outgoing: "<Sign>" + filters.map { Fixture.sign(filter: $0) }.joined() + "</Sign>")
    }

    @Test(
        "equal filters, in any order and case",
        arguments: [
            (Fixture.filter("<To contains='a@b.test'/>"), Fixture.filter("<To contains='A@B.test'/>", "OR")),
            (
                Fixture.filter("<To contains='a,b'/><Subject contains='X'/>"),
                Fixture.filter("<Subject contains='x'/><To contains='b, a'/>")
            ),
            (
                Fixture.filter("<From contains='*@münchen.test'/>"),
                Fixture.filter("<From contains='*@XN--mnchen-3ya.test'/>")
            ),
            ("", "<Filter/>"), (Fixture.filter("<Email signed='false'/>"), Fixture.filter("<Email signed='false'/>")),
        ])
    func equal(_ first: String, _ second: String) throws {
        #expect(try signing(first, second).filter { $0 != .foreignSender } == [.equalFilters])
    }

    @Test(
        "a workflow behind a wider one",
        arguments: [
            ("", Fixture.filter("<To contains='a'/>")),
            (Fixture.filter("<To contains='*@b.test'/>"), Fixture.filter("<To contains='a@b.test'/>")),
            (Fixture.filter("<To contains='@b.test'/>"), Fixture.filter("<To contains='a@b.test, *x@b.test'/>")),
            (Fixture.filter("<To contains='*'/>"), Fixture.filter("<To contains='Alice'/>")),
            (Fixture.filter("<Subject contains='x'/>"), Fixture.filter("<Subject contains='axb'/><To contains='c'/>")),
            (Fixture.filter("<To contains='a'/><From contains='b'/>", "OR"), Fixture.filter("<From contains='b'/>")),
            (
                Fixture.filter("<To contains='a'/><From contains='b'/>", "OR"),
                Fixture.filter("<From contains='b'/><To contains='a'/>")
            ),
            (Fixture.filter("<Email signed='false'/>"), Fixture.filter("<Email signed='false' encrypted='false'/>")),
            (
                Fixture.filter("<Attachment contains='pdf,xml'/>"),
                Fixture.filter("<Attachment contains='xml' signed='false'/>")
            ),
        ])
    func shadowed(_ wide: String, _ narrow: String) throws {
        #expect(try signing(wide, narrow) == [.shadowedWorkflow])
        if !wide.isEmpty { #expect(try signing(narrow, wide).isEmpty) }
    }

    @Test(
        "filters that let some mail through to the next cause no warning",
        arguments: [
            (Fixture.filter("<To contains='a@b.test'/>"), Fixture.filter("<To contains='*@b.test'/>")),
            (Fixture.filter("<To contains='a'/>"), Fixture.filter("<From contains='a'/>")),
            (Fixture.filter("<To contains='a'/><From contains='b'/>"), Fixture.filter("<To contains='a'/>")),
            (Fixture.filter("<To contains='a'/>"), Fixture.filter("<To contains='a'/><From contains='b'/>", "OR")),
            (Fixture.filter("<Email signed='true'/>"), Fixture.filter("<Email encrypted='true'/>")),
            (Fixture.filter("<To contains='*@b.test'/>"), Fixture.filter("<To contains='*b.test'/>")),
            (Fixture.filter("<To contains='a*b@c.test'/>"), Fixture.filter("<To contains='*@c.test'/>")),
            (Fixture.filter("<To contains='bob'/>"), Fixture.filter("<To contains='bob@b.test'/>")),
        ])
    func notShadowed(_ first: String, _ second: String) throws {
        let codes = try signing(first, second).filter { $0 != .signsSignedMail }
        #expect(codes.isEmpty)
    }

    @Test("a filter that demands no signature where one is to be verified")
    func nothingToVerify() throws {
        let email = Fixture.filter("<Email signed='false'/>")
        let attachment = Fixture.filter("<Attachment contains='pdf' signed='false'/>")
        #expect(try warnings(incoming: "<Verify>\(Fixture.verify(filter: email))</Verify>") == [.nothingToVerify])
        #expect(
            try warnings(incoming: "<Verify>\(Fixture.verify(filter: attachment, rule: "VERIFY_ATTACHMENT"))</Verify>")
                == [.nothingToVerify])
        #expect(try warnings(incoming: "<Verify>\(Fixture.verify(filter: attachment))</Verify>").isEmpty)
    }

    @Test("signing mail that is signed, and attachments that nobody selected")
    func signing() throws {
        let signed = Fixture.filter("<Email signed='true'/>")
        #expect(try signing(signed) == [.signsSignedMail])
        #expect(
            try warnings(outgoing: "<Sign>\(Fixture.sign(rule: "SIGN_ATTACHMENT"))</Sign>") == [.signsAllAttachments])
        let pdf = Fixture.filter("<Attachment contains='pdf'/>")
        #expect(try warnings(outgoing: "<Sign>\(Fixture.sign(filter: pdf, rule: "SIGN_ATTACHMENT"))</Sign>").isEmpty)
        let both = ["SIGN_ATTACHMENT, SIGN_EMAIL", "SIGN_EMAIL, SIGN_ATTACHMENT"].map {
            "<Sign>\(Fixture.sign(filter: pdf, rule: $0))</Sign>"
        }
        #expect(try warnings(outgoing: both[0]).isEmpty)
        #expect(try warnings(outgoing: both[1]) == [.signsAfterMail])
    }

    @Test(
        "a signing workflow that does not say what to do with mail that is signed or encrypted already",
        arguments: [
            ("", true), (Fixture.filter("<Email signed='false'/>"), true),
            (Fixture.filter("<Email encrypted='false'/>"), true),
            (Fixture.filter("<Email signed='false' encrypted='false'/><To contains='a'/>", "OR"), true),
            (Fixture.filter("<Email signed='false' encrypted='false'/>"), false),
            (Fixture.filter("<Email signed='false' encrypted='false'/>", "OR"), false),
            (Fixture.filter("<Email signed='false'/><Email encrypted='false'/>"), false),
            (Fixture.filter("<Email signed='false' encrypted='true'/>"), false),
        ])
    func protectedMail(_ filter: String, _ isWarnedOf: Bool) throws {
        for rest in ["", "<Processing><SignSignedOrEncrypted>true</SignSignedOrEncrypted></Processing>"] {
            let codes = try warnings(
                outgoing: "<Sign>\(Fixture.sign(filter: filter))</Sign>", rest: rest, without: [.organisationKey])
            #expect(codes == (isWarnedOf ? [.protectedMail] : []))
        }
    }

    struct KeyCase: CustomTestStringConvertible, Sendable {
        let alias: String
        var from = ""
        var listed = ""
        let warning: ConfigurationWarning.Code?
        var testDescription: String { "\(alias), From \(from), OrganisationSigner \(listed)" }
    }

    @Test(
        "one key for many senders that no OrganisationSigner names, and a key of another sender",
        arguments: [
            KeyCase(alias: "office", warning: .organisationKey),
            KeyCase(alias: "NONE", warning: .organisationKey),
            KeyCase(alias: "office@b.test", from: "@b.test", warning: .organisationKey),
            KeyCase(alias: "office@b.test", from: "a@b.test,c@b.test", warning: .organisationKey),
            KeyCase(alias: "office@b.test", from: "*@b.test", warning: .organisationKey),
            KeyCase(alias: "FROM_EMAIL_ADDRESS", warning: nil),
            KeyCase(alias: "office", listed: "<Address>office@b.test</Address>", warning: nil),
            KeyCase(alias: "NONE", listed: "<Domain>b.test</Domain>", warning: nil),
            KeyCase(alias: "Office@B.test", listed: "<Address>office@b.test</Address>", warning: nil),
            KeyCase(alias: "office@münchen.test", listed: "<Domain>xn--mnchen-3ya.test</Domain>", warning: nil),
            KeyCase(alias: "office@b.test", listed: "<Address>other@b.test</Address>", warning: .organisationKey),
            KeyCase(alias: "a@b.test", from: "A@B.test", warning: nil),
            KeyCase(alias: "c@b.test", from: "a@b.test", warning: .otherSender),
            KeyCase(alias: "office", from: "a@b.test", warning: nil),
        ])
    func keys(_ given: KeyCase) throws {
        let from = given.from.isEmpty ? "" : "<From contains='\(given.from)'/>"
        let workflow = Fixture.sign(
            filter: Fixture.filter("<Email signed='false' encrypted='false'/>" + from),
            keys: "<CertificateSelection><SignEmail alias='\(given.alias)'/></CertificateSelection>")
        let rest =
            given.listed.isEmpty
            ? "" : "<Processing><OrganisationSigner>\(given.listed)</OrganisationSigner></Processing>"
        let codes = try warnings(outgoing: "<Sign>\(workflow)</Sign>", rest: rest, without: [])
        #expect(codes.filter { $0 != .foreignSender } == [given.warning].compactMap { $0 })
    }

    @Test("attachments that the filter selects and that have no SignAttachment")
    func unsignedAttachments() throws {
        func codes(_ criteria: String, _ profiles: String) throws -> [ConfigurationWarning.Code] {
            try warnings(
                outgoing: "<Sign>"
                    + Fixture.sign(
                        filter: Fixture.filter(criteria), rule: "SIGN_ATTACHMENT", profiles: profiles) + "</Sign>")
        }
        let pdf = "<SignAttachment profileId='a' contains='pdf'/>"
        let all = pdf + "<SignAttachment profileId='b'/>"
        let selecting = "<Attachment contains='pdf,xml'/>"
        #expect(try codes(selecting, pdf) == [.unsignedAttachments])
        #expect(try codes(selecting, all).isEmpty)
        #expect(try codes("<To contains='x'/>", pdf).isEmpty)
        #expect(try codes("<To contains='x'/>", all) == [.signsAllAttachments])
    }

    @Test("an answer that is not shown")
    func responseNotShown() throws {
        let result = "<VerificationResultRule attachResponseXml='true'>SEND_ORIGINAL_EMAIL</VerificationResultRule>"
        #expect(
            try warnings(incoming: "<Verify>\(Fixture.verify(result: result))</Verify>") == [.responseNotShown])
    }

    @Test("Sign and Verify in one direction, and a block without workflows")
    func blocks() throws {
        let filter = Fixture.filter("<To contains='x'/>")
        #expect(
            try warnings(outgoing: "<Sign>\(Fixture.sign(filter: filter))</Sign><Verify>\(Fixture.verify())</Verify>")
                == [.signAndVerify])
        #expect(try warnings(incoming: "<Verify/>") == [.emptyBlock])
    }

    @Test("two workflows of one name")
    func names() throws {
        let first = Fixture.sign(filter: Fixture.filter("<To contains='x'/>"), name: "n")
        #expect(try warnings(outgoing: "<Sign>\(first)\(Fixture.sign(name: "n"))</Sign>") == [.sameName])
    }

    @Test("a secondary address that is the primary, with its line")
    func secondary() throws {
        var fixture = Fixture()
        fixture.services = """
            <SigningServiceSettings><SigningServiceAddress><PrimaryAddress>http://a/</PrimaryAddress>
            <SecondaryAddress> http://a/ </SecondaryAddress></SigningServiceAddress></SigningServiceSettings>
            """
        let warnings = try fixture.load().warnings
        #expect(warnings.map(\.code) == [.sameSecondary])
        #expect(warnings.first?.line == 7)
    }

    @Test("a client certificate and a trust store that do not exist")
    func missingFiles() throws {
        var fixture = Fixture()
        fixture.services = """
            <ClientAuthPfxSettings status="enable"><PfxFilePath>absent.pfx</PfxFilePath><PfxPassword/>
            </ClientAuthPfxSettings>
            """
        fixture.rest = "<Processing><TrustStore>absent.pem</TrustStore></Processing>"
        let configuration = try fixture.load()
        #expect(configuration.warnings.map(\.code) == [.unreadableFile, .unreadableFile])
        #expect(configuration.clientPFX?.path.hasSuffix("/absent.pfx") == true)
        #expect(configuration.clientPFX?.password.reveal() == "")
    }

    @Test("files with secrets that others can read, the configuration among them")
    func looseModes() throws {
        let scratch = try ScratchDirectory()
        let pfx = try scratch.write([1], to: "client.pfx")
        let secret = try scratch.write(Array("p\n".utf8), to: "secret")
        var fixture = Fixture()
        fixture.services = """
            <ProxySettings status="enable"><ProxyHost>h</ProxyHost><ProxyPort>1</ProxyPort>
            <Credentials status="enable"><ProxyUserName>u</ProxyUserName><ProxyPassword>in text</ProxyPassword></Credentials>
            </ProxySettings>
            <ClientAuthPfxSettings status="enable"><PfxFilePath>client.pfx</PfxFilePath><PfxPassword file="secret"/>
            </ClientAuthPfxSettings>
            """
        let path = try scratch.write(Array(fixture.text.utf8), to: "ses.xml")
        for file in [path, pfx, secret] { try #require(FileMode.set(0o644, of: file)) }
        let warnings = try load(path: path).warnings
        #expect(warnings.map(\.code) == [.looseMode, .looseMode, .looseMode])
        #expect(warnings.allSatisfy { $0.isRefusedWhenStrict })
        #expect(!warnings.description.contains("in text"))
        for file in [path, pfx, secret] { try #require(FileMode.set(0o640, of: file)) }
        #expect(try load(path: path).warnings.isEmpty)
    }

    @Test("a configuration that everybody can change or replace is refused")
    func worldWritable() throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(Array(Fixture().text.utf8), to: "ses.xml")
        try #require(FileMode.set(0o642, of: path))
        let changed = #expect(throws: ConfigurationFaults.self) { try load(path: path) }
        #expect(changed?.faults.map(\.code) == [.file])
        try #require(FileMode.set(0o640, of: path) && FileMode.set(0o757, of: scratch.path))
        #expect(throws: ConfigurationFaults.self) { try load(path: path) }
        try #require(FileMode.set(0o1757, of: scratch.path))
        #expect(throws: Never.self) { try load(path: path) }
    }
}
