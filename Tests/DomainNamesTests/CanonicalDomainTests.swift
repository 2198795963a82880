import DomainNames
import Testing

@Suite("Domain names in one form (RFC 5890, RFC 5891, UTS 46)")
struct CanonicalDomainTests {
    @Test(
        "two spellings of one domain are equal",
        arguments: [
            ("Example.TEST", "example.test"), ("example.test.", "example.test"),
            ("münchen.test", "xn--mnchen-3ya.test"), ("MÜNCHEN.Test", "XN--Mnchen-3YA.test"),
            ("mu\u{308}nchen.test", "münchen.test"), ("ｍünchen。test", "münchen.test"),
            ("mail.bücher.example", "mail.xn--bcher-kva.example"),
            ("пример.испытание", "xn--e1afmkfd.xn--80akhbyknj4f"),
            ("例え.テスト", "xn--r8jz45g.xn--zckzah"), ("straße.test", "xn--strae-oqa.test"),
            ("mün\u{AD}chen.test", "münchen.test"), ("_dmarc.münchen.test", "_dmarc.xn--mnchen-3ya.test"),
            ("☃.münchen.test", "☃.xn--mnchen-3ya.test"), ("[IPv6:2001:DB8::1]", "[ipv6:2001:db8::1]"),
        ])
    func equal(_ one: String, _ other: String) {
        #expect(CanonicalDomain(one) == CanonicalDomain(other))
        #expect(CanonicalDomain(one).hashValue == CanonicalDomain(other).hashValue)
    }

    @Test(
        "different domains stay different",
        arguments: [
            ("example.test", "example.tes"), ("straße.test", "strasse.test"), ("münchen.test", "munchen.test"),
            ("münchen.test", "mnchen.test"), ("xn--mnchen-3ya.test", "xn--mnchen-3yb.test"),
            // Cyrillic а
            ("pаypal.test", "paypal.test"),
            // A-labels that no U-label has: the first decodes to a capital letter, the second to ASCII alone
            ("xn--Mnchen-1xa.test", "münchen.test"), ("xn--example-.test", "example.test"),
            // A C string ends at a NUL
            ("münchen.test\0.evil.test", "münchen.test"), ("münchen\0x.test", "münchen.test"),
            ("example.test\0", "example.test"), (".test", "test"), ("a..test", "a.test"),
        ])
    func different(_ one: String, _ other: String) {
        #expect(CanonicalDomain(one) != CanonicalDomain(other))
    }

    @Test(
        "a domain is below its parents only",
        arguments: [
            ("mail.münchen.test", "xn--mnchen-3ya.test", true), ("a.b.MÜNCHEN.test", "münchen.test", true),
            ("münchen.test", "münchen.test", false), ("xmünchen.test", "münchen.test", false),
            ("evilexample.test", "example.test", false), ("mail.example.test", "Example.TEST", true),
        ])
    func below(_ child: String, _ parent: String, _ expected: Bool) {
        #expect(CanonicalDomain(child).isBelow(CanonicalDomain(parent)) == expected)
    }

    @Test("the name has A-labels, and the Unicode name U-labels")
    func forms() {
        let domain = CanonicalDomain("Mail.BÜCHER.example")
        #expect(domain.name == "mail.xn--bcher-kva.example")
        #expect(domain.unicodeName == "mail.bücher.example")
        #expect(domain.isASCII)
        #expect(!CanonicalDomain("☃.test").isASCII)
        #expect(CanonicalDomain("xn--mnchen-3yb.test").unicodeName != "münchen.test")
        #expect(CanonicalDomain("xn--.test").unicodeName == "xn--.test")
    }

    @Test("a label of a megabyte is kept as it is")
    func long() {
        let label = String(repeating: "ü", count: 500_000)
        #expect(CanonicalDomain(label + ".test").name == label + ".test")
    }
}
