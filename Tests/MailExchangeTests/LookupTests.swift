import MailExchange
import TestSupport
import Testing

@Suite("Mail exchangers by DNS (RFC 5321 §5.1, RFC 7505)", .timeLimit(.minutes(1)))
struct LookupTests {
    /// A domain and what is found for it: hosts with addresses, or the kind of error.
    struct Case: CustomTestStringConvertible, Sendable {
        let domain: String
        let found: [String]
        var error: MailExchangeError.Kind?
        var ownNames: Set<String> = []
        var testDescription: String { domain + (ownNames.isEmpty ? "" : " of \(ownNames.sorted())") }
    }

    static let records = [
        "mx-host=three.test,c.mx.test,30", "mx-host=three.test,a.mx.test,10", "mx-host=three.test,b.mx.test,20",
        "host-record=a.mx.test,192.0.2.1", "host-record=b.mx.test,192.0.2.2,2001:db8::2",
        "host-record=c.mx.test,192.0.2.3", "host-record=plain.test,192.0.2.4",
        "mx-host=null.test,.,0", "mx-host=both.test,.,0", "mx-host=both.test,a.mx.test,10",
        "mx-host=dangling.test,gone.mx.test,10", "mx-host=half.test,gone.mx.test,10", "mx-host=half.test,a.mx.test,20",
        "cname=alias.test,three.test", "mx-host=under_score.test,a.mx.test,1", "txt-record=empty.test,words",
        "mx-host=case.test,A.MX.test,10",
    ]

    static let cases = [
        Case(
            domain: "three.test",
            found: ["10 a.mx.test 192.0.2.1", "20 b.mx.test 192.0.2.2 2001:db8::2", "30 c.mx.test 192.0.2.3"]),
        Case(domain: "THREE.test.", found: ["10 a.mx.test", "20 b.mx.test", "30 c.mx.test"]),
        // No MX: the domain itself.
        Case(domain: "plain.test", found: ["0 plain.test 192.0.2.4"]),
        Case(domain: "case.test", found: ["10 a.mx.test 192.0.2.1"]),
        Case(domain: "under_score.test", found: ["1 a.mx.test 192.0.2.1"]),
        Case(domain: "null.test", found: [], error: .takesNoMail),
        Case(domain: "both.test", found: ["10 a.mx.test 192.0.2.1"]),
        Case(domain: "nowhere.test", found: [], error: .noSuchDomain),
        Case(domain: "dangling.test", found: [], error: .noAddress),
        Case(domain: "half.test", found: ["20 a.mx.test 192.0.2.1"]),
        Case(domain: "empty.test", found: [], error: .noAddress),
        // dnsmasq has no answer to give for others' names, and says so.
        Case(domain: "example.org", found: [], error: .temporary),
        Case(domain: "[192.0.2.7]", found: ["0 192.0.2.7 192.0.2.7"]),
        Case(domain: "[IPv6:2001:db8::7]", found: ["0 2001:db8::7 2001:db8::7"]),
        Case(domain: "[192.0.2]", found: [], error: .badName),
        Case(domain: "[2001:db8::7]", found: [], error: .badName),
        Case(domain: "", found: [], error: .badName),
        Case(domain: "a..test", found: [], error: .badName),
        Case(domain: "a b.test", found: [], error: .badName),
        Case(domain: "bücher.test", found: [], error: .badName),
        Case(domain: String(repeating: "a", count: 64) + ".test", found: [], error: .badName),
        Case(domain: "three.test", found: ["10 a.mx.test 192.0.2.1"], ownNames: ["B.MX.test."]),
        Case(domain: "three.test", found: [], error: .loop, ownNames: ["a.mx.test"]),
        Case(domain: "plain.test", found: [], error: .loop, ownNames: ["plain.test"]),
    ]

    private static let serving = Task { try await DNSFixture(records) }

    @Test("are found, in the order in which to try them", arguments: cases)
    func found(_ given: Case) async throws {
        let port = try await Self.serving.value.port
        let (words, error) = try Self.look(given.domain, "127.0.0.1:\(port)") { $0.ownNames = given.ownNames }
        #expect(error?.kind == given.error, "\(error?.detail ?? "no error")")
        #expect(words.count == given.found.count)
        #expect(zip(words, given.found).allSatisfy { word, wanted in word.hasPrefix(wanted) }, "\(words)")
    }

    @Test("of an alias are those of its target")
    func alias() async throws {
        let port = try await Self.serving.value.port
        let (words, error) = try Self.look("alias.test", "127.0.0.1:\(port)")
        #expect(error == nil && words.first == "10 a.mx.test 192.0.2.1", "\(words) \(error?.detail ?? "")")
    }

    @Test("are requested from the next server if one is silent or refuses, and later if none answers")
    func failingServers() async throws {
        let port = try await Self.serving.value.port
        let silent = try SilentDNS()
        let dead = try DSSFixture.deadPort()
        let (words, _) = try Self.look("plain.test", "127.0.0.1:\(dead)", "127.0.0.1:\(port)")
        #expect(words == ["0 plain.test 192.0.2.4"])
        let start = ContinuousClock.now
        let (_, error) = try Self.look("plain.test", "127.0.0.1:\(silent.port)") { $0.timeout = .milliseconds(700) }
        #expect(error?.kind == .temporary && error?.isTransient == true)
        // Unset it would be 30 seconds.
        #expect(ContinuousClock.now - start < .seconds(15))
        let (_, refused) = try Self.look("plain.test", "127.0.0.1:\(dead)") { $0.timeout = .seconds(5) }
        #expect(refused?.kind == .temporary)
    }

    @Test("are not waited for after the lookup is cancelled")
    func interrupted() async throws {
        let silent = try SilentDNS()
        let start = ContinuousClock.now
        var lookup = MailExchangeLookup()
        lookup.servers = [try #require(NameServer("127.0.0.1:\(silent.port)"))]
        #expect(throws: MailExchangeError.self) { try lookup.exchangers(of: "a.test", isInterrupted: { true }) }
        // It would wait for 30 seconds otherwise.
        #expect(ContinuousClock.now - start < .seconds(15))
    }

    @Test("of equal preference come in changing order")
    func equals() async throws {
        let server = try await DNSFixture(
            ["a", "b", "c"].flatMap { ["mx-host=equal.test,\($0).test,5", "host-record=\($0).test,192.0.2.1"] })
        let address = "127.0.0.1:\(server.port)"
        let firsts = try (0..<60).map { _ in try Self.look("equal.test", address).words.first?.split(separator: " ")[1]
        }
        // One of three stays away for 60 times in 1 of 10 thousand million runs.
        #expect(Set(firsts) == ["a.test", "b.test", "c.test"])
    }

    @Test("are bounded in number, even when the answer needs TCP")
    func many() async throws {
        let server = try await DNSFixture(
            (100..<200).flatMap {
                ["mx-host=many.test,host\($0).long-enough-to-fill-an-answer.test,\($0)"]
            } + (100..<130).map { "host-record=host\($0).long-enough-to-fill-an-answer.test,192.0.2.1" })
        let (words, error) = try Self.look("many.test", "127.0.0.1:\(server.port)")
        #expect(words.count == 20 && words.first?.hasPrefix("100 host100.") == true, "\(error?.detail ?? "")")
    }

    private static func look(
        _ domain: String, _ servers: String..., change: (inout MailExchangeLookup) -> Void = { _ in }
    ) throws -> (words: [String], error: MailExchangeError?) {
        var lookup = MailExchangeLookup()
        lookup.servers = try servers.map { try #require(NameServer($0)) }
        change(&lookup)
        do throws(MailExchangeError) {
            let exchangers = try lookup.exchangers(of: domain)
            return (
                exchangers.map { "\($0.preference) \($0.name) \($0.addresses.sorted().joined(separator: " "))" }, nil
            )
        } catch {
            return ([], error)
        }
    }
}

@Suite("Addresses of DNS servers")
struct NameServerTests {
    @Test(
        "are read with and without a port",
        arguments: [
            ("192.0.2.1", "192.0.2.1:53"), ("192.0.2.1:5353", "192.0.2.1:5353"), ("2001:db8::1", "[2001:db8::1]:53"),
            ("[2001:db8::1]", "[2001:db8::1]:53"), ("[2001:db8::1]:54", "[2001:db8::1]:54"),
        ])
    func good(_ text: String, _ read: String) { #expect(NameServer(text)?.description == read) }

    @Test(
        "that are not addresses are refused",
        arguments: [
            "", "dns.example.test", "192.0.2", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:x", "[::1",
            "[::1]x", "[192.0.2.1]:53", "[]:53", ":53", "192.0.2.1,192.0.2.2",
        ])
    func bad(_ text: String) { #expect(NameServer(text) == nil) }
}
