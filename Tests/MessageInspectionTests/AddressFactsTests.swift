import InternetMessage
import Testing
import Workflows

@testable import MessageInspection

@Suite("Addresses, Subject and envelope")
struct AddressFactsTests {
    private func words(_ addresses: [NamedAddress]) -> [String] {
        addresses.map { ($0.displayName.map { $0 + " " } ?? "") + $0.address.description }
    }

    @Test("display names are decoded (RFC 2047), also in other charsets")
    func names() throws {
        let facts = try facts(
            """
            From: =?utf-8?q?J=C3=B6rg?= <j@x.test>
            To: =?iso-2022-jp?B?GyRCRnxLXBsoQg==?= <n@x.test>, "Plain, Name" <p@x.test>, q@x.test
            Cc: =?ks_c_5601-1987?B?x9E=?= <k@x.test>
            Cc: Group: a@x.test, b@x.test;
            Subject:  =?utf-8?B?UmVjaG51bmc=?=
              =?utf-8?Q?_=C3=BC?= x

            text
            """)
        #expect(words(facts.from) == ["Jörg j@x.test"])
        #expect(words(facts.to) == ["日本 n@x.test", "Plain, Name p@x.test", "q@x.test"])
        #expect(words(facts.cc) == ["한 k@x.test", "a@x.test", "b@x.test"])
        #expect(facts.subject == "Rechnung ü x")
    }

    @Test("several From fields are all seen")
    func severalFrom() throws {
        let facts = try facts("From: a@x.test\nFrom: b@x.test, c@x.test\n\ntext\n")
        #expect(words(facts.from) == ["a@x.test", "b@x.test", "c@x.test"])
    }

    @Test("BCC has the field's addresses, and the envelope's that To and Cc do not name")
    func blindCopies() throws {
        let facts = try facts(
            "To: a@x.test\nCc: b@x.test\nBcc: c@x.test\n\ntext\n",
            recipients: ["A@X.test", "b@x.test", "c@x.test", "d@x.test", "d@x.test", "e@x.test"])
        #expect(words(facts.bcc) == ["c@x.test", "d@x.test", "e@x.test"])
    }

    @Test("nothing is invented if there is nothing")
    func absent() throws {
        let facts = try facts("X: y\n\ntext\n")
        #expect(facts.to.isEmpty && facts.cc.isEmpty && facts.from.isEmpty && facts.bcc.isEmpty)
        #expect(facts.subject == nil)
        #expect(try MessageInspectionTests.facts("Subject:\n\ntext\n").subject == "")
    }

    @Test("the null sender is a value, and different from an unknown one")
    func nullSender() throws {
        #expect(try facts("X: y\n\n", sender: .null).hasNullSender)
        #expect(try !facts("X: y\n\n", sender: nil).hasNullSender)
        let address = try #require(AddrSpec(parsing: "a@x.test"))
        #expect(try !facts("X: y\n\n", sender: .address(address)).hasNullSender)
    }
}
