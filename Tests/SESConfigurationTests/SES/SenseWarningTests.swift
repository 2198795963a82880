import TestSupport
import Testing

@testable import SESConfiguration

@Suite("Filters of ses.xml that make no sense")
struct SenseWarningTests {
    private typealias Fixture = ConfigurationFixture
    private static let senses: Set<ConfigurationWarning.Code> = [.foreignSender, .neverHolds, .sharedProfile]

    private func warnings(_ workflow: String, incoming: Bool = false) throws -> [ConfigurationWarning] {
        var fixture = Fixture()
        fixture.rest = incoming ? Fixture.incoming(workflow) : Fixture.outgoing(workflow)
        return try fixture.load().warnings.filter { Self.senses.contains($0.code) }
    }

    @Test(
        "a From pattern that no address of ours fits is told with the domain that was meant",
        arguments: ["*@exmaple.test", "bob@example.tset", "*@example.test, *@exmaple.test"])
    func foreign(_ pattern: String) throws {
        let told = try warnings(Fixture.sign(filter: Fixture.filter("<From contains='\(pattern)'/>")))
        #expect(told.map(\.code) == [.foreignSender])
        #expect(told.first?.text.contains("<DomainName> (example.test)") == true)
        #expect(told.first?.text.contains("did you mean") == true && told.first?.text.contains("example.test?") == true)
        #expect(told.first?.line ?? 0 > 0)
    }

    @Test(
        "a From pattern that may be ours is not told",
        arguments: ["*@example.test", "alice@EXAMPLE.test", "*@*.test", "alice", "*@*", "@example.test", "*"])
    func own(_ pattern: String) throws {
        #expect(try warnings(Fixture.sign(filter: Fixture.filter("<From contains='\(pattern)'/>"))).isEmpty)
    }

    @Test("strangers are what incoming mail comes from")
    func incoming() throws {
        let workflow = Fixture.verify(filter: Fixture.filter("<From contains='*@partner.test'/>"))
        #expect(try warnings(workflow, incoming: true).isEmpty)
    }

    @Test("criteria that exclude each other are told under AND, and not under OR")
    func contradiction() throws {
        let criteria = "<Email signed='true'/><Email signed='false'/>"
        #expect(try warnings(Fixture.sign(filter: Fixture.filter(criteria))).map(\.code) == [.neverHolds])
        #expect(try warnings(Fixture.sign(filter: Fixture.filter(criteria, "OR"))).isEmpty)
        let agreeing = "<Email signed='false'/><Email signed='false' encrypted='false'/>"
        #expect(try warnings(Fixture.sign(filter: Fixture.filter(agreeing))).isEmpty)
    }

    @Test(
        "an alternative that can be no address is told",
        arguments: ["Bob &lt;bob@example.test&gt;", "bob @example.test", "bob@", "bob@example..test"])
    func noAddress(_ pattern: String) throws {
        #expect(
            try warnings(Fixture.sign(filter: Fixture.filter("<To contains='\(pattern)'/>"))).map(\.code)
                == [.neverHolds])
    }

    @Test("one profile for mail and attachments is told")
    func shared() throws {
        let profiles = "<SignAttachment profileId='x'/><SignEmail profileId='x'/>"
        #expect(
            try warnings(Fixture.sign(rule: "SIGN_ATTACHMENT, SIGN_EMAIL", profiles: profiles)).map(\.code)
                == [.sharedProfile])
        #expect(try warnings(Fixture.sign(rule: "SIGN_ATTACHMENT, SIGN_EMAIL")).isEmpty)
    }

    @Test("equal filters are refused by --strict, and shadowed ones are not")
    func strict() throws {
        let equal = try Fixture.load(
            Fixture(rest: Fixture.outgoing(Fixture.sign() + Fixture.sign())).text
        ).warnings.first { $0.code == .equalFilters }
        #expect(equal?.isRefusedWhenStrict == true)
        let narrow = Fixture.sign(filter: Fixture.filter("<From contains='a@example.test'/>"))
        let shadowed = try Fixture.load(Fixture(rest: Fixture.outgoing(Fixture.sign() + narrow)).text).warnings.first {
            $0.code == .shadowedWorkflow
        }
        #expect(shadowed?.isRefusedWhenStrict == false)
    }

    @Test(
        "a gateway with more than a host is refused with what is meant",
        arguments: [
            ("127.0.0.1:10025", "<gateway>127.0.0.1</gateway> and <gatewayPort>10025</gatewayPort>"),
            ("[::1]:25", "<gateway>::1</gateway> and <gatewayPort>25</gatewayPort>"),
            ("smtp://mail.example.test", "<gateway>mail.example.test</gateway>"),
            ("mail.example.test:25", "<gateway>mail.example.test</gateway> and <gatewayPort>25</gatewayPort>"),
        ])
    func gateway(_ text: String, _ expected: String) throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(Array("<Relay><gateway>\(text)</gateway></Relay>".utf8), to: "relay.xml")
        do throws(ConfigurationFaults) {
            _ = try loadRelay(path: path)
            Issue.record("it was taken")
        } catch {
            #expect(error.faults.count == 1 && error.faults[0].code == .conflict)
            #expect(error.faults[0].expected?.contains(expected) == true, "\(error.faults[0])")
        }
    }

    @Test("a gateway that is a host or an address is taken", arguments: ["mail", "192.0.2.1", "::1", "2001:db8::25"])
    func host(_ text: String) throws {
        let scratch = try ScratchDirectory()
        _ = try loadRelay(
            path: try scratch.write(Array("<Relay><gateway>\(text)</gateway></Relay>".utf8), to: "relay.xml"))
    }
}
