import Foundation
import InternetMessage
import Delivery
import TestSupport
import Testing

@testable import SESConfiguration

@Suite("relay.xml")
struct RelayConfigurationTests {
    private func load(_ body: String, environment: [String: String] = [:]) throws -> RelayConfiguration {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(Array("<Relay>\n\(body)\n</Relay>\n".utf8), to: "relay.xml")
        return try loadRelay(path: path, environment: environment)
    }

    /// `LINE CODE` of each fault.
    private func faults(_ body: String) throws -> [String] {
        do {
            _ = try load(body)
            return []
        } catch let error as ConfigurationFaults {
            return error.faults.map { "\($0.line) \($0.code.rawValue)" }
        }
    }

    @Test("the shipped file loads without a fault and without a warning, and the schema describes it")
    func shipped() throws {
        let folder = TestMaterial.project + "/conf"
        let configuration = try loadRelay(path: folder + "/relay.xml")
        #expect(configuration.warnings.isEmpty)
        #expect(configuration.routes.map(\.name) == ["to our users", "default"])
        #expect(configuration.routes[0].criteria.direction == .incoming)
        #expect(configuration.schedule == .standard)
        #expect(configuration.postmaster?.description == "postmaster@example.test")
        let schema = String(decoding: try TestMaterial.octets(folder + "/relay.xsd"), as: UTF8.self)
        for word in RelayRoute.TransportSecurity.Level.allCases.map(\.rawValue)
            + RouteCriteria.Direction.allCases.map(\.rawValue) + RouteCriteria.Source.allCases.map(\.rawValue)
        {
            #expect(schema.contains("<xs:enumeration value=\"\(word)\"/>"), "\(word)")
        }
    }

    @Test("an empty file delivers to mail exchangers, by the original's schedule")
    func defaults() throws {
        let configuration = try load("")
        let route = try #require(configuration.routes.first)
        #expect(configuration.routes.count == 1)
        #expect(
            route.target == .mailExchangers(RelayRoute.TransportSecurity(level: .may, authorities: nil, pin: nil)))
        #expect(configuration.schedule == RetrySchedule(delays: [300, 600, 2700, 7200, 10800, 21600], maxRetries: 25))
        #expect(configuration.sendsPartial)
    }

    @Test("the original's names, in both spellings of the user and of the delays")
    func original() throws {
        let common = """
            <gateway>mail.example.test</gateway><gatewayPort>587</gatewayPort>
            <TLS level="required"/><gatewayPassword>s&amp;cret</gatewayPassword>
            <maxRetries>2</maxRetries><deliveryThreads>3</deliveryThreads><sendpartial>false</sendpartial>
            <dnsserver><servers><server>192.0.2.53</server><server>[2001:db8::53]:5353</server></servers></dnsserver>
            <postmaster>postmaster</postmaster>
            <servernames><servername>MX.example.test</servername></servernames>
            """
        let one = try load(
            common + "<gatewayusername>u</gatewayusername><delayTime>5 minutes</delayTime>"
                + "<delayTime>5 minutes</delayTime><delayTime>2 hours</delayTime>")
        let other = try load(
            common + "<gatewayUsername>u</gatewayUsername><delayTime>2*5 minutes, 2 hours</delayTime>")
        #expect(one.routes == other.routes)
        #expect(one.schedule == other.schedule)
        #expect(one.schedule.delays == [300, 300, 7200])
        // Smaller than the list: raised to it.
        #expect(one.schedule.maxRetries == 3)
        #expect(one.schedule.total == 7800)
        guard case .gateway(let gateway) = one.routes[0].target else {
            Issue.record("no gateway")
            return
        }
        #expect(gateway.host == "mail.example.test" && gateway.port == 587)
        #expect(gateway.credentials?.userName == "u" && gateway.credentials?.password.reveal() == "s&cret")
        #expect(one.deliveryThreads == 3 && !one.sendsPartial)
        #expect(one.dnsServers == ["192.0.2.53", "[2001:db8::53]:5353"])
        #expect(one.postmaster?.description == "postmaster@MX.example.test")
        #expect(one.serverNames == ["mx.example.test"])
    }

    @Test("a password comes from the environment or a file, too")
    func secrets() throws {
        let configuration = try load(
            """
            <gateway>a.test</gateway><TLS level="implicit"/><gatewayusername>u</gatewayusername>
            <gatewayPassword env="RELAY_PASSWORD"/>
            """, environment: ["RELAY_PASSWORD": "hidden"])
        guard case .gateway(let gateway) = configuration.routes[0].target else {
            Issue.record("no gateway")
            return
        }
        #expect(gateway.port == 465)
        #expect(gateway.credentials?.password.reveal() == "hidden")
        #expect(!"\(configuration)".contains("hidden"))
    }

    @Test("routes have their criteria and their own next hop")
    func routes() throws {
        let configuration = try load(
            """
            <Route name="in" direction="incoming" folder="delivered" fromDomain="a.test, *.b.test" toDomain="c.test">
              <Sendmail path="/bin/true"/>
            </Route>
            <Route toDomain="*.d.test"><gateway>192.0.2.1</gateway><MaxConnections>2</MaxConnections>
              <HeloName>[192.0.2.9]</HeloName><BindAddress>192.0.2.9</BindAddress>
              <Timeout connect="5" reply="7"/></Route>
            """)
        #expect(configuration.routes.map(\.name) == ["in", "Route[2]", "default"])
        #expect(configuration.routes[0].target == .sendmail(path: "/bin/true", takesDSN: false))
        #expect(
            configuration.routes[0].criteria
                == RouteCriteria(
                    direction: .incoming, source: .delivered,
                    fromDomains: [
                        DomainPattern(domain: "a.test", isForSubdomains: false),
                        DomainPattern(domain: "b.test", isForSubdomains: true),
                    ], toDomains: [DomainPattern(domain: "c.test", isForSubdomains: false)]))
        let second = configuration.routes[1]
        #expect(second.maxConnections == 2 && second.heloName == "[192.0.2.9]" && second.bindAddress == "192.0.2.9")
        #expect(second.connectTimeout == 5 && second.replyTimeout == 7)
    }

    @Test("all faults at once, each with its line")
    func everyFault() throws {
        #expect(
            try faults(
                """
                <gatway>a.test</gatway>
                <gatewayPort>70000</gatewayPort>
                <delayTime>5 fortnights</delayTime>
                <deliveryThreads>0</deliveryThreads>
                <sendpartial>yes</sendpartial>
                <dnsserver><servers><server>ns.example.test</server></servers></dnsserver>
                <Route direction="out"><gateway>a b</gateway></Route>
                <postmaster>nobody</postmaster>
                """) == [
                    "2 unknown-element", "3 bad-value", "3 conflict", "4 bad-value", "5 bad-value", "6 bad-value",
                    "7 bad-value", "8 bad-value", "8 bad-value", "9 bad-value",
                ])
    }

    @Test("a fault names the nearest known word")
    func nearest() throws {
        do {
            _ = try load("<gatewayusrname>x</gatewayusrname>")
            Issue.record("loaded")
        } catch let error as ConfigurationFaults {
            let sentence = error.description
            #expect(sentence.contains("relay.xml:2: <gatewayusrname> is not known in <Relay>"))
            #expect(sentence.hasSuffix("did you mean <gatewayusername>?"))
        }
    }

    @Test(
        "settings that exclude each other are a conflict",
        arguments: [
            ("<gateway>a.test</gateway><Sendmail path=\"/bin/true\"/>", "2 conflict"),
            ("<gatewayPort>25</gatewayPort>", "2 conflict"),
            ("<TLS level=\"implicit\"/>", "2 conflict"),
            ("<gateway>a.test</gateway><TLS level=\"pinned\"/>", "2 conflict"),
            (
                "<gateway>a.test</gateway><gatewayusername>u</gatewayusername><gatewayPassword>p</gatewayPassword>",
                "2 conflict"
            ),
            ("<gateway>a.test</gateway><gatewayusername>u</gatewayusername><TLS level=\"required\"/>", "1 missing"),
            ("<gateway>a.test</gateway><gatewayPassword>u</gatewayPassword>", "2 missing"),
            ("<gateway>a.test</gateway><TLS level=\"required\" ca=\"/x\"/>", "2 conflict"),
        ])
    func conflicts(_ body: String, _ fault: String) throws { #expect(try faults(body) == [fault]) }

    @Test("a program gets sendmail's -N, -R and -V if the configuration says so, and Exim never, under whatever name")
    func sendmailOptions() throws {
        let scratch = try ScratchDirectory()
        let exim = try scratch.write(Array("#!/bin/sh\n".utf8), to: "exim4")
        let sendmail = scratch.file("sendmail")
        try FileManager.default.createSymbolicLink(atPath: sendmail, withDestinationPath: exim)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: exim)
        for (text, takesDSN) in [("", false), (" dsn=\"false\"", false), (" dsn=\"true\"", true)] {
            let configuration = try load("<Sendmail path=\"/bin/true\"\(text)/>")
            #expect(configuration.routes[0].target == .sendmail(path: "/bin/true", takesDSN: takesDSN))
        }
        #expect(try faults("<Sendmail path=\"/bin/true\" dsn=\"yes\"/>") == ["2 bad-value"])
        #expect(try faults("<Sendmail path=\"\(sendmail)\" dsn=\"true\"/>") == ["2 conflict"])
        #expect(try faults("<Sendmail path=\"\(sendmail)\"/>").isEmpty)
    }

    @Test("a password in clear requires an explicit setting")
    func inClear() throws {
        let configuration = try load(
            """
            <gateway>127.0.0.1</gateway><TLS level="off"/><gatewayusername inClear="true">u</gatewayusername>
            <gatewayPassword>p</gatewayPassword>
            """)
        guard case .gateway(let gateway) = configuration.routes[0].target else {
            Issue.record("no gateway")
            return
        }
        #expect(gateway.credentials?.areSentInClear == true)
    }

    @Test("a route that is never taken is a warning")
    func shadowed() throws {
        let configuration = try load(
            """
            <Route name="all out" direction="outgoing"><gateway>a.test</gateway></Route>
            <Route name="some out" direction="outgoing" toDomain="b.test"><gateway>b.test</gateway></Route>
            """)
        #expect(configuration.warnings.map(\.code) == [.shadowedRoute])
    }
}
