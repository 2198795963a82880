import InternetMessage
import Octets
import Processing
import Testing
import Workflows

@Suite("Signer against From (RFC 8550 §3)")
struct SignerIdentityTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let header: String
        let certificate: [String]
        var listed: [OrganisationSigner] = []
        let isAccepted: Bool
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(
            name: "the same address", header: "From: alice@example.test", certificate: ["alice@example.test"],
            isAccepted: true),
        Case(
            name: "another case of the letters", header: "From: Alice@EXAMPLE.test",
            certificate: ["alice@example.test"],
            isAccepted: true),
        Case(
            name: "an A-label in the certificate and a U-label in From", header: "From: alice@MÜNCHEN.test",
            certificate: ["alice@xn--mnchen-3ya.test"], isAccepted: true),
        Case(
            name: "a U-label in the certificate and an A-label in From", header: "From: alice@xn--mnchen-3ya.test",
            certificate: ["alice@münchen.test"], isAccepted: true),
        Case(
            name: "a domain without its umlaut", header: "From: alice@munchen.test",
            certificate: ["alice@xn--mnchen-3ya.test"], isAccepted: false),
        Case(
            name: "a Kelvin sign for a K", header: "From: \u{212A}ate@example.test",
            certificate: ["kate@example.test"], isAccepted: false),
        Case(
            name: "a NUL behind the domain in the certificate", header: "From: alice@münchen.test",
            certificate: ["alice@münchen.test\0.evil.test"], isAccepted: false),
        Case(
            name: "a listed domain in its other form", header: "From: carol@münchen.test",
            certificate: ["any@xn--mnchen-3ya.test"], listed: [.domain("münchen.test")], isAccepted: true),
        Case(
            name: "one of several addresses", header: "From: A <alice@example.test>",
            certificate: ["a@other.test", "alice@example.test"], isAccepted: true),
        Case(
            name: "somebody else", header: "From: manager@example.test", certificate: ["eve@example.test"],
            isAccepted: false),
        Case(
            name: "the address in the display name only", header: "From: \"manager@example.test\" <eve@evil.test>",
            certificate: ["manager@example.test"], isAccepted: false),
        Case(
            name: "no address in the certificate", header: "From: alice@example.test", certificate: [],
            isAccepted: false),
        Case(name: "no From field", header: "Subject: x", certificate: ["alice@example.test"], isAccepted: false),
        Case(name: "an empty From field", header: "From: ", certificate: ["alice@example.test"], isAccepted: false),
        Case(
            name: "two From fields", header: "From: alice@example.test\r\nFrom: eve@evil.test",
            certificate: ["alice@example.test"], isAccepted: false),
        Case(
            name: "two From fields of different case", header: "FROM: alice@example.test\r\nfrom: alice@example.test",
            certificate: ["alice@example.test"], isAccepted: false),
        Case(
            name: "two addresses in From", header: "From: alice@example.test, eve@evil.test",
            certificate: ["alice@example.test"], isAccepted: false),
        Case(
            name: "Sender alone", header: "From: manager@example.test\r\nSender: alice@example.test",
            certificate: ["alice@example.test"], isAccepted: false),
        Case(
            name: "a listed address of the author's organisation", header: "From: carol@partner.test",
            certificate: ["gateway@partner.test"],
            listed: [.address(AddrSpec(localPart: "gateway", domain: "partner.test")!)], isAccepted: true),
        Case(
            name: "a listed address of another organisation", header: "From: carol@example.test",
            certificate: ["gateway@partner.test"],
            listed: [.address(AddrSpec(localPart: "gateway", domain: "partner.test")!)], isAccepted: false),
        Case(
            name: "a listed domain", header: "From: carol@partner.test", certificate: ["any@partner.test"],
            listed: [.domain("partner.test")], isAccepted: true),
        Case(
            name: "a listed domain, a certificate of another", header: "From: carol@partner.test",
            certificate: ["any@evil.test"], listed: [.domain("partner.test")], isAccepted: false),
        Case(
            name: "a listed certificate", header: "From: carol@partner.test", certificate: ["gateway@partner.test"],
            listed: [.certificate(issuer: "CN=Demo CA", serial: "2a")], isAccepted: true),
        Case(
            name: "a listed certificate with another serial number", header: "From: carol@partner.test",
            certificate: ["gateway@partner.test"], listed: [.certificate(issuer: "CN=Demo CA", serial: "2b")],
            isAccepted: false),
    ]

    @Test("accepts the author's own certificate or a listed one, and nothing else", arguments: cases)
    func compare(_ given: Case) throws {
        var policy = Policy.example
        policy.organisationSigners = given.listed
        let message = try Message(reading: OctetString(given.header + "\r\n\r\nbody\r\n"))
        let facts = CMSFacts(
            enclosesContent: false,
            signers: [
                CMSFacts.Signer(
                    digestAlgorithm: "sha-256", addresses: given.certificate, issuer: "CN=Demo CA", serial: "2a",
                    subject: nil, signingTime: nil)
            ])
        switch SignerIdentity.compare(facts, header: message.header, policy: policy) {
        case .author, .organisation: #expect(given.isAccepted)
        case .mismatch(let why):
            #expect(!given.isAccepted)
            #expect(!why.isEmpty)
        }
    }

    @Test(
        "the reported address is the compared one of the certificate",
        arguments: [
            ("alice@example.test", ["other@example.test", "Alice@Example.test"], [], "Alice@Example.test"),
            ("alice@münchen.test", ["alice@xn--mnchen-3ya.test"], [], "alice@xn--mnchen-3ya.test"),
            (
                "alice@example.test", ["x@other.test", "seal@example.test"],
                [OrganisationSigner.domain("example.test")], "seal@example.test"
            ),
            ("alice@example.test", ["eve@evil.test"], [], nil),
        ] as [(String, [String], [OrganisationSigner], String?)])
    func compared(_ from: String, _ addresses: [String], _ listed: [OrganisationSigner], _ told: String?) throws {
        var policy = Policy.example
        policy.organisationSigners = listed
        let signer = CMSFacts.Signer(
            digestAlgorithm: "sha-256", addresses: addresses, issuer: "CN=Demo CA", serial: "2a", subject: nil,
            signingTime: nil)
        let facts = CMSFacts(enclosesContent: false, signers: [signer])
        let identity = SignerIdentity.compare(
            facts, header: try Header(reading: OctetString("From: \(from)\r\n\r\n")), policy: policy)
        #expect(identity.comparedAddress(of: signer) == told)
    }
}
