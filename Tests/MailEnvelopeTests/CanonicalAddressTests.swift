import MailEnvelope
import Testing

@Suite("Addresses of one person")
struct CanonicalAddressTests {
    @Test(
        "spellings of one address are equal",
        arguments: [
            ("Alice@Example.Test", "alice@example.test"), ("alice@münchen.test", "ALICE@XN--MNCHEN-3YA.test"),
            ("JÜRGEN@example.test", "jürgen@example.test"), ("ju\u{308}rgen@example.test", "jürgen@example.test"),
            ("\"a b\"@example.test", "\"A B\"@Example.test"), ("a..b@example.test", "A..b@example.test"),
        ])
    func equal(_ one: String, _ other: String) {
        #expect(CanonicalAddress(one) != nil)
        #expect(CanonicalAddress(one) == CanonicalAddress(other))
    }

    @Test(
        "different addresses stay different",
        arguments: [
            ("alice@example.test", "alise@example.test"), ("\u{212A}ate@example.test", "kate@example.test"),
            ("İrem@example.test", "irem@example.test"), ("alice@münchen.test", "alice@munchen.test"),
            ("alice@example.test\0.evil.test", "alice@example.test"),
        ])
    func different(_ one: String, _ other: String) {
        #expect(CanonicalAddress(one) != CanonicalAddress(other))
    }

    @Test("a text without an address has none", arguments: ["alice", "@example.test", "alice@", ""])
    func none(_ text: String) { #expect(CanonicalAddress(text) == nil) }

    @Test("recipients that differ in the case of the local-part are not the same recipient")
    func recipients() throws {
        let lower = try #require(AddrSpec(localPart: "alice", domain: "münchen.test"))
        let upper = try #require(AddrSpec(localPart: "Alice", domain: "münchen.test"))
        let other = try #require(AddrSpec(localPart: "alice", domain: "XN--MNCHEN-3YA.test"))
        #expect(lower != upper)
        #expect(Set([lower, upper, other]).count == 2)
    }
}
