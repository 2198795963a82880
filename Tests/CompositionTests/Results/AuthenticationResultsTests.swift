import Composition
import Testing

@Suite("Identifiers in Authentication-Results (RFC 8601 §2.2)")
struct AuthenticationResultsTests {
    @Test(
        "an address is written as an address, anything else as a quoted string",
        arguments: [
            ("alice@example.test", "alice@example.test"), ("o'brien@example.test", "o'brien@example.test"),
            ("a/b=c@example.test", "a/b=c@example.test"), ("a..b@example.test", "\"a..b@example.test\""),
            ("\"a b\"@example.test", "\"a b\"@example.test"), ("alice@münchen.test", "alice@xn--mnchen-3ya.test"),
            ("alice@[192.0.2.1]", "\"alice@[192.0.2.1]\""), ("CN=Alice, O=x", "\"CN=Alice, O=x\""),
            ("a@b.test; smime=pass", "\"a@b.test; smime=pass\""),
        ])
    func identifier(_ given: String, _ written: String) {
        let field = AuthenticationResults(
            authservID: "ses.example.test", result: .pass, reason: nil, signers: [.init(identifier: given)]
        ).field.replacing("\r\n", with: "")
        #expect(field.hasSuffix("body.smime-identifier=" + written))
    }
}
