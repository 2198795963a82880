import CMSSignatures
import Testing

@Suite("Certificates that may sign (RFC 5280 §4.1.2.5, RFC 8550 §4.4)")
struct CertificateFitnessTests {
    private static let now = 1_800_000_000
    private static let day = 86_400

    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        var issued: DemoAuthority.Use = .mail(address: "alice@example.test")
        /// Days from now.
        var validity = -10...10
        var use: CertificateUse = .mail
        /// Words of the reason; nil where there is none.
        let reason: String?
        var testDescription: String { name }
    }

    static let cases = [
        Case(name: "a certificate for mail signs mail", reason: nil),
        Case(name: "a certificate for mail signs a document", use: .document, reason: nil),
        Case(name: "a certificate without purposes signs mail", issued: .document, reason: nil),
        Case(name: "an expired certificate", validity: -10 ... -1, reason: "expired on 2027-01-14T08:00:00Z"),
        Case(
            name: "an expired certificate for a document", validity: -10 ... -1, use: .document,
            reason: "expired on 2027-01-14T08:00:00Z"),
        Case(name: "a future certificate", validity: 1...10, reason: "is not valid before 2027-01-16T08:00:00Z"),
        Case(
            name: "a TLS server's certificate for mail", issued: .server(host: "mail.example.test"),
            reason: "does not allow e-mail protection"),
        Case(
            name: "a TLS server's certificate for a document", issued: .server(host: "mail.example.test"),
            use: .document, reason: "that of a service"),
        Case(name: "a TLS client's certificate for mail", issued: .client, reason: "does not allow e-mail protection"),
    ]

    @Test("only a certificate that somebody can accept has no obstacle", arguments: cases)
    func obstacle(_ given: Case) throws {
        func time(_ days: Int) -> Int { Self.now + days * Self.day }
        let validity = time(given.validity.lowerBound)...time(given.validity.upperBound)
        let authority = try DemoAuthority(commonName: "Authority", validity: time(-100)...time(100))
        let key = try authority.issue(commonName: "Alice", for: given.issued, validity: validity)
        let obstacle = key.certificate.obstacle(toSigning: given.use, at: Self.now)
        if let reason = given.reason {
            #expect(obstacle?.contains(reason) == true, "\(obstacle ?? "no obstacle")")
        } else {
            #expect(obstacle == nil)
        }
    }

    @Test("a certificate that begins a minute from now is not refused, and one that ended a second ago is")
    func clocks() throws {
        let authority = try DemoAuthority(commonName: "Authority", validity: Self.now - 100...Self.now + 1_000)
        func obstacle(_ validity: ClosedRange<Int>) throws -> String? {
            try authority.issue(commonName: "Alice", for: .document, validity: validity).certificate
                .obstacle(toSigning: .document, at: Self.now)
        }
        #expect(try obstacle(Self.now + 60...Self.now + 1_000) == nil)
        #expect(try obstacle(Self.now - 100...Self.now) == nil)
        #expect(try obstacle(Self.now - 100...Self.now - 1) != nil)
        #expect(try obstacle(Self.now + 301...Self.now + 1_000) != nil)
    }
}
