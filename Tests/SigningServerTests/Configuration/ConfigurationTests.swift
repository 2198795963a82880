import CMSSignatures
import Foundation
import HostProcess
import Octets
import SigningServer
import TestSupport
import Testing

@Suite("dss.xml")
struct ConfigurationTests {
    private func faults(_ text: String, environment: [String: String] = [:]) throws -> [DSSConfigurationFaults.Fault] {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(Array(text.utf8), to: "dss.xml")
        do {
            _ = try SigningServerConfiguration.load(
                path: path, environment: environment, allowsReadableSecrets: true)
        } catch {
            return error.faults
        }
        return []
    }

    @Test("as made by init is read without faults, and is not overwritten")
    func demonstration() throws {
        let scratch = try ScratchDirectory()
        let now = Int(Date().timeIntervalSince1970)
        try DemonstrationSite.make(in: scratch.file("site"), now: now)
        let path = scratch.file("site/dss.xml")
        let configuration = try SigningServerConfiguration.load(
            path: path, environment: [:], allowsReadableSecrets: true)
        #expect(configuration.listening.socket?.path == scratch.file("site/socket"))
        #expect(configuration.warnings.isEmpty, "\(configuration.warnings)")
        #expect(throws: SiteError.self) { try DemonstrationSite.make(in: scratch.file("site"), now: now) }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let text: String
        let line: Int
        let words: String
        var testDescription: String { words }

        static let all = [
            Case(text: "<DSS>\n<Listen port='x'/></DSS>", line: 2, words: "port \"x\""),
            Case(text: "<DSS>\n<Listen address='0.0.0.0'/></DSS>", line: 2, words: "can be reached by others"),
            Case(text: "<DSS>\n\n<Listne/></DSS>", line: 3, words: "no element <Listne>"),
            Case(text: "<DSS><Listen\nport='1' prot='2'/></DSS>", line: 1, words: "no attribute \"prot\""),
            Case(text: "<dss/>", line: 1, words: "expected <DSS>"),
            Case(text: "<DSS>\n<Key alias='a' pfx='b'/></DSS>", line: 2, words: "found 0"),
            Case(text: "<DSS>\n<Key alias='a' pfx='b' password='c'/></DSS>", line: 2, words: "cannot be read"),
            Case(text: "<DSS>\n<Key alias='a' pfx='dss.xml' password='c'/></DSS>", line: 2, words: "no PKCS #12"),
            Case(text: "<DSS>\n<Key alias='a' pfx='b' env='NONE'/></DSS>", line: 2, words: "the environment has no"),
            Case(text: "<DSS>\n<SigningProfile id='a' format='b'/></DSS>", line: 2, words: "expected one of smime"),
            Case(text: "<DSS>\n<SigningProfile id='a' format='cms' level='T'/></DSS>", line: 2, words: "timestamp"),
            Case(
                text: "<DSS>\n<SigningProfile id='a' format='cms' level='LTA'/></DSS>", line: 2,
                words: "expected one of B, T, LT"),
            Case(
                text: "<DSS>\n<SigningProfile id='a' format='cms' level='LT' tsa='http://t.test'/></DSS>", line: 2,
                words: "is for format=\"pdf\" and \"auto\""),
            Case(
                text: "<DSS>\n<SigningProfile id='a' format='pdf' level='LT'/></DSS>", line: 2,
                words: "add tsa="),
            Case(
                text: "<DSS>\n<SigningProfile id='a' format='pdf' level='LT' tsa='http://t.test'/></DSS>", line: 2,
                words: "add validation="),
            Case(
                text:
                    "<DSS>\n<SigningProfile id='a' format='pdf' level='LT' tsa='http://t.test' validation='b'/></DSS>",
                line: 2, words: "no verification profile \"b\""),
            Case(
                text: "<DSS><VerificationProfile id='b'/>\n<SigningProfile id='a' format='pdf' validation='b'/></DSS>",
                line: 2, words: "only at level=\"LT\""),
            Case(
                text: "<DSS>\n<SigningProfile id='a' format='cms' level='B' tsa='http://t.test'/></DSS>", line: 2,
                words: "only at level=\"T\""),
            Case(
                text: "<DSS>\n<SigningProfile id='a' format='pdf' level='T' tsa='ftp://t.test'/></DSS>", line: 2,
                words: "expected http://"),
            Case(
                text: "<DSS>\n<SigningProfile id='a' format='pdf' enclosed='true'/></DSS>", line: 2,
                words: "is for format=\"cms\""),
            Case(
                text: "<DSS><SigningProfile id='a' format='cms'/>\n<SigningProfile id='a' format='cms'/></DSS>",
                line: 2,
                words: "is there twice"),
            Case(
                text: "<DSS><VerificationProfile id='a'>\n<Anchor>dss.xml</Anchor></VerificationProfile></DSS>",
                line: 2,
                words: "no certificate"),
            Case(
                text: "<DSS><VerificationProfile id='a'>\n<VerificationTime>2026-06-31T00:00:00Z</VerificationTime>"
                    + "</VerificationProfile></DSS>", line: 2, words: "is no time"),
            Case(
                text: "<DSS>\n<VerificationProfile id='a' revocation='maybe'/></DSS>", line: 2,
                words: "expected one of none, present, require"),
            Case(
                text: "<DSS>\n<SigningProfile id='a' format='pdf' key='b'/></DSS>", line: 2, words: "no key \"b\""),
            Case(
                text: "<DSS>\n<SigningProfile id='a' format='pdf' area='6'/></DSS>", line: 2,
                words: "area=\"6\": expected a number from 1 to 5"),
            Case(text: "<DSS>\n<SigningProfile id='a' format='pdf' page='0'/></DSS>", line: 2, words: "page=\"0\""),
            Case(
                text: "<DSS>\n<SigningProfile id='a' format='xml' reason='b'/></DSS>", line: 2,
                words: "reason=\"…\" is for format=\"pdf\""),
            Case(
                text: "<DSS><SigningProfile id='a' format='cms'>\n<Appearance/></SigningProfile></DSS>", line: 2,
                words: "<Appearance> is for format=\"pdf\""),
            Case(
                text:
                    "<DSS><SigningProfile id='a' format='pdf'>\n<Appearance image='none.png'/></SigningProfile></DSS>",
                line: 2, words: "the image cannot be read"),
            Case(
                text: "<DSS><SigningProfile id='a' format='pdf'>\n<Appearance image='dss.xml'/></SigningProfile></DSS>",
                line: 2, words: "it is no PNG file"),
            Case(
                text: "<DSS><SigningProfile id='a' format='pdf'>\n<Appearance width='5'/></SigningProfile></DSS>",
                line: 2, words: "expected points from 10 to 2000"),
            Case(
                text:
                    "<DSS><SigningProfile id='a' format='pdf'>\n<Appearance imagePlace='behind'/></SigningProfile></DSS>",
                line: 2, words: "needs an image"),
            Case(text: "<DSS><Client id='a'>\n<Profile ref='b'/></Client></DSS>", line: 2, words: "no profile \"b\""),
            Case(text: "<DSS><Client id='a'>\n<Key ref='b'/></Client></DSS>", line: 2, words: "no key \"b\""),
            Case(text: "<DSS>\n<Client/></DSS>", line: 2, words: "has no id"),
            Case(text: "<DSS>\n<unfinished", line: 2, words: "Start Tag"),
        ]
    }

    @Test("reports a fault with its line", arguments: Case.all)
    func fault(_ given: Case) throws {
        let found = try faults(given.text)
        #expect(found.contains { $0.line == given.line && $0.text.contains(given.words) }, "\(found)")
    }

    @Test("a check names letters that no installed font has")
    func fonts() throws {
        let scratch = try ScratchDirectory()
        let text = "<DSS><SigningProfile id='a' format='pdf' reason='\u{10FFFD}'/></DSS>"
        let path = try scratch.write(Array(text.utf8), to: "dss.xml")
        let configuration = try SigningServerConfiguration.load(
            path: path, environment: [:], allowsReadableSecrets: true)
        let warnings = ConfigurationCheck(configuration).warnings
        #expect(warnings.contains { $0.contains("signing profile \"a\"") && $0.contains("\u{10FFFD}") }, "\(warnings)")
        #expect(!warnings.contains { $0.contains("Latin") || $0.contains("Cyrillic") }, "\(warnings)")
        // Without the font that all stamps are set in there are no PDF signatures.
        let without = ConfigurationCheck(configuration, fontPath: "/nowhere.ttf").warnings
        #expect(without.count == 1 && without[0].contains("fonts-dejavu-core"), "\(without)")
    }

    @Test("reports all faults at once")
    func many() throws {
        #expect(try faults("<DSS><Listen port='x'/><Client/><Key/></DSS>").map(\.line) == [1, 1, 1])
    }

    @Test("takes a password from the environment")
    func environment() throws {
        let scratch = try ScratchDirectory()
        let authority = try DemoAuthority(commonName: "x", validity: 0...4_000_000_000)
        let key = try authority.issue(commonName: "k", for: .document, validity: 0...4_000_000_000)
        let pfx = try scratch.write(try PKCS12.export(key, password: "from outside", friendlyName: "k"), to: "k.p12")
        let text = "<DSS><Key alias='k' pfx='\(pfx)' env='PASSWORD'/></DSS>"
        #expect(try faults(text, environment: ["PASSWORD": "from outside"]).isEmpty)
        #expect(try faults(text, environment: ["PASSWORD": "wrong"]).first?.text.contains("password") == true)
    }
}
