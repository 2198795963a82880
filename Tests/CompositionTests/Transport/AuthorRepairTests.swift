import Composition
import InternetMessage
import Octets
import Testing

@Suite("A From field that the grammar cannot read, in mail that is signed")
struct AuthorRepairTests {
    private func message(_ from: String) throws -> Message {
        try Message(reading: OctetString("Subject: x\r\n\(from)\r\nTo: b@x.test\r\n\r\nbody\r\n"))
    }

    @Test(
        "a field that mail programs can read is rewritten by the grammar, all else stays unchanged",
        arguments: [
            ("From: Alice <<a@x.test>>", "From: Alice <a@x.test>"),
            ("From: \"Alice <a@x.test>", "From: \"\\\"Alice\" <a@x.test>"),
            ("From: 'a@x.test'", "From: a@x.test"), ("From: <mailto:a@x.test>", "From: a@x.test"),
            ("From: Smith (open\r\n <a@x.test>", "From: \"Smith (open\" <a@x.test>"),
            ("From: J\u{F6}rg <<a@x.test>>", "From: =?utf-8?Q?J=C3=B6rg?= <a@x.test>"),
        ])
    func repaired(_ from: String, _ written: String) throws {
        let rope = try #require(try message(from).withReadableFrom())
        #expect(rope.collected().text == "Subject: x\r\n\(written)\r\nTo: b@x.test\r\n\r\nbody\r\n")
        guard case .one(let author) = Author.of(try Message(reading: rope.collected()).header) else {
            Issue.record("the author is still in doubt: \(written)")
            return
        }
        #expect(author.description == "a@x.test")
    }

    @Test(
        "a field that is correct, or cannot be read, stays unchanged",
        arguments: [
            "From: Alice <a@x.test>", "From: Alice [IT] <a@x.test>", "From: al ice@x.test",
            "From: Smith, Alice <a@x.test>",
            "Sender: a@x.test", "From: <<a@x.test>>\r\nFrom: <<b@x.test>>",
        ])
    func left(_ from: String) throws {
        #expect(try message(from).withReadableFrom()?.collected() == nil)
    }
}
