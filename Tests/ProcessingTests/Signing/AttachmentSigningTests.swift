import Composition
import DSSProtocol
import DocumentKinds
import InternetMessage
import Octets
import Processing
import TestSupport
import Testing
import Workflows

@Suite("SIGN_ATTACHMENT")
struct AttachmentSigningTests {
    static let instruction = SigningInstruction(
        profile: "docs", key: .alias("k"),
        attributes: [.init(name: .reason, value: "because"), .init(name: .area, value: "5")])

    static func part(_ type: String, _ name: String?, _ content: String) -> String {
        """
        Content-Type: \(type)
        Content-Disposition: attachment\(name.map { "; filename=\"\($0)\"" } ?? "")
        Content-Transfer-Encoding: base64

        \(Base64.encode(Array(content.utf8)))
        """
    }

    static func mail(_ parts: String...) -> String {
        """
        From: Alice <alice@example.test>
        To: bob@elsewhere.test
        Subject: Offer
        Message-ID: <three@example.test>
        MIME-Version: 1.0
        Content-Type: multipart/mixed; boundary=b

        --b
        Content-Type: text/plain

        See below
        \(parts.map { "--b\n" + $0 + "\n" }.joined())--b--

        """
    }

    static func facts(
        _ path: Int, _ name: String?, _ type: String, _ kinds: Set<DocumentOpening.Kind>,
        protection: AttachmentFacts.Protection? = nil
    ) -> AttachmentFacts {
        AttachmentFacts(
            path: [path], fileName: name, mediaType: type, contentKinds: kinds, isSigned: false, protection: protection)
    }

    static let pdf = "%PDF-1.7\nx\n"
    static let xml = "<?xml version=\"1.0\"?>\n<a>x</a>"
    static let three = mail(
        part("application/pdf", "a.pdf", pdf), part("text/xml; charset=utf-8", "b.xml", xml),
        part("application/msword", "c.doc", "doc"))
    static let threeFacts = [
        facts(1, "a.pdf", "application/pdf", [.pdf]), facts(2, "b.xml", "text/xml", [.xml]),
        facts(3, "c.doc", "application/msword", []),
    ]

    static func bench(
        _ signer: any SignatureService, _ attachments: [AttachmentFacts],
        _ operations: [Operation] = [.signAttachment(AttachmentInstructions(instruction))]
    ) -> Bench {
        var bench = Bench(attachments: attachments)
        bench.server = signer
        bench.reader = FakeInspection()
        bench.documentReader = FakeInspection()
        bench.policy.outgoing.workflows[0].operations = operations
        return bench
    }

    static func leaves(_ output: Output) async throws -> [PythonMailReading.Leaf] {
        try await PythonMailReading.leaves(of: [output.octets.array])[0]
    }

    // MARK: - What is made

    @Test("PDF and XML are replaced in place, another file becomes name.p7m")
    func enclosing() async throws {
        let signer = FakeSigner()
        let outcome = await Self.bench(signer, Self.threeFacts).process(Self.three, direction: .outgoing)
        #expect(outcome.summary == ["delivered signed alice@example.test > bob@elsewhere.test outgoing"])
        #expect(outcome.account.reason.hasSuffix("; 3 attachments signed"))
        let output = try #require(outcome.delivered)
        let leaves = try await Self.leaves(output)
        #expect(
            leaves.map(\.type) == ["text/plain", "application/pdf", "text/xml", "application/pkcs7-mime"])
        #expect(leaves.map(\.name) == [nil, "a.pdf", "b.xml", "c.doc.p7m"])
        #expect(
            leaves.map { String(decoding: $0.octets, as: UTF8.self) } == [
                "See below", Self.pdf + FakeSigner.pdfMark,
                "<?xml version=\"1.0\"?>\n<a>x" + FakeSigner.xmlMark + "</a>", "ENCLOSING:doc",
            ])
        #expect(signer.operations.map(\.kind) == [.pdf, .xml, .cms])
        #expect(try output.fields("Received").count == 1)
    }

    @Test("if the server's signature is detached, name.p7s stands behind the file")
    func detached() async throws {
        let outcome = await Self.bench(FakeSigner(encloses: false), Self.threeFacts).process(
            Self.three, direction: .outgoing)
        let leaves = try await Self.leaves(try #require(outcome.delivered))
        #expect(leaves.map(\.name) == [nil, "a.pdf", "b.xml", "c.doc", "c.doc.p7s"])
        #expect(leaves[3].octets == Array("doc".utf8))
        #expect(leaves[4].type == "application/pkcs7-signature")
    }

    @Test("each call has a RequestID of its own, and profile, alias and attributes of the workflow")
    func calls() async throws {
        let signer = FakeSigner()
        _ = await Self.bench(signer, Self.threeFacts).process(Self.three, direction: .outgoing)
        #expect(Set(signer.operations.map(\.requestID)).count == 3)
        for operation in signer.operations {
            #expect(operation.profile == "docs" && operation.keyAlias == "k" && operation.originatorID == "client")
            #expect(operation.attributes.map(\.name) == ["SIGNING_REASON", "SIGNING_AREA"])
            #expect(operation.attributes.map(\.value) == ["because", "5"])
        }
    }

    @Test("FROM_EMAIL_ADDRESS chooses by the one From address here too")
    func fromAddress() async {
        let signer = FakeSigner()
        let instruction = SigningInstruction(profile: nil, key: .fromAddress)
        let bench = Self.bench(signer, [Self.threeFacts[0]], [.signAttachment(AttachmentInstructions(instruction))])
        _ = await bench.process(Self.three, direction: .outgoing)
        #expect(signer.operations.map(\.keyAlias) == ["alice@example.test"])
        let stranger = Self.three.replacing("alice@example.test", with: "alice@elsewhere.test")
        let outcome = await bench.process(stranger, direction: .outgoing)
        #expect(outcome.account.failure?.summary.contains("in no DomainName") == true)
        #expect(signer.operations.count == 1)
    }

    @Test("only selected attachments are signed; all else stays octet for octet")
    func selected() async throws {
        let outcome = await Self.bench(FakeSigner(), [Self.threeFacts[1]]).process(Self.three, direction: .outgoing)
        let text = try #require(outcome.delivered).text
        let own = try #require(text.firstRange(of: "From: Alice")).lowerBound
        let expected = Self.three.replacing(
            Base64.encode(Array(Self.xml.utf8)),
            with: Base64Encoded(FakeSigner.signedXML(OctetString(Self.xml)), lineEnd: .lf).collected().text)
        #expect(String(text[own...]) == expected.replacingLineEnds)
        #expect(outcome.account.reason.hasSuffix("; 1 attachment signed"))
    }

    @Test("with SIGN_EMAIL after it, the mail's signature covers the signed attachments")
    func bothOperations() async throws {
        let signer = FakeSigner()
        let operations: [Operation] = [
            .signAttachment(AttachmentInstructions(Self.instruction)),
            .signEmail(SigningInstruction(profile: "mail", key: .profileDefault)),
        ]
        let outcome = await Self.bench(signer, Self.threeFacts, operations).process(Self.three, direction: .outgoing)
        #expect(signer.operations.map(\.kind) == [.pdf, .xml, .cms, .email])
        #expect(signer.operations.last?.profile == "mail")
        let output = try #require(outcome.delivered)
        guard case .multipartSigned(let signed) = SMIMEReading(try output.message.root).form else {
            throw Unexpected("not signed")
        }
        #expect(signed.content.octets == signer.operations.last?.document.collected())
        #expect(signed.content.children.last?.decodedBody == OctetString("ENCLOSING:doc"))
        #expect(outcome.account.reason.contains("3 attachments signed"))
    }

    @Test("without an attachment there is nothing to do, and that is recorded")
    func none() async throws {
        let signer = FakeSigner()
        let outcome = await Self.bench(signer, []).process(Mail.plain, direction: .outgoing)
        #expect(outcome.summary == ["delivered passed alice@example.test > bob@elsewhere.test outgoing"])
        #expect(outcome.account.reason.hasSuffix("; no attachment to sign"))
        #expect(try #require(outcome.delivered).text.hasSuffix(Mail.plain.replacingLineEnds))
        #expect(signer.operations.isEmpty)
        let encrypted = await Self.bench(signer, []).process(Mail.enveloped, direction: .outgoing)
        #expect(encrypted.account.reason.hasSuffix("; no attachment to sign (the message is encrypted)"))
        let both = Self.bench(
            signer, [], [.signAttachment(AttachmentInstructions(Self.instruction)), .signEmail(Self.instruction)])
        let signed = await both.process(Mail.plain, direction: .outgoing)
        #expect(signed.outputs.map(\.word) == [.signed])
        #expect(signer.operations.map(\.kind) == [.email])
    }

    @Test("a file of mixed line ends keeps them outside the new parts")
    func mixedLineEnds() async throws {
        var octets = Self.three.replacingLineEnds.replacing("See below\r\n", with: "See below\nand more\r\n")
        octets = octets.replacing("Subject: Offer\r\n", with: "Subject: Offer\n")
        let bench = Self.bench(FakeSigner(), [Self.threeFacts[2]])
        let outcome = await bench.process(OctetString(octets), direction: .outgoing)
        let text = try #require(outcome.delivered).text
        #expect(text.utf8.count > octets.utf8.count)
        #expect(Array(text.utf8).firstRange(of: Array("Subject: Offer\nMessage-ID".utf8)) != nil)
        #expect(Array(text.utf8).firstRange(of: Array("See below\nand more\r\n--b".utf8)) != nil)
    }

    @Test("an XML document that comes back in another encoding names that encoding")
    func encoding() async throws {
        let latin = "<?xml version='1.0' encoding='ISO-8859-1'?><a>x</a>"
        let signer = FakeSigner(change: { (_, _) throws(Failure) in
            .document(OctetString("<?xml version=\"1.0\" encoding=\"UTF-8\"?><a>x<ds:Signature/></a>"))
        })
        var bench = Self.bench(signer, [Self.facts(1, "b.xml", "text/xml", [.xml])])
        bench.documentReader = ScriptedDocuments()
        let mail = Self.mail(Self.part("text/xml; charset=iso-8859-1", "b.xml", latin))
        let output = try #require(await bench.process(mail, direction: .outgoing).delivered)
        let type = try output.message.root.children[1].header.first("Content-Type")?.text
        #expect(type == "text/xml; charset=utf-8")
    }

    // MARK: - What is refused

    struct Refused: CustomTestStringConvertible, Sendable {
        let part: String
        let facts: AttachmentFacts
        let because: String
        var testDescription: String { because }
    }

    static let refused = [
        Refused(
            part: part("application/pdf", "x", "%PDF-1.4 /Encrypt"), facts: facts(2, "x", "application/pdf", [.pdf]),
            because: "it is encrypted"),
        Refused(
            part: part("x/y", "x.PDF. ", "PK"), facts: facts(2, "x.PDF. ", "x/y", [.zip]),
            because: "does not begin with %PDF-"),
        Refused(
            part: part("application/pdf", "x", "PK"), facts: facts(2, "x", "application/pdf", [.zip]),
            because: "does not begin with %PDF-"),
        Refused(
            part: part("x/y", "x.xml", "no"), facts: facts(2, "x.xml", "x/y", []), because: "not well-formed"),
        Refused(
            part: part("application/soap+xml", nil, "<a>no"),
            facts: facts(2, nil, "application/soap+xml", [.xml]), because: "not well-formed"),
        Refused(
            part: part("x/y", "x", "x"), facts: facts(2, "x", "x/y", [], protection: .withinSigned),
            because: "a signed part of the message"),
        Refused(
            part: part("x/y", "x", "x"), facts: facts(2, "x", "x/y", [], protection: .signedPart),
            because: "a signed part of the message itself"),
        Refused(
            part: part("x/y", "x", "x"), facts: facts(2, "x", "x/y", [], protection: .encryptedPart),
            because: "SES does not decrypt"),
        Refused(
            part: part("x/y", "x", "x").replacing("base64", with: "x-uuencode"), facts: facts(2, "x", "x/y", []),
            because: "x-uuencode"),
        Refused(
            part: "Content-Type: x/y; name=x\n\nbegin 644 x\n#86)C\n`\nend", facts: facts(2, "x", "x/y", []),
            because: "uuencode or yEnc"),
        Refused(
            part: "Content-Type: x/y; name=x\n\n\n=ybegin line=128 size=1 name=x\nx\n=yend size=1",
            facts: facts(2, "x", "x/y", []), because: "uuencode or yEnc"),
        Refused(
            part: part("x/y", "x", "xyz") + "*", facts: facts(2, "x", "x/y", []), because: "its base64 is damaged"),
        Refused(
            part: part("x/y", "x", "x").replacing("=", with: ""), facts: facts(2, "x", "x/y", []),
            because: "its base64 is damaged"),
    ]

    @Test("an attachment that cannot be signed fails the message, before anything is sent", arguments: refused)
    func refusal(_ given: Refused) async throws {
        for action in RoutingAction.allCases {
            let signer = FakeSigner()
            var bench = Self.bench(signer, [Self.threeFacts[0], given.facts])
            bench.policy.errorAction = action
            let mail = Self.mail(Self.part("application/pdf", "a.pdf", Self.pdf), given.part)
            let outcome = await bench.process(mail, direction: .outgoing, block: Mail.block(), isBare: false)
            #expect(outcome.account.failure?.permanence == .permanent)
            #expect(outcome.account.reason.contains(given.because), "\(outcome.account.reason)")
            #expect(signer.operations.isEmpty)
            for output in outcome.outputs {
                #expect(output.word != .signed)
                #expect(!output.text.contains(Base64.encode(Array(FakeSigner.pdfMark.utf8.prefix(6)))))
            }
            if action == .recipients {
                #expect(try #require(outcome.delivered).text.hasSuffix(mail.replacingLineEnds), "as it arrived")
            }
        }
    }

    @Test(
        "text that only begins like XML, or holds the beginning of a PDF, is signed like any other file, and so is a page"
    )
    func noXML() async {
        let signer = FakeSigner()
        let mail = Self.mail(
            Self.part("text/plain", "x.txt", "<b>old</b> ones"), Self.part("text/html", "x", Self.xml),
            Self.part("text/plain", "y.txt", "a PDF begins with\n%PDF-1.4"))
        let attachments = [
            Self.facts(1, "x.txt", "text/plain", [.xml]), Self.facts(2, "x", "text/html", [.xml]),
            Self.facts(3, "y.txt", "text/plain", [.pdf]),
        ]
        let outcome = await Self.bench(signer, attachments).process(mail, direction: .outgoing)
        #expect(signer.operations.map(\.kind) == [.cms, .cms, .cms])
        #expect(outcome.outputs.map(\.word) == [.signed])
    }

    @Test("the content of a document decides its kind, whatever its name")
    func byContent() async {
        let signer = FakeSigner()
        let mail = Self.mail(Self.part("x/y", "x.bin", Self.pdf), Self.part("x/y", nil, Self.xml))
        let attachments = [Self.facts(1, "x.bin", "x/y", [.pdf]), Self.facts(2, nil, "x/y", [.xml])]
        _ = await Self.bench(signer, attachments).process(mail, direction: .outgoing)
        #expect(signer.operations.map(\.kind) == [.pdf, .xml])
    }

    @Test(
        "a document whose name or type would have it opened as something else is refused before it is signed",
        arguments: [("x.docx", "x/y"), ("x.txt", "x/y"), ("x.pdf", "text/html")])
    func otherName(_ name: String, _ type: String) async {
        let signer = FakeSigner()
        let outcome = await Self.bench(signer, [Self.facts(1, name, type, [.pdf])])
            .process(Self.mail(Self.part(type, name, Self.pdf)), direction: .outgoing)
        #expect(signer.operations.isEmpty)
        #expect(outcome.outputs.allSatisfy { $0.word != .signed })
    }

    struct Wrong: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let change: FakeSigner.Change
    }

    static let wrong = [
        Wrong(testDescription: "another PDF") { (operation, answer) throws(Failure) in
            operation.kind == .pdf ? .document(OctetString("%PDF-1.7 other")) : answer
        },
        Wrong(testDescription: "the PDF unsigned") { (operation, answer) throws(Failure) in
            operation.kind == .pdf ? .document(operation.document.collected()) : answer
        },
        Wrong(testDescription: "another XML document") { (operation, answer) throws(Failure) in
            operation.kind == .xml ? .document(OctetString("<a>y<ds:Signature/></a>")) : answer
        },
        Wrong(testDescription: "a CMS for a PDF") { (operation, answer) throws(Failure) in
            operation.kind == .pdf ? .cms(OctetString("DETACHED:1")) : answer
        },
        Wrong(testDescription: "a document for a CMS") { (operation, answer) throws(Failure) in
            operation.kind == .cms ? .document(operation.document.collected()) : answer
        },
        Wrong(testDescription: "a CMS of other octets") { (operation, answer) throws(Failure) in
            operation.kind == .cms ? .cms(OctetString("ENCLOSING:other")) : answer
        },
        Wrong(testDescription: "a detached CMS of other octets") { (operation, answer) throws(Failure) in
            operation.kind == .cms ? .cms(OctetString("DETACHED:1")) : answer
        },
    ]

    @Test("an answer that does not fit the request is never passed on", arguments: wrong)
    func wrongAnswer(_ given: Wrong) async {
        let bench = Self.bench(FakeSigner(change: given.change), Self.threeFacts)
        let outcome = await bench.process(Self.three, direction: .outgoing)
        #expect(outcome.outputs.map(\.folder) == [.admin, .blocked])
        #expect(outcome.account.failure?.permanence == .permanent)
        #expect(outcome.account.reason.contains("attachment \""))
    }

    @Test("a document that cannot be checked is never passed on")
    func unchecked() async {
        var bench = Self.bench(FakeSigner(), [Self.threeFacts[0]])
        bench.documentReader = ScriptedDocuments(integrity: .unknown("an algorithm"))
        let outcome = await bench.process(Self.three, direction: .outgoing)
        #expect(outcome.account.reason.contains("local check failed"))
        #expect(outcome.outputs.map(\.folder) == [.admin, .blocked])
    }

    @Test("all or nothing: the last attachment's failure is the message's, transient or not")
    func allOrNothing() async {
        for permanence in [Failure.Permanence.transient, .permanent] {
            let signer = FakeSigner(change: { (operation, answer) throws(Failure) in
                guard operation.kind != .cms else { throw Failure(permanence, "no key", answer: "<no/>") }
                return answer
            })
            let outcome = await Self.bench(signer, Self.threeFacts).process(Self.three, direction: .outgoing)
            #expect(signer.operations.count == 3)
            #expect(outcome.account.failure?.answer == "<no/>")
            #expect(outcome.account.reason == "attachment \"c.doc\": no key")
            switch permanence {
            case .transient: #expect(outcome.deferral == [1, 300])
            case .permanent: #expect(outcome.outputs.map(\.folder) == [.admin, .blocked])
            }
        }
    }

    @Test("a full disk is not the message's fault, whichever attachment meets it")
    func localFault() async {
        let signer = FakeSigner(change: { (_, _) throws(Failure) in
            throw Failure(OctetCollectionError(.storage(errno: 28), "scratch"), "no room")
        })
        let outcome = await Self.bench(signer, Self.threeFacts).process(Self.three, direction: .outgoing)
        guard case .putBack(errno: 28) = outcome.disposal else {
            Issue.record("\(outcome.disposal)")
            return
        }
    }

    @Test("attachments are not signed after the mail, whose signature that would break")
    func wrongOrder() async {
        let bench = Self.bench(
            FakeSigner(), Self.threeFacts,
            [.signEmail(Self.instruction), .signAttachment(AttachmentInstructions(Self.instruction))])
        let outcome = await bench.process(Self.three, direction: .outgoing)
        #expect(outcome.account.reason.contains("write SIGN_ATTACHMENT, SIGN_EMAIL"))
        #expect(outcome.outputs.map(\.folder) == [.admin, .blocked])
    }

    @Test("a file's name is untrusted text in every reason")
    func hostileName() async {
        let name = "a\r\nX-SES-Outcome: signed\u{1B}[2J\u{202E}" + String(repeating: "b", count: 500) + ".pdf"
        let outcome = await Self.bench(FakeSigner(), [Self.facts(1, name, "x/y", [])]).process(
            Self.three, direction: .outgoing)
        let reason = outcome.account.reason
        #expect(reason.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x202E })
        #expect(reason.count < 300 && reason.contains("does not begin with %PDF-"))
    }
}
