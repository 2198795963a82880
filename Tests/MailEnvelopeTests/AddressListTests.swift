import MailEnvelope
import Octets
import Testing

@Suite("Address lists (RFC 5322 §3.4, §4.4; RFC 6532)")
struct AddressListTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let body: String
        /// Name and address of each mailbox; `-` for no name.
        let mailboxes: [String]

        init(_ body: String, _ mailboxes: [String]) {
            self.body = body
            self.mailboxes = mailboxes
        }

        var testDescription: String { body }
    }

    static let wellFormed = [
        Case("joe@example.org", ["- joe@example.org"]),
        Case("<joe@example.org>", ["- joe@example.org"]),
        Case("Joe Q. Public <john.q.public@example.com>", ["Joe Q. Public john.q.public@example.com"]),
        Case(#""Giant; \"Big\" Box" <sysservices@example.net>"#, [#"Giant; "Big" Box sysservices@example.net"#]),
        Case(
            "Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
            ["Mary Smith mary@x.test", "- jdoe@example.org", "Who? one@y.test"]),
        Case(
            "A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
            ["Ed Jones c@a.test", "- joe@where.test", "John jdoe@one.test"]),
        Case("Undisclosed recipients:;", []),
        Case("", []),
        Case("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", ["Pete pete@silly.test"]),
        Case(
            "A Group(Some people)\r\n  :Chris Jones <c@(Chris's host.)public.example>,\r\n joe@example.org,\r\n"
                + " John <jdoe@one.test> (my dear friend); (the end of the group)",
            ["Chris Jones c@public.example", "- joe@example.org", "John jdoe@one.test"]),
        Case(
            "Mary Smith <@node.test,@other.test:mary@example.net>, , jdoe@test  . example",
            ["Mary Smith mary@example.net", "- jdoe@test.example"]),
        Case("john . doe @ example.org", ["- john.doe@example.org"]),
        Case(#""john doe"@example.org"#, [#"- "john doe"@example.org"#]),
        Case("user@[192.0.2.1]", ["- user@[192.0.2.1]"]),
        Case("smtp@example.org (Simple Mail)", ["Simple Mail smtp@example.org"]),
        Case("((a(b)c)) x@y.test", ["- x@y.test"]),
        Case("用户 <用户@例え.test>", ["用户 用户@例え.test"]),
        Case("=?utf-8?q?J=C3=B6rg?= <j@example.org>", ["=?utf-8?q?J=C3=B6rg?= j@example.org"]),
        Case(#""a, b" <a@example.org>, "c@d" <c@example.org>"#, ["a, b a@example.org", "c@d c@example.org"]),
    ]

    @Test("finds every mailbox of a list that the grammar allows", arguments: wellFormed)
    func mailboxes(_ given: Case) {
        let list = AddressList(parsing: given.body)
        #expect(list.mailboxes.map { "\($0.displayName ?? "-") \($0.address)" } == given.mailboxes)
        #expect(list.isWellFormed && list.unreadable.isEmpty)
    }

    @Test("an address whose octets are no UTF-8 is not taken")
    func notUTF8() {
        let list = AddressList(parsing: OctetString([0x61, 0xE9] + Array("@x.test, b@x.test".utf8)))
        #expect(list.mailboxes.map(\.address.description) == ["b@x.test"])
        #expect(list.unreadable == ["a\u{FFFD}@x.test"])
    }

    @Test(
        "an addr-spec alone is read strictly",
        arguments: [
            "a@b.test", "a.b+c@b.test", "\"a b\"@b.test", "a@[IPv6:2001:db8::1]", "ü@ü.test",
            "a@under_score.test", "a@نامه\u{200C}ای.test",
        ])
    func addrSpec(_ text: String) throws {
        #expect(try #require(AddrSpec(parsing: text)).description == text)
    }

    @Test(
        "what is more or less than an addr-spec is none",
        arguments: [
            "", "a", "a@", "@b", " a@b.test", "a@b.test ", "a@b.test,", "a@b.test(c)", "<a@b.test>", "a b@c.test",
            "a@b@c",
            "a..b@c.test", "a@.b", "a@b.", "a@b\u{2028}c.test", "a@b\u{2029}.test", "a@b\u{85}.test",
            "a@\u{202E}b.test",
            "a@b\u{A0}c.test", "a@b\u{200B}.test", "a@b\u{FEFF}.test", "a@b\u{FF20}c.test", "a@b'", "a@b!c", "a@[]",
            "a@[b]c",
            "a\u{2028}b@c.test", "a\u{85}@c.test", "a@[b", "\"a@b.test", "a@b.test\r\n", "a\r\n@b.test",
            "\"a\r\nRCPT\"@b.test",
        ])
    func noAddrSpec(_ text: String) {
        #expect(AddrSpec(parsing: text) == nil)
    }

    @Test("a local-part that is no dot-atom is quoted, also where a letter combines with the quote or the dot")
    func quoting() {
        let accent = "\u{301}"
        let cases = [
            ("a\"" + accent + "b", "\"a\\\"" + accent + "b\""), ("." + accent + "a", "\"." + accent + "a\""),
            ("a\\b", "\"a\\\\b\""), ("a..b", "\"a..b\""), ("a.b", "a.b"),
        ]
        for (localPart, written) in cases {
            let address = AddrSpec(localPart: localPart, domain: "x.test")
            #expect(address.map { Array($0.description.utf8) } == Array((written + "@x.test").utf8))
        }
    }

    @Test("domains are compared without case, local-parts by their octets")
    func equality() {
        #expect(AddrSpec(parsing: "a@X.test") == AddrSpec(parsing: "a@x.TEST"))
        #expect(AddrSpec(parsing: "A@x.test") != AddrSpec(parsing: "a@x.test"))
        let composed = AddrSpec(parsing: "\u{E9}@x.test")
        let combined = AddrSpec(parsing: "e\u{301}@x.test")
        #expect(composed != nil && combined != nil && composed != combined)
    }

    @Test("a reverse-path is an address or the null sender")
    func reversePaths() throws {
        let address = try #require(AddrSpec(parsing: "a@b.test"))
        #expect(ReversePath(parsing: "<a@b.test>") == .address(address))
        #expect(ReversePath(parsing: "a@b.test") == .address(address))
        #expect(ReversePath(parsing: "<>") == .null)
        for text in ["", "<", ">", "<a@b.test", "a@b.test>", "<<a@b.test>>", "<> ", "<@x:a@b.test>"] {
            #expect(ReversePath(parsing: text) == nil)
        }
    }
}
