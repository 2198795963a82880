import TestSupport
import Testing

@testable import SESConfiguration

/// One fault in an otherwise good file, and what is said of it.
struct FaultCase: CustomTestStringConvertible {
    /// The text in the good file, and its replacement.
    let change: (String, String)
    let code: ConfigurationFault.Code
    let line: Int
    let words: [String]
    var nearest: String?

    var testDescription: String { change.0 + " -> " + change.1 }

    init(
        _ from: String, _ to: String, _ code: ConfigurationFault.Code, line: Int, _ words: String...,
        nearest: String? = nil
    ) {
        change = (from, to)
        self.code = code
        self.line = line
        self.words = words
        self.nearest = nearest
    }
}

@Suite("Faults of ses.xml")
struct FaultTests {
    static let path = TestMaterial.fixtures + "/configuration/valid/everything.xml"

    static let cases: [FaultCase] = [
        // Structure
        FaultCase(
            "SigningServiceSettings>", "SigningServiceSetings>", .unknownElement, line: 8,
            "<SigningServiceSetings> is not known in <Settings>", "one of", nearest: "<SigningServiceSettings>"),
        FaultCase("<Email signed=", "<EMail signed=", .unknownElement, line: 41, "<EMail>", nearest: "<Email>"),
        FaultCase("<Email signed=", "<Email sined=", .unknownAttribute, line: 41, "sined", nearest: "signed"),
        FaultCase(
            "<EmailErrorAction>BLOCK_EMAIL", "<EmailErrorAction>BLOCK_MAIL", .badValue, line: 7, "\"BLOCK_MAIL\"",
            "<EmailErrorAction>", nearest: "BLOCK_EMAIL"),
        FaultCase(
            "<OriginatorId>client</OriginatorId>", "<OriginatorId>a</OriginatorId><OriginatorId>b</OriginatorId>",
            .repeated, line: 6, "second time", "first on line 6"),
        FaultCase("<OriginatorId>client</OriginatorId>", "", .missing, line: 3, "<OriginatorId> is missing"),
        FaultCase(
            "<OriginatorId>client</OriginatorId>", "<OriginatorId> </OriginatorId>", .badValue, line: 6, "is empty"),
        FaultCase("<DomainName>example.test</DomainName>", "", .missing, line: 3, "<DomainName> is missing"),
        FaultCase("<DomainName>example.test", "<DomainName>@example.test", .badValue, line: 4, "domain name"),
        FaultCase("<Settings>", "<Settings>stray", .strayText, line: 3, "\"stray\""),
        FaultCase("<Settings>", "<Settings xmlns='urn:x'>", .unknownElement, line: 3, "urn:x"),
        FaultCase("<Settings>", "<Settings depth='1'>", .unknownAttribute, line: 3, "no attributes"),
        FaultCase(
            "<AdminEmailAddress>admin@example.test</AdminEmailAddress>", "", .missing, line: 3,
            "<AdminEmailAddress> is missing", "on line 17 says EMAIL_TO_ADMINISTRATOR"),
        FaultCase("admin@example.test", "admin at example.test", .badValue, line: 5, "one mail address"),
        // Services
        FaultCase("http://127.0.0.1:8777/s", "ftp://127.0.0.1/s", .badValue, line: 10, "ftp://127.0.0.1/s"),
        FaultCase("http://127.0.0.1:8777/s", "http://user:word@host/s", .badValue, line: 10, "without user name"),
        FaultCase("http://127.0.0.1:8777/s", "http://host:99999/s", .badValue, line: 10, "http"),
        FaultCase("http://127.0.0.1:8777/s", "http:///s", .badValue, line: 10, "http"),
        FaultCase("http://127.0.0.1:8777/s", "", .badValue, line: 10, "<PrimaryAddress> is empty"),
        FaultCase(
            "<PrimaryAddress>http://127.0.0.1:8777/s</PrimaryAddress>", "", .missing, line: 8,
            "<PrimaryAddress> is missing"),
        FaultCase("status=\"enable\"", "status=\"on\"", .badValue, line: 21, "\"on\"", "one of enable, disable"),
        FaultCase(" status=\"enable\"", "", .missing, line: 21, "status"),
        FaultCase("<ProxyPort>3128", "<ProxyPort>65536", .badValue, line: 23, "from 1 to 65535"),
        FaultCase("<ProxyPort>3128", "<ProxyPort>+3128", .badValue, line: 23, "from 1 to 65535"),
        FaultCase("BASIC", "BASI", .badValue, line: 27, "one of BASIC, DIGEST", nearest: "BASIC"),
        FaultCase("<ProxyPassword>p</ProxyPassword>", "", .missing, line: 24, "<ProxyPassword>"),
        FaultCase("<ProxyPassword>p<", "<ProxyPassword env='A'>p<", .conflict, line: 26, "more than one source"),
        FaultCase("<ProxyPassword>p<", "<ProxyPassword env='SES_UNSET'><", .secret, line: 26, "\"SES_UNSET\""),
        FaultCase("<ProxyPassword>p<", "<ProxyPassword file='/absent/x'><", .secret, line: 26, "No such file"),
        // Workflows
        FaultCase(
            "<OperationRule>SIGN_ATTACHMENT, SIGN_EMAIL", "<OperationRule>SIGN_ATTACHMENT SIGN_EMAIL", .badValue,
            line: 47, "both"),
        FaultCase(
            "<OperationRule>SIGN_ATTACHMENT, SIGN_EMAIL", "<OperationRule>SIGN_EMAL", .badValue, line: 47,
            nearest: "SIGN_EMAIL"),
        FaultCase(
            "<OperationRule>SIGN_ATTACHMENT, SIGN_EMAIL", "<OperationRule>SIGN_EMAIL,SIGN_EMAIL", .repeated, line: 47,
            "twice"),
        FaultCase(
            "<OperationRule>SIGN_ATTACHMENT, SIGN_EMAIL", "<OperationRule>VERIFY_EMAIL", .badValue, line: 47, "<Sign>"),
        FaultCase("<OperationRule>SIGN_ATTACHMENT, SIGN_EMAIL", "<OperationRule>", .badValue, line: 47, "is empty"),
        FaultCase(
            "<OperationRule>SIGN_ATTACHMENT, SIGN_EMAIL</OperationRule>", "", .missing, line: 33, "<OperationRule>"),
        FaultCase("<SignEmail profileId=\"e\"/>", "", .missing, line: 33, "SignEmail", "names SIGN_EMAIL"),
        FaultCase("<SignEmail profileId=\"e\"/>", "<SignEmail/>", .missing, line: 61, "profileId"),
        FaultCase(
            "<Attachment contains=\"pdf\" signed=\"false\"/>", "<Attachment/>", .missing, line: 42, "asks for nothing"),
        FaultCase(
            "<Attachment contains=\"pdf\" signed=\"false\"/>", "<Attachment signed='FALSE'/>", .badValue, line: 42,
            nearest: "false"),
        FaultCase("<To contains=\"bob@example.test\"/>", "<To/>", .missing, line: 36, "contains is missing"),
        FaultCase("<To contains=\"bob@example.test\"/>", "<To contains=' , '/>", .badValue, line: 36, "is empty"),
        FaultCase(
            "<To contains=\"bob@example.test\"/>", "<OR><To contains='x'/></OR>", .unknownElement, line: 36,
            "<OR> is not known in <AND>"),
        FaultCase("<Subject contains=\"sign\"/>", "<Subject contains=' '/>", .badValue, line: 39, "is empty"),
        FaultCase("</AND>", "</AND><OR/>", .conflict, line: 43, "<AND> and <OR>"),
        FaultCase("<Name>SIGNING_LOCATION", "<Name>SIGNING_LOCATOIN", .badValue, line: 52, nearest: "SIGNING_LOCATION"),
        FaultCase("<Name>SIGNING_LOCATION", "<Name>SIGNING_AREA", .badValue, line: 53, "from 1 to 5"),
        FaultCase("<Name>SIGNING_LOCATION", "<Name>VISIBILITY", .badValue, line: 53, "one of TRUE, FALSE"),
        FaultCase("<Name>SIGNING_LOCATION", "<Name>SIGNING_PAGE", .badValue, line: 53, "a number"),
        FaultCase("<Name>SIGNING_LOCATION", "<Name>SIGNING_FIELD", .conflict, line: 51, "SIGNING_AREA"),
        FaultCase("<Name>SIGNING_LOCATION</Name>", "", .missing, line: 51, "<Name>"),
        FaultCase("attachResponseXml=\"true\"", "attachResponseXml=\"yes\"", .badValue, line: 78, "one of true, false"),
        FaultCase("ADD_RESULT_TO_BOTTOM", "ADD_RESULT_TO_BOTOM", .badValue, line: 78, nearest: "ADD_RESULT_TO_BOTTOM"),
        FaultCase("<Incoming>", "<Outgoing/><Incoming>", .repeated, line: 71, "second time"),
        // Extensions
        FaultCase("<Concurrency>4", "<Concurrency>0", .badValue, line: 85, "from 1 to"),
        FaultCase("<Concurrency>4", "<Concurrency>99999999999999999999", .badValue, line: 85, "from 1 to"),
        FaultCase("connect=\"5\"", "connect=\"61\"", .conflict, line: 86, "shorter"),
        FaultCase("50 MiB", "50 MB", .badValue, line: 87, "MiB"),
        FaultCase("50 MiB", "9999999999999 GiB", .badValue, line: 87, "MiB"),
        FaultCase("3*10 minutes, 2 hours", "3*10 minuets", .badValue, line: 89, nearest: "minutes"),
        FaultCase("3*10 minutes, 2 hours", "99999999999999 days", .badValue, line: 89, "no delay"),
        FaultCase("<maxRetries>9", "<maxRetries>-1", .badValue, line: 90, "<maxRetries>"),
        FaultCase("<SignerIdentity>report", "<SignerIdentity>reports", .badValue, line: 94, nearest: "report"),
        FaultCase("<Serial>00:4A:1f</Serial>", "", .missing, line: 98, "<Issuer> stands without <Serial>"),
        FaultCase("<Serial>00:4A:1f", "<Serial>00:4G", .badValue, line: 99, "hexadecimal"),
        FaultCase("<SenderMustOwnFrom>true", "<SenderMustOwnFrom>1", .badValue, line: 103, "one of true, false"),
        FaultCase("preset=\"adss\"", "preset=\"ads\"", .badValue, line: 106, nearest: "adss"),
        FaultCase("name=\"envelope\"", "name=\"envelop\"", .badValue, line: 107, nearest: "envelope"),
        FaultCase("value=\"soap12\"", "value=\"soap13\"", .badValue, line: 107, nearest: "soap11"),
        FaultCase("kind=\"xml\"", "kind=\"xlm\"", .badValue, line: 108, nearest: "xml"),
        FaultCase("verdict=\"trusted\"", "verdict=\"good\"", .badValue, line: 109, "trusted"),
        FaultCase("<TransientMessage contains=\"busy\"/>", "<TransientMessage/>", .missing, line: 110, "contains"),
        FaultCase("</Dialect>", "</Dialekt>", .xml, line: 111),
        FaultCase("</SES>", "</SES><SES/>", .xml, line: 112),
        FaultCase("<SES>", "<!DOCTYPE SES><SES>", .xml, line: 2, "document type"),
        FaultCase("<SES>", "<SES signed='' signed=''>", .xml, line: 2, "signed"),
    ]

    @Test("give line, expected value and the nearest name", arguments: cases)
    func fault(_ given: FaultCase) throws {
        let good = String(decoding: try TestMaterial.octets(Self.path), as: UTF8.self)
        // A name without its bracket stands for both tags.
        let most = given.change.0.hasPrefix("<") ? 1 : Int.max
        let bad = good.replacing(given.change.0, with: given.change.1, maxReplacements: most)
        try #require(bad != good)
        let faults = try ConfigurationFixture.faults(bad)
        let fault = try #require(faults.first { $0.code == given.code && $0.line == given.line }, "\(faults)")
        for words in given.words { #expect(fault.sentence.contains(words), "\(fault.sentence)") }
        #expect(fault.nearest == given.nearest)
    }

    @Test("are reported all at once, in the order of their lines")
    func allAtOnce() throws {
        let text = """
            <SES>
            <Settings>
            <DomainNme>example.test</DomainNme>
            <EmailErrorAction>EMAIL_TO_ADMIN</EmailErrorAction>
            </Settings>
            <Outgoing><Sign>
            <Workflow><OperationRule>SIGN</OperationRule></Workflow>
            <Workflow><Filter><XOR/></Filter><OperationRule>SIGN_EMAIL</OperationRule></Workflow>
            </Sign></Outgoing>
            <Procesing/>
            </SES>
            """
        let faults = try ConfigurationFixture.faults(text)
        #expect(
            faults.map { "\($0.line) \($0.code.rawValue)" } == [
                "2 missing", "2 missing", "2 missing", "3 unknown-element", "4 bad-value", "7 bad-value",
                "8 unknown-element", "8 missing", "10 unknown-element",
            ])
        #expect(
            faults[3].sentence
                == "3: <DomainNme> is not known in <Settings>; expected one of <DomainName>, <AdminEmailAddress>,"
                + " <OriginatorId>, <EmailErrorAction>, <SigningServiceSettings>, <VerificationServiceSettings>,"
                + " <ProxySettings>, <ClientAuthPfxSettings>, <Outgoing>, <Incoming>; did you mean <DomainName>?")
    }

    @Test("a missing file, or one that is not a file, is reported by name", arguments: ["absent.xml", "."])
    func noFile(name: String) throws {
        let scratch = try ScratchDirectory()
        let error = #expect(throws: ConfigurationFaults.self) { try load(path: scratch.file(name)) }
        #expect(error?.faults.map(\.code) == [.file])
        #expect(error?.description.hasPrefix(scratch.file(name) + ": cannot be read: ") == true)
    }

    @Test("another root is reported with the expected one")
    func otherRoot() throws {
        #expect(try ConfigurationFixture.faults("<Relay/>").first?.expected == "<SES> without a namespace")
        #expect(try ConfigurationFixture.faults("<SES xmlns='urn:x'/>").count == 1)
    }

    @Test("a pipe in the place of the file does not block the program", .timeLimit(.minutes(1)))
    func pipe() throws {
        let scratch = try ScratchDirectory()
        try #require(NamedPipe.make(at: scratch.file("ses.xml")))
        #expect(throws: ConfigurationFaults.self) { try load(path: scratch.file("ses.xml")) }
    }
}
