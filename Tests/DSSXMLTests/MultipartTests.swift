import DSSProtocol
import DSSXML
import Octets
import TestSupport
import Testing

@Suite("Multipart answers (RFC 2387, XOP)")
struct MultipartTests {
    static let pdf = Array("%PDF-1.7\n\r\n--bx\r\n-\r\n".utf8) + (0...255).map { UInt8($0) }

    @Test("give the attachment that an xop:Include names", arguments: [1, 2, 5, 4096])
    func include(size: Int) {
        let outcome = read(
            answer(root: Self.root(include: "cid:doc%2B1@x"), attachments: [("doc+1@x", "binary", Self.pdf)]),
            size: size)
        guard case .signed(.document(let octets)) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(octets.array == Self.pdf)
    }

    @Test("are read with the attachment before the root part, and with an attachment in base64")
    func order() {
        let body = answer(
            root: Self.root(include: "cid:a"), attachments: [("a", "base64", Array(Base64.encode(Self.pdf).utf8))],
            rootFirst: false)
        guard case .signed(.document(let octets)) = read(body, start: "<root@x>") else {
            Issue.record("\(read(body))")
            return
        }
        #expect(octets.array == Self.pdf)
    }

    @Test("are read with bare line feeds, and with text before and after")
    func lineFeeds() {
        let text =
            "preamble\n--b\nContent-Type: text/xml\n\n" + Self.root(content: "JVBERi0xLjc=") + "\n--b--\nepilogue"
        guard case .signed(.document(let octets)) = read(Array(text.utf8)) else {
            Issue.record("\(read(Array(text.utf8)))")
            return
        }
        #expect(octets.text == "%PDF-1.7")
    }

    @Test("give an inline document from their root part")
    func inline() {
        let text =
            "--b\r\nContent-Type: text/xml\r\n\r\n<SignResponse><Result><ResultMajor>x:Success</ResultMajor></Result>"
            + "<OptionalOutputs><DocumentWithSignature><Document><InlineXML><a/></InlineXML></Document>"
            + "</DocumentWithSignature></OptionalOutputs></SignResponse>\r\n--b--\r\n"
        guard case .signed(.document(let octets)) = read(Array(text.utf8), question: AnswerCase.xml) else {
            Issue.record("\(read(Array(text.utf8), question: AnswerCase.xml))")
            return
        }
        #expect(octets.text == "<a/>")
    }

    @Test("that name a part they do not have are refused")
    func missingPart() {
        let outcome = read(answer(root: Self.root(include: "cid:other"), attachments: [("a", "binary", Self.pdf)]))
        guard case .refused(let refusal) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(refusal.message.contains("other"))
    }

    @Test("that end early are no answer", arguments: [20, 100, 400])
    func cut(length: Int) {
        let body = answer(root: Self.root(include: "cid:a"), attachments: [("a", "binary", Self.pdf)])
        guard case .unreachable = read(Array(body.prefix(length))) else {
            Issue.record("accepted")
            return
        }
    }

    @Test("with an endless header or with too many parts are no answer")
    func bounds() {
        let header = Array(("--b\r\nX: " + String(repeating: "x", count: 20_000)).utf8)
        guard case .unreachable = read(header) else {
            Issue.record("an endless header was accepted")
            return
        }
        let parts = Array(String(repeating: "--b\r\n\r\n\r\n", count: 40).utf8)
        guard case .unreachable = read(parts) else {
            Issue.record("40 parts were accepted")
            return
        }
    }

    private func read(
        _ body: [UInt8], size: Int = 65_536, start: String? = nil, question: DSSQuestion = AnswerCase.pdf
    ) -> DSSOutcome {
        let type =
            "Multipart/Related; type=\"application/xop+xml\"; boundary=\"b\""
            + (start.map { "; start=\"\($0)\"" } ?? "")
        return decode(body, question, fields: [("content-type", type)], size: size)
    }

    private func answer(
        root: String, attachments: [(id: String, encoding: String, octets: [UInt8])], rootFirst: Bool = true
    ) -> [UInt8] {
        let rootPart = Array("Content-Type: application/xop+xml\r\nContent-ID: <root@x>\r\n\r\n\(root)".utf8)
        let others = attachments.map { attachment in
            Array("content-id: <\(attachment.id)>\r\nContent-Transfer-Encoding: \(attachment.encoding)\r\n\r\n".utf8)
                + attachment.octets
        }
        var body: [UInt8] = []
        for part in rootFirst ? [rootPart] + others : others + [rootPart] {
            body += Array("\r\n--b\r\n".utf8) + part
        }
        return body + Array("\r\n--b--\r\n".utf8)
    }

    private static func root(include: String) -> String {
        root(content: "<xop:Include xmlns:xop=\"http://www.w3.org/2004/08/xop/include\" href=\"\(include)\"/>")
    }

    private static func root(content: String) -> String {
        "<SignResponse RequestID=\"SES-1\"><Result><ResultMajor>urn:x:Success</ResultMajor></Result><OptionalOutputs>"
            + "<DocumentWithSignature><Document><Base64Data>\(content)</Base64Data></Document>"
            + "</DocumentWithSignature></OptionalOutputs></SignResponse>"
    }
}
