import Composition
import InternetMessage
import Octets
import Testing

@Suite("Differences between readers are repaired before signing")
struct StructuralRepairTests {
    /// Lines with LF; CRLF is put in.
    private func repaired(_ text: String) throws -> Message {
        let message = try Given.message(text)
        return try Message(reading: try StructuralRepair.applied(to: message, token: "token").collected())
    }

    struct Case: CustomTestStringConvertible, Sendable {
        let what: String
        let mail: String
        /// Type and body of each leaf.
        let leaves: [[String]]
        var testDescription: String { what }
    }

    static let base64Message = "RnJvbTogYkB5LnRlc3QKU3ViamVjdDogaW5uZXIKCmluc2lkZQo="
    static let base64Multipart = "LS1pCkNvbnRlbnQtVHlwZTogdGV4dC9odG1sCgpvbmUKLS1pLS0K"
    static let head = "From: a@x.test\nMIME-Version: 1.0\n"

    static let cases: [Case] = [
        Case(
            what: "a blank before a colon", mail: head + "X-Foo : bar\nContent-Type: text/plain\n\nx\n",
            leaves: [["text/plain", "x\r\n"]]),
        Case(
            what: "a type without a subtype", mail: head + "Content-Type: text; charset=utf-8\n\nx\n",
            leaves: [["text/plain", "x\r\n"]]),
        Case(
            what: "a multipart under base64",
            mail: head
                + "Content-Type: multipart/mixed; boundary=i\nContent-Transfer-Encoding: base64\n\n\(base64Multipart)\n",
            leaves: [["text/html", "one"]]),
        Case(
            what: "a multipart that only claims an encoding",
            mail: head
                + "Content-Type: multipart/mixed; boundary=i\nContent-Transfer-Encoding: quoted-printable\n\n--i\n\na=20b\n--i--\n",
            leaves: [["text/plain", "a=20b"]]),
        Case(
            what: "a parameter in comments, twice, and in special characters",
            mail: head
                + "Content-Type: multipart/mixed (;boundary=c;); boundary=b=x; boundary=y\n\n--c\n\nno\n--b=x\n\none\n--b=x--\n",
            leaves: [["text/plain", "one"]]),
        Case(
            what: "a line that begins with a boundary",
            mail: head
                + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b and more\ntwo\n--b--\n--b\n\nno\n",
            leaves: [["text/plain", "one\r\n--b and more\r\ntwo"]]),
        Case(
            what: "the same boundary within",
            mail: head
                + "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n--b--\n",
            leaves: [["text/plain", "one"]]),
        Case(
            what: "damaged base64",
            mail: head + "Content-Type: application/x\nContent-Transfer-Encoding: base64\n\nb25l*\n",
            leaves: [["application/x", "one"]]),
        Case(
            what: "two file names", mail: head + "Content-Type: application/x; name=a.txt; name=b.exe\n\nx\n",
            leaves: [["application/x", "x\r\n"]]),
        Case(
            what: "no version",
            mail: "From: a@x.test\nContent-Type: multipart/mixed; boundary=b\n\nbefore\n--b\n\none\n--b--\n",
            leaves: [["text/plain", "one"]]),
    ]

    @Test("all readers divide a repaired mail as it was read here", arguments: cases)
    func repair(_ given: Case) throws {
        let before = try Given.message(given.mail)
        let last = before.root.walk().last ?? before.root
        #expect(
            before.differingReadings + before.structuralDoubts(at: last.path) != [] || last.transferEncodingFault != nil
        )
        let message = try repaired(given.mail)
        #expect(message.differingReadings == [])
        let leaves = message.root.walk().filter { $0.children.isEmpty }
        #expect(leaves.map { [$0.contentType.mediaType, $0.decodedBody.text] } == given.leaves)
        #expect(leaves.allSatisfy { message.structuralDoubts(at: $0.path).isEmpty && $0.transferEncodingFault == nil })
    }

    @Test("a message under base64 becomes one that can be read")
    func encodedMessage() throws {
        let message = try repaired(
            Self.head + "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n"
                + "Content-Transfer-Encoding: base64\nContent-Disposition: attachment\n\n\(Self.base64Message)\n--b--\n"
        )
        let part = try #require(message.root.children.first)
        #expect(part.disposition?.type == "attachment" && part.transferEncoding == .sevenBit)
        #expect(part.children.first?.header.first("Subject")?.text == "inner")
        #expect(part.children.first?.body.text == "inside\r\n")
        #expect(message.differingReadings == [])
    }

    @Test("other fields, parts and names stay")
    func rest() throws {
        let message = try repaired(
            Self.head
                + "X-Foo : bar\n baz\nSubject: =?utf-8?Q?=C3=A4?=\nContent-Type: multipart/mixed; boundary=b\n\npreamble\n--b\n"
                + "Content-Type: application/x; name*=utf-8''%C3%A4.txt\nContent-ID: <1@x.test>\n\none\n--b--\n")
        #expect(message.header.fields.map(\.name) == ["From", "MIME-Version", "X-Foo", "Subject", "Content-Type"])
        #expect(message.header.first("X-Foo")?.text == "bar baz")
        let part = try #require(message.root.children.first)
        #expect(part.contentType.parameter("name")?.text == "ä.txt")
        #expect(part.header.first("Content-ID")?.text == "<1@x.test>")
    }

    @Test("a signed part keeps its octets")
    func protected() throws {
        let part =
            "Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=s\n\n--s\n\none\n--s \n\nsig\n--s--"
        let message = try repaired(
            Self.head + "X : y\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\(part)\n--b--\n")
        #expect(message.root.children.first?.body.text.contains("--s\r\n\r\none\r\n--s \r\n\r\nsig\r\n--s--") == true)
        #expect(message.differingReadings != [], "so it is not signed")
    }

    @Test(
        "a part with a header line that is not a field is refused",
        arguments: ["no field\n", " continued\n", "X y: z\n"])
    func lineWithoutField(_ line: String) throws {
        let mail =
            Self.head
            + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\(line)Content-Type: text/html\n\none\n--b--\n"
        #expect(throws: CompositionError.self) { try repaired(mail) }
    }
}
