import Composition
import InternetMessage
import Octets
import TestSupport
import Testing

@Suite("multipart/signed (RFC 1847 §2.1, RFC 8551 §3.5.3)")
struct MultipartSignedTests {
    static let messages: [String] = [
        "From: alice@example.test\nSubject: plain\n\nhello\n",
        "From: alice@example.test\nSubject: no line end\n\nhello",
        "From: alice@example.test\nContent-Type: text/plain\n\n", "From: alice@example.test\n\nGrüße \nFrom here\n.\n",
        "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語\n",
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhi \n--b\nContent-Type: message/rfc822\n\nSubject: x\n\nä\n--b--\n",
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nnot closed\n",
        "Content-Type: text/plain\n\n\n\n\n", "Subject: x\n\n\n", "Content-Type: text/plain\n\n--ses\n\n--\n",
    ]

    private func assembled(
        _ message: Message, _ signer: SignedWithOpenSSL, boundary: String = "ses0123456789abcdef"
    ) async throws -> (whole: OctetString, entity: OctetString) {
        let signable = try SignableEntity(of: message)
        let entity = signable.entity.collected()
        let whole = MultipartSigned.assemble(
            outerHeader: signable.outerHeader, entity: signable.entity, cms: try await signer.sign(entity),
            micalg: "sha-256", boundary: boundary)
        return (whole.collected(), entity)
    }

    @Test("OpenSSL verifies it, and sees exactly the octets that were signed")
    func verifies() async throws {
        let signer = try await SignedWithOpenSSL()
        for text in Self.messages {
            let message = try Given.message(text)
            let (whole, entity) = try await assembled(message, signer)
            #expect(try await signer.verified(whole) == entity, "\(text.debugDescription)")
            let read = try Message(reading: whole)
            guard case .multipartSigned(let signed) = SMIMEForm.of(read.root) else {
                Issue.record("it is not read as signed: \(text.debugDescription)")
                continue
            }
            #expect(signed.ambiguities.isEmpty)
            #expect(signed.content.octets == entity)
            #expect(whole.split(separator: 0x0A).allSatisfy { $0.count <= 999 })
        }
    }

    @Test("Python reads the same mail within it")
    func python() async throws {
        let signer = try await SignedWithOpenSSL()
        let reading = try await PythonReading.of(
            try await assembled(try Given.message(Self.messages[3]), signer).whole.array)
        #expect(reading.defects.isEmpty)
        #expect(reading.parts.map(\.type) == ["multipart/signed", "text/plain", "application/pkcs7-signature"])
        #expect(reading.parts[0].parameters["protocol"] == "application/pkcs7-signature")
        #expect(reading.parts[0].parameters["micalg"] == "sha-256")
        #expect(reading.parts[1].text == "Grüße \r\nFrom here\r\n.\r\n")
        #expect(reading.parts[2].name == "smime.p7s")
        #expect(reading.values("Subject").isEmpty && reading.values("From") == ["alice@example.test"])
    }

    @Test("a signed message is signed again around the first signature")
    func nested() async throws {
        let signer = try await SignedWithOpenSSL()
        let once = try await assembled(try Given.message(Self.messages[0]), signer)
        let twice = try await assembled(try Message(reading: once.whole), signer, boundary: "sesfedcba9876543210")
        #expect(try await signer.verified(twice.whole) == twice.entity)
        let inner = try #require(Message(reading: twice.whole).root.children.first)
        #expect(inner.children.first?.octets == once.entity)
    }

    @Test("a finished multipart/signed entity is accepted under our header")
    func adopts() async throws {
        let signer = try await SignedWithOpenSSL()
        let signable = try SignableEntity(of: try Given.message(Self.messages[0]))
        let finished = try await signer.finish(signable.entity.collected())
        let adopted = try MultipartSigned.adopt(
            finished, outerHeader: signable.outerHeader, expecting: signable.entity)
        #expect(adopted.isDetached)
        let whole = adopted.message.collected()
        #expect(try await signer.verified(whole) == signable.entity.collected())
        #expect(try Message(reading: whole).header.fields.map(\.name).prefix(3) == ["From", "Subject", "MIME-Version"])
    }

    @Test("a finished pkcs7-mime entity is accepted, and reported to enclose its content")
    func adoptsOpaque() async throws {
        let signer = try await SignedWithOpenSSL()
        let signable = try SignableEntity(of: try Given.message(Self.messages[0]))
        let finished = try await signer.finish(signable.entity.collected(), opaque: true)
        let adopted = try MultipartSigned.adopt(
            finished, outerHeader: signable.outerHeader, expecting: signable.entity)
        #expect(!adopted.isDetached)
        #expect(try await signer.verified(adopted.message.collected()) == signable.entity.collected())
    }

    @Test("a finished entity over anything else is refused")
    func refuses() async throws {
        let signer = try await SignedWithOpenSSL()
        let signable = try SignableEntity(of: try Given.message(Self.messages[0]))
        let other = try SignableEntity(of: try Given.message("From: alice@example.test\nSubject: plain\n\nhellp\n"))
        let answers = [
            try await signer.finish(other.entity.collected()), signable.entity.collected(), OctetString(""),
            OctetString("Content-Type: multipart/signed; boundary=b\n\n--b\n\nx\n"),
        ]
        for answer in answers {
            #expect(throws: CompositionError.self) {
                try MultipartSigned.adopt(answer, outerHeader: signable.outerHeader, expecting: signable.entity)
            }
        }
    }
}

@Suite("Received tokens and loops")
struct ReceivedTokenTests {
    private func header(_ fields: [String]) throws -> Header {
        try Header(reading: OctetString(fields.joined() + "\r\n"))
    }

    private func token(_ recipients: [AddrSpec], direction: String = "outgoing", id: String = "<1@x>") -> ReceivedToken
    {
        ReceivedToken(direction: direction, messageID: id, recipients: recipients)
    }

    private func field(_ token: ReceivedToken) -> String {
        token.field(
            unique: "1790000000.abc", host: "mail.example.test", date: MailDate(unixSeconds: 1_790_000_000),
            code: Given.code)
    }

    @Test("a message that comes back to the same recipients is a loop, whatever their order and case")
    func sameRecipients() throws {
        let first = token([Given.alice, Given.bob])
        let upper = AddrSpec(localPart: "bob", domain: "ELSEWHERE.test")!
        let seen = try header([field(first)])
        #expect(field(first).hasPrefix("Received: by mail.example.test (SES) id\r\n 1790000000.abc."))
        guard case .loop = ReceivedToken.judge(seen, token: token([upper, Given.alice]), code: Given.code) else {
            Issue.record("the loop was not seen")
            return
        }
    }

    @Test("the tokens are the same in every process")
    func stable() {
        let recipients = (0..<8).map { AddrSpec(localPart: "r\($0)", domain: "x.test")! }
        let known = "outgoing\0<1@x>"
        let first = Given.code(Array((known + (0..<8).map { "\0r\($0)@x.test" }.joined()).utf8)).prefix(16).hexadecimal
        let second = Given.code(Array(known.utf8)).prefix(16).hexadecimal
        #expect(field(token(recipients.reversed())).contains(".\(first).\(second);"))
    }

    @Test("other recipients, another direction, another message, a forged token: no loop")
    func others() throws {
        let seen = try header([field(token([Given.alice]))])
        for other in [
            token([Given.bob]), token([Given.alice], direction: "incoming"), token([Given.alice], id: "<2@x>"),
        ] {
            #expect(ReceivedToken.judge(seen, token: other, code: Given.code) == .passes)
        }
        let digits = String(repeating: "0123456789abcdef", count: 2)
        let forged = try header(["Received: by x (SES) id u.\(digits).\(digits); now\r\n"])
        #expect(ReceivedToken.judge(forged, token: token([Given.alice]), code: Given.code) == .passes)
    }

    @Test("five passages with new recipients each are a loop, four are not", arguments: [4, 5])
    func passages(_ count: Int) throws {
        let seen = try header(
            (0..<count).map { field(token([AddrSpec(localPart: "r\($0)", domain: "x.test")!])) })
        let verdict = ReceivedToken.judge(seen, token: token([Given.bob]), code: Given.code)
        #expect((verdict == .passes) == (count < 5))
    }

    @Test("more than fifty Received fields are a loop", arguments: [50, 51])
    func hops(_ count: Int) throws {
        let seen = try header((0..<count).map { "Received: by mx\($0)\r\n" })
        #expect((ReceivedToken.judge(seen, token: token([Given.bob]), code: Given.code) == .passes) == (count == 50))
    }
}
