import InternetMessage
import MailEnvelope
import Octets
import Testing

@Suite("Address lists beyond the grammar")
struct AddressRecoveryTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let body: String
        /// Name and address of each mailbox; `-` for no name.
        let mailboxes: [String]
        let reading: AddressList.Reading
        let unreadable: [String]

        init(
            _ body: String, _ mailboxes: [String], _ reading: AddressList.Reading = .doubtful, unreadable: [String] = []
        ) {
            self.body = body
            self.mailboxes = mailboxes
            self.reading = reading
            self.unreadable = unreadable
        }

        var testDescription: String { body }
    }

    static let plain = [
        Case("Bob [Sales] <b@x.test>, c@x.test", ["Bob [Sales] b@x.test", "- c@x.test"], .plain),
        Case("[EXT] Bob <b@x.test>", ["[EXT] Bob b@x.test"], .plain),
        Case("b@x.test <b@x.test>", ["b@x.test b@x.test"], .plain),
        Case("'b@x.test' <b@x.test>", ["'b@x.test' b@x.test"], .plain),
        Case("a..b@x.test", ["- \"a..b\"@x.test"], .plain),
        Case(".a@x.test", ["- \".a\"@x.test"], .plain),
        Case("Bob <a.@x.test>", ["Bob \"a.\"@x.test"], .plain),
    ]

    static let recovered = [
        Case("boss@corp.test <thief@evil.test>", ["boss@corp.test thief@evil.test"]),
        Case("Bob [Sales, North] <b@x.test>, c@x.test", ["Bob [Sales, North] b@x.test", "- c@x.test"]),
        Case("'Smith, Bob' <b@x.test>, c@x.test", ["'Smith, Bob' b@x.test", "- c@x.test"]),
        Case("\u{201C}Smith, Bob\u{201D} <b@x.test>", ["\u{201C}Smith, Bob\u{201D} b@x.test"]),
        Case("'b@x.test', c@x.test", ["- b@x.test", "- c@x.test"]),
        Case("<'b@x.test'>", ["- b@x.test"]),
        Case("\"b@x.test\"", ["- b@x.test"]),
        Case("\"Bob <b@x.test>\"", ["Bob b@x.test"]),
        Case("'Bob <b@x.test>'", ["'Bob b@x.test"]),
        Case("[b@x.test]", ["- b@x.test"]),
        Case("Bob <<b@x.test>>, c@x.test", ["Bob b@x.test", "- c@x.test"]),
        Case("Bob <<b@x.test>", ["Bob b@x.test"]),
        Case("<mailto:b@x.test>", ["- b@x.test"]),
        Case("Bob <MAILTO:b@x.test?subject=x>", ["Bob b@x.test"]),
        Case("mailto:b@x.test, c@x.test", ["- b@x.test", "- c@x.test"]),
        Case("SMTP:b@x.test", ["- b@x.test"]),
        Case("Bob [mailto:b@x.test] <b@x.test>", ["Bob [mailto:b@x.test] b@x.test"]),
        Case("b@x.test., c@x.test", ["- b@x.test", "- c@x.test"]),
        Case("<b@x.test.>", ["- b@x.test"]),
        Case("Bob <b@x.test", ["Bob b@x.test"]),
        Case("Bob b@x.test>, c@x.test", ["- c@x.test"], unreadable: ["Bob b@x.test>"]),
        Case("b@x.test>, c@x.test", ["- b@x.test", "- c@x.test"]),
        Case("\"Bob <b@x.test>, c@x.test", ["\"Bob b@x.test", "- c@x.test"]),
        Case("Bob \"The Man <b@x.test>, c@x.test", ["Bob \"The Man b@x.test", "- c@x.test"]),
        Case(
            "\"Bob\" Smith\" <b@x.test>, \"Carl, C.\" <c@x.test>", ["Bob\" Smith b@x.test", "Carl, C. c@x.test"]),
        Case("Bob (Sales <b@x.test>, c@x.test", ["Bob (Sales b@x.test", "- c@x.test"]),
        Case("(Sales <b@x.test>, c@x.test", ["(Sales b@x.test", "- c@x.test"]),
        Case("b@x.test (Bob, c@x.test", ["- b@x.test", "- c@x.test"]),
        Case("(b@x.test, c@x.test", ["- b@x.test", "- c@x.test"]),
        Case("a@x.test; b@y.test", ["- a@x.test", "- b@y.test"]),
        Case("group: a@x.test, b@y.test", ["- a@x.test", "- b@y.test"]),
        Case("Team [A]: a@x.test, b@y.test;", ["- a@x.test", "- b@y.test"]),
        Case("g1: g2: a@x.test;;", ["- a@x.test"]),
        Case("<a@x.test, b@y.test", ["- a@x.test", "- b@y.test"]),
        Case("a@x.test <b@y.test", ["a@x.test b@y.test"]),
        Case("Bob <CEO> <b@x.test>", ["Bob <CEO> b@x.test"]),
        Case("a@x.test\u{0}, b@y.test", ["- a@x.test", "- b@y.test"]),
        Case("\u{202A}b@x.test\u{202C}, c@x.test", ["- b@x.test", "- c@x.test"]),
        Case("<\u{200B}b@x.test>", ["- b@x.test"]),
        Case("b@x.test\u{A0}, \u{FEFF}c@x.test", ["- b@x.test", "- c@x.test"]),
        Case("undisclosed recipients", []),
        Case("Undisclosed-Recipients, b@x.test", ["- b@x.test"]),
        Case("<Undisclosed-Recipient:;>", []),
    ]

    static let unreadable = [
        Case("root, c@x.test", ["- c@x.test"], unreadable: ["root"]),
        Case("<root>", [], unreadable: ["<root>"]),
        Case("Smith, Bob <b@x.test>", ["Bob b@x.test"], unreadable: ["Smith"]),
        Case("Sales Team, c@x.test", ["- c@x.test"], unreadable: ["Sales Team"]),
        Case("Bob <>, c@x.test", ["- c@x.test"], unreadable: ["Bob <>"]),
        Case("<>", [], unreadable: ["<>"]),
        Case("nobody", [], unreadable: ["nobody"]),
        Case("al ice@x.test", [], unreadable: ["al ice@x.test"]),
        Case("Bob b@x.test, c@x.test", ["- c@x.test"], unreadable: ["Bob b@x.test"]),
        Case("a@x.test b@y.test", [], unreadable: ["a@x.test b@y.test"]),
        Case("<a@x.test> <b@y.test>", [], unreadable: ["<a@x.test> <b@y.test>"]),
        Case("Bob <b@x.test> c@x.test", [], unreadable: ["Bob <b@x.test> c@x.test"]),
        Case("(b@x.test), c@x.test", ["- c@x.test"], unreadable: ["(b@x.test)"]),
        Case("a@b@c.test", [], unreadable: ["a@b@c.test"]),
        Case("=?utf-8?Q?bob?=@x.test, c@x.test", ["- c@x.test"], unreadable: ["=?utf-8?Q?bob?=@x.test"]),
        Case("Bob <=?utf-8?B?Ym9i?=@x.test>", [], unreadable: ["Bob <=?utf-8?B?Ym9i?=@x.test>"]),
        Case("a@x..test", [], unreadable: ["a@x..test"]),
        Case("a@x.test'", [], unreadable: ["a@x.test'"]),
        Case("b\u{200B}ob@x.test", [], unreadable: ["b\u{200B}ob@x.test"]),
        Case("a@", [], unreadable: ["a@"]),
        Case("@x.test", [], unreadable: ["@x.test"]),
        Case("a@x\u{2028}.test, c@x.test", ["- c@x.test"], unreadable: ["a@x\u{2028}.test"]),
        Case("a@x.test\rb@y.test", [], unreadable: ["a@x.test\rb@y.test"]),
        Case("a@[192.0.2.1", [], unreadable: ["a@[192.0.2.1"]),
        Case("\"a\u{1}b\"@x.test", [], unreadable: ["\"a\u{1}b\"@x.test"]),
        Case("=?utf-8?q?Bob_=3Cb=40x=2Etest=3E?=", [], unreadable: ["=?utf-8?q?Bob_=3Cb=40x=2Etest=3E?="]),
    ]

    @Test(
        "each element is read as mail readers read it, or its text is told", arguments: plain + recovered + unreadable)
    func elements(_ given: Case) {
        let list = AddressList(parsing: given.body)
        #expect(list.mailboxes.map { "\($0.displayName ?? "-") \($0.address)" } == given.mailboxes)
        #expect(list.reading == given.reading)
        #expect(list.unreadable == given.unreadable)
    }

    @Test(
        "every at sign of a list is in a mailbox or in what cannot be read", arguments: plain + recovered + unreadable)
    func nothingIsDropped(_ given: Case) {
        let list = AddressList(parsing: "first@x.test, " + given.body + ", last@x.test")
        #expect(list.mailboxes.contains { $0.address.description == "first@x.test" })
        let told = list.mailboxes.map(\.address.description) + list.unreadable
        #expect(told.contains { $0.contains("last@x.test") })
    }

    @Test("a field of nothing but faults is read in proportion to its length", .timeLimit(.minutes(1)))
    func hostile() {
        for piece in [
            "\"a,", "(a,", "a\" <b@x.test>, \"", "[a <", "<<<", "a <b@x.test> ", "(((", "\"(<,", "'a, b' ", ":;",
        ] {
            let list = AddressList(parsing: String(repeating: piece, count: 200_000 / piece.utf8.count))
            #expect(!list.isWellFormed)
        }
    }

    @Test(
        "an address alone may be written as anybody writes it",
        arguments: [
            ("b@x.test", "b@x.test"), (" <b@x.test> ", "b@x.test"), ("'b@x.test'", "b@x.test"),
            ("a..b@x.test", "\"a..b\"@x.test"),
            ("b@x.test.", "b@x.test"), ("Bob <b@x.test>", "b@x.test"), ("root", nil), ("", nil),
            ("a@x.test, b@x.test", nil),
            ("a\r\n@x.test", nil), ("a@x\u{2028}.test", nil), ("<>", nil),
        ])
    func alone(_ text: String, _ address: String?) {
        #expect(AddrSpec(reading: text)?.description == address)
    }

    @Test(
        "local names of the null sender stand for it, other names without a domain for nobody",
        arguments: [
            ("MAILER-DAEMON", ReversePath.null), ("<mailer-daemon>", .null), ("<>", .null), ("double-bounce", .null),
            ("#@[]", .null),
            ("FETCHMAIL-DAEMON", .null), ("<#@[]>", .null), ("root", nil), ("", nil), ("postmaster", nil),
            ("<root>", nil),
        ])
    func nullSenders(_ text: String, _ path: ReversePath?) {
        #expect(ReversePath(reading: text) == path)
    }

    @Test("a bounce sender with a domain is an address like any other")
    func qualifiedBounceSender() throws {
        let address = try #require(AddrSpec(parsing: "MAILER-DAEMON@x.test"))
        #expect(ReversePath(reading: "<MAILER-DAEMON@x.test>") == .address(address))
    }
}

@Suite("The author of a message")
struct AuthorTests {
    private func author(_ from: String) throws -> Author {
        Author.of(try Header(reading: OctetString("From: " + from + "\r\n\r\n")))
    }

    @Test(
        "an address that nobody takes for another is the author's",
        arguments: [
            "Carol <c@x.test>", "Carol [IT] <c@x.test>", "c@x.test <c@x.test>", "C@X.test <c@x.test>",
            "'c@x.test' <c@x.test>",
            "\"c@x.test\" <c@x.test>", "\"'c@x.test'\" <c@x.test>", "c@x.test (c@x.test)", "[c@x.test] <c@x.test>",
            "Carol (c@x.test) <c@x.test>", "\"Carol @ Home\" <c@x.test>", "\"Carol, c@x.test.\" <c@x.test>",
            "=?utf-8?q?c=40x.test?= <c@x.test>", "\"Jobs@Acme\" <c@x.test>",
        ])
    func one(_ from: String) throws {
        guard case .one(let address) = try author(from) else {
            Issue.record("\(try author(from))")
            return
        }
        #expect(address.description == "c@x.test")
    }

    @Test(
        "the written form of an odd local-part is no other address",
        arguments: [
            ("o'brien@x.test", "o'brien@x.test"), ("_c_ <_c_@x.test>", "_c_@x.test"), ("a/b@x.test", "a/b@x.test"),
            ("\"a b\"@x.test", "\"a b\"@x.test"), ("a..b@x.test", "\"a..b\"@x.test"), ("{c}@x.test", "{c}@x.test"),
            ("c@münchen.test <c@xn--mnchen-3ya.test>", "c@xn--mnchen-3ya.test"),
        ])
    func odd(_ from: String, _ address: String) throws {
        guard case .one(let found) = try author(from) else {
            Issue.record("\(try author(from))")
            return
        }
        #expect(found.description == address)
    }

    @Test(
        "an author who is shown as another, or who may be read as another, is none",
        arguments: [
            "boss@x.test <c@x.test>", "\"boss@x.test\" <c@x.test>", "'boss@x.test' <c@x.test>",
            "[boss@x.test] <c@x.test>",
            "c@x.test (boss@x.test)", "Boss (boss@x.test) <c@x.test>", "\"Boss, boss@x.test\" <c@x.test>",
            "=?utf-8?q?boss=40x.test?= <c@x.test>", "=?utf-8?b?Ym9zc0B4LnRlc3Q=?= <c@x.test>",
            "\"boss\u{FF20}x.test\" <c@x.test>", "\"bo\u{200B}ss@x.test\" <c@x.test>",
            "\"boss@x\u{3002}test\" <c@x.test>", "\"\u{202E}tset.x@ssob\" <c@x.test>", "Boss\u{202D} <c@x.test>",
            "<<c@x.test>>", "c@x.test, boss@x.test", "c@x.test, Boss", "Boss <boss@x.test> <c@x.test>",
            "c@x.test <boss@x.test",
            "\"open <c@x.test>", "Boss (open <c@x.test>", "'c@x.test'", "c@x.test.", "Boss", "", "boss@bank <c@x.test>",
            "Boss: <c@x.test>, x;",
        ])
    func none(_ from: String) throws {
        guard case .none = try author(from) else {
            Issue.record("\(try author(from))")
            return
        }
    }
}
