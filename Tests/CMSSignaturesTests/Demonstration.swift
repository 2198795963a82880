import CMSSignatures
import Octets

/// A CA and keys that the tests of this target share; made once.
struct Demonstration: Sendable {
    static let year = 365 * 86_400
    /// The tests' own present, so that no clock is asked.
    static let now = 1_800_000_000

    let authority: DemoAuthority
    let alice: SigningKey
    /// Valid from two years to one year before ``now``.
    let expired: SigningKey
    let documents: SigningKey
    /// Issued by a CA that nobody trusts.
    let stranger: SigningKey
    let client: SigningKey

    static let shared: Result<Demonstration, CryptographyError> = {
        do throws(CryptographyError) { return .success(try Demonstration()) } catch { return .failure(error) }
    }()

    private init() throws(CryptographyError) {
        let validity = Self.now - 3 * Self.year...Self.now + Self.year
        authority = try DemoAuthority(commonName: "Tests", validity: validity)
        let alice = DemoAuthority.Use.mail(address: "alice@example.test")
        self.alice = try authority.issue(commonName: "Alice", for: alice, validity: validity)
        expired = try authority.issue(
            commonName: "Alice", for: alice, validity: Self.now - 2 * Self.year...Self.now - Self.year)
        documents = try authority.issue(commonName: "Documents, \"Ltd\"", for: .document, validity: validity)
        stranger = try DemoAuthority(commonName: "Nobody", validity: validity)
            .issue(commonName: "Alice", for: alice, validity: validity)
        client = try authority.issue(commonName: "Client", for: .client, validity: validity)
    }

    var policy: TrustPolicy { TrustPolicy(anchors: [authority.certificate]) }
}
