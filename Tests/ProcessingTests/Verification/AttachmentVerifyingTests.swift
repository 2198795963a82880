import DSSProtocol
import DocumentKinds
import InternetMessage
import Octets
import Processing
import Testing
import Workflows

@Suite("VERIFY_ATTACHMENT: every signed attachment with its own verdict ")
struct AttachmentVerifyingTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        var files: [AttachedMail.File]
        var extraField = ""
        let verdict: String
        /// The lines that the result must begin with.
        var told: [String] = []
        var untold: [String] = []
        var asked = 1
        var testDescription: String { name }
    }

    private static let whole = "sig A intact whole\n"
    private static let wrong = "the signature does not match the content"

    static let documents = [
        Case(
            name: "a trusted PDF", files: [.pdf("offer.pdf", whole)], verdict: "trusted",
            told: ["Attachment: trusted: \"offer.pdf\"", "Signed by: CN=Local A", "not been checked"]),
        Case(name: "an unsigned PDF", files: [.pdf("a.pdf", signed: false)], verdict: "not signed", asked: 0),
        Case(
            name: "a PDF that only looked signed", files: [.pdf("a.pdf")], verdict: "not signed",
            told: ["not signed: \"a.pdf\""], asked: 0),
        Case(name: "no attachment at all", files: [], verdict: "not signed", told: ["Attachments: none"], asked: 0),
        Case(name: "the server says no", files: [.pdf("a.pdf", whole + "server-bad")], verdict: "not trusted"),
        Case(
            name: "the server does not know", files: [.xml("a.xml", whole + "server-unknown")], verdict: "indeterminate"
        ),
        Case(
            name: "broken here, whatever the server says", files: [.pdf("a.pdf", "sig A broken whole")],
            verdict: "not trusted", told: [wrong]),
        Case(
            name: "broken here, indeterminate at the server",
            files: [.pdf("a.pdf", "sig A broken whole\nserver-unknown")], verdict: "not trusted"),
        Case(
            name: "cannot be checked here", files: [.xml("a.xml", "sig A odd whole")], verdict: "indeterminate",
            told: ["cannot be checked here"]),
        Case(
            name: "cannot be checked here, not trusted by the server",
            files: [.xml("a.xml", "sig A odd whole\nserver-bad")], verdict: "not trusted"),
        Case(
            name: "cannot be read here", files: [.pdf("a.pdf", "unreadable")], verdict: "indeterminate",
            told: ["objects are missing", "Signed by: CN=Whole"]),
        Case(
            name: "only a part is signed", files: [.xml("a.xml", "sig A intact part")], verdict: "not trusted",
            told: ["only a part of the document is signed: one element"]),
        Case(
            name: "a part is signed beside the whole",
            files: [.xml("a.xml", "sig A intact whole\nsig B intact part")], verdict: "trusted",
            told: ["Signature 2: trusted", "only a part of the document is signed"]),
        Case(
            name: "a part is signed beside a broken signature of the whole",
            files: [.xml("a.xml", "sig A broken whole\nsig B intact part")], verdict: "not trusted"),
        Case(
            name: "two signatures, told of by name and out of order",
            files: [
                .pdf("a.pdf", "sig A intact earlier\nsig B intact whole\ntells B bad\ntells A good")
            ], verdict: "not trusted",
            told: [
                "Signature 1: trusted: CN=Local A", "Field: A", "went on after this signature",
                "Signature 2: not trusted: CN=Local B", "Field: B", "Reason: revoked",
            ]),
        Case(
            name: "two signatures without names, told of in order",
            files: [.xml("a.xml", "sig - intact whole\nsig - intact whole\ntells - good\ntells - bad")],
            verdict: "not trusted",
            told: ["Signature 1: trusted: CN=Told -", "Signature 2: not trusted: CN=Told -", "2026-01-15T09:30:00Z"]),
        Case(
            name: "the server takes the whole for good, and not its signature",
            files: [.pdf("a.pdf", "sig A intact whole\ntells A bad\nserver-good")], verdict: "not trusted",
            told: ["not trusted: \"a.pdf\"", "revoked"]),
        Case(
            name: "a signature that the server left out",
            files: [.pdf("a.pdf", "sig A intact earlier\nsig B intact whole\ntells A good")], verdict: "indeterminate",
            told: ["Signature 1: trusted", "Signature 2: indeterminate", "said nothing of this signature"]),
        Case(
            name: "a signature that is not found here",
            files: [.pdf("a.pdf", "sig A intact whole\ntells A good\ntells B good")], verdict: "indeterminate",
            told: ["Signature 2: indeterminate: CN=Told B", "not found here"]),
        Case(
            name: "two formats in one",
            files: [
                AttachedMail.File(
                    name: "a.pdf", type: "application/pdf", content: "x", kinds: [.pdf, .xml], isSigned: true),
                AttachedMail.File(
                    name: "b.PDF. ", type: "application/octet-stream", content: "x", kinds: [.cms, .pdf],
                    isSigned: true),
            ], verdict: "not trusted", told: ["as PDF and as XML", "as CMS and as PDF"], asked: 0),
        Case(
            name: "a file that two readers decode differently", files: [.pdf("a.pdf", whole)],
            extraField: "Content-Transfer-Encoding: 7bit\n", verdict: "not trusted",
            told: ["more than one \"content-transfer-encoding\""]),
        Case(
            name: "the worst of several counts, and unsigned ones are listed",
            files: [.pdf("a.pdf", whole), .text("b.txt"), .xml("c.xml", whole + "server-bad"), .xml("d.xml", whole)],
            verdict: "not trusted",
            told: [
                "Attachment 1: trusted: \"a.pdf\"", "Attachment 2: not signed: \"b.txt\"",
                "Attachment 3: not trusted: \"c.xml\"", "Attachment 4: trusted: \"d.xml\"",
            ], asked: 3),
        Case(
            name: "only the selected ones",
            files: [.pdf("a.pdf", whole), .xml("b.xml", "server-bad\n" + whole).unselected()],
            verdict: "trusted",
            told: ["attachment \"b.xml\" is signed and was not checked", "extend the Attachment criterion"]),
        Case(
            name: "a broken one beside the selected ones",
            files: [
                .pdf("a.pdf", whole), .xml("b.xml", "sig A broken whole").unselected(), .text("c.txt").unselected(),
            ],
            verdict: "not trusted",
            told: [
                "trusted: \"a.pdf\"", "not trusted: \"b.xml\"", wrong, "does not select it (extend", "ask the sender",
            ], untold: ["c.txt"]),
        Case(
            name: "an unreadable one beside the selected ones",
            files: [.xml("a.xml", whole), .pdf("b.pdf", "unreadable").unselected()], verdict: "not trusted",
            told: ["not trusted: \"b.pdf\"", "objects are missing", "usually it was cut"]),
        Case(
            name: "a changed CMS beside the selected ones",
            files: [
                .xml("a.xml", whole), .cms("b.p7m", "enclosed changed", type: "application/pkcs7-mime").unselected(),
            ], verdict: "not trusted",
            told: ["not trusted: \"b.p7m\"", wrong]),
        Case(
            name: "a NUL in the name of the file", files: [.xml("a.html\u{0}.xml", whole)], verdict: "not trusted",
            told: ["holds a control character"]),
        Case(
            name: "a document that the server cannot judge", files: [.xml("a.xml", whole + "server-cannot")],
            verdict: "indeterminate", told: ["cannot be judged"]),
        Case(
            name: "an encrypted part",
            files: [.cms("secret.p7m", "x").protected(.encryptedPart), .pdf("a.pdf", whole)], verdict: "trusted",
            told: ["encrypted, not checked: \"secret.p7m\"", "SES does not decrypt"]),
    ]

    static let signatures = [
        Case(
            name: "an enclosing p7m alone", files: [.cms("a.pdf.p7m", "enclosed", type: "application/pkcs7-mime")],
            verdict: "trusted", told: ["trusted: \"a.pdf.p7m\"", "Signed by: CN=Signer, alice@example.test"]),
        Case(
            name: "an enclosing p7m that was changed",
            files: [.cms("a.p7m", "enclosed changed", type: "application/octet-stream")], verdict: "not trusted",
            told: [wrong]),
        Case(
            name: "an enclosing p7m beside its file",
            files: [.pdf("a.pdf", signed: false), .cms("a.pdf.p7m", "enclosed", type: "application/pkcs7-mime")],
            verdict: "trusted", told: ["1: not signed: \"a.pdf\"", "2: trusted: \"a.pdf.p7m\""]),
        Case(
            name: "a detached signature and its file", files: [.text("a.txt"), .cms("a.txt.p7s", "detached")],
            verdict: "trusted", told: ["trusted: \"a.txt\", signature in \"a.txt.p7s\""],
            untold: ["not signed: \"a.txt\""]),
        Case(
            name: "a detached signature before its file, in other capitals, among others",
            files: [.cms("A.TXT.P7S", "detached"), .text("b.txt"), .text("a.txt")], verdict: "trusted",
            told: ["trusted: \"a.txt\"", "not signed: \"b.txt\""]),
        Case(
            name: "a detached signature named for the file without its extension",
            files: [.text("a.txt"), .text("b.txt"), .cms("b.p7s", "detached")], verdict: "trusted",
            told: ["trusted: \"b.txt\""]),
        Case(
            name: "a detached signature and the only file", files: [.text("a.txt"), .cms("smime.p7s", "detached")],
            verdict: "trusted", told: ["trusted: \"a.txt\""]),
        Case(
            name: "a file that is called a signature, and its own",
            files: [.text("a.p7s"), .cms("a.p7s.p7s", "detached"), .text("b.txt")], verdict: "trusted",
            told: ["trusted: \"a.p7s\", signature in \"a.p7s.p7s\""]),
        Case(
            name: "a detached signature without a name and the only file",
            files: [.text("a.txt"), .cms(nil, "detached")], verdict: "trusted"),
        Case(
            name: "a changed file", files: [.text("a.txt", "changed"), .cms("a.txt.p7s", "detached")],
            verdict: "not trusted", told: [wrong, "not trusted: \"a.txt\""]),
        Case(
            name: "no file", files: [.cms("a.txt.p7s", "detached")], verdict: "not trusted",
            told: ["no file for this signature"], asked: 0),
        Case(
            name: "several files", files: [.text("a.txt"), .text("b.txt"), .cms("smime.p7s", "detached")],
            verdict: "not trusted", told: ["several files"], asked: 0),
        Case(
            name: "two files of one name", files: [.text("a.txt"), .text("A.txt"), .cms("a.txt.p7s", "detached")],
            verdict: "not trusted", told: ["several files"], asked: 0),
        Case(
            name: "two files that differ in their extension",
            files: [.text("a.txt"), .text("a.doc"), .cms("a.p7s", "detached")],
            verdict: "not trusted", told: ["several files"], asked: 0),
        Case(
            name: "two signatures of one file, one of them bad",
            files: [.text("a.txt"), .cms("a.txt.p7s", "detached"), .cms("a.p7s", "detached\nserver-bad")],
            verdict: "not trusted", told: ["1: trusted", "2: not trusted"], asked: 2),
        Case(
            name: "a signature named as detached that encloses something else",
            files: [.text("a.txt"), .cms("a.txt.p7s", "enclosed")], verdict: "not trusted",
            told: ["contains content of its own"], asked: 0),
        Case(
            name: "a signature named as detached that encloses something, alone",
            files: [.cms("a.txt.p7s", "enclosed")],
            verdict: "trusted"),
        Case(
            name: "what is no CMS inside", files: [.cms("a.p7m", "unreadable")], verdict: "not trusted",
            told: ["cannot be read here: no CMS"], asked: 0),
        Case(
            name: "a signature of nobody", files: [.text("a.txt"), .cms("a.txt.p7s", "nobody")], verdict: "not trusted",
            told: ["the signature has no signer"]),
        Case(
            name: "an algorithm that is not known here", files: [.text("a.txt"), .cms("a.txt.p7s", "odd detached")],
            verdict: "indeterminate"),
        Case(
            name: "two signers, each judged by the server",
            files: [.text("a.txt"), .cms("a.txt.p7s", "twosigners\ntells - good\ntells - bad")], verdict: "not trusted",
            told: ["Signature 1: trusted", "Signature 2: not trusted", "revoked"]),
        Case(
            name: "two signers, of whom the server takes one for bad and the whole for good",
            files: [.text("a.txt"), .cms("a.txt.p7s", "twosigners\ntells - good\ntells - bad\nserver-good")],
            verdict: "not trusted", told: ["Signature 1: trusted", "Signature 2: not trusted", "revoked"]),
        Case(
            name: "two signers and an answer about the whole",
            files: [.text("a.txt"), .cms("a.txt.p7s", "twosigners")], verdict: "trusted",
            told: ["Signature 1: trusted", "Signature 2: trusted"]),
        Case(
            name: "only the file is selected, and its signature comes along",
            files: [.text("a.txt"), .text("b.txt").unselected(), .cms("a.txt.p7s", "detached").unselected()],
            verdict: "trusted", told: ["trusted: \"a.txt\""], untold: ["b.txt"]),
        Case(
            name: "only the signature is selected",
            files: [.text("a.txt").unselected(), .cms("a.txt.p7s", "detached")], verdict: "trusted",
            told: ["trusted: \"a.txt\""]),
        Case(
            name: "an armoured signature",
            files: [
                .text("a.txt"),
                .cms(
                    "a.txt.p7s",
                    "-----BEGIN PKCS7-----\n" + Base64.encode(Array("detached".utf8)) + "\n-----END PKCS7-----\n"),
            ], verdict: "trusted"),
    ]

    @Test("documents that carry their signatures", arguments: documents)
    func document(_ given: Case) async throws { try await check(given) }

    @Test("CMS, enclosing and detached", arguments: signatures)
    func signature(_ given: Case) async throws { try await check(given) }

    private func check(_ given: Case) async throws {
        let mail = AttachedMail(files: given.files, extraField: given.extraField)
        var bench = Bench.verifying(mail)
        bench.policy.notTrustedAction = .recipients
        bench.policy.indeterminateAction = .recipients
        let outcome = await bench.process(mail)
        #expect(outcome.account.verdict == given.verdict, "\(outcome.account)")
        #expect(Set(bench.signatures.requests).count == given.asked, "each call has its own RequestID")
        let output = try #require(outcome.delivered, "\(outcome.account)")
        #expect(try output.fields("Authentication-Results").isEmpty, "nobody looked at the mail's own signature")
        let result = try Self.result(of: output)
        for told in given.told { #expect(result.contains(told), "\(told)\n\(result)") }
        for untold in given.untold { #expect(!result.contains(untold), "\(untold)\n\(result)") }
    }

    /// The text of the result, each line of it with runs of blanks as one, wrapped lines joined.
    static func result(of output: Output) throws -> String {
        let part = try #require(try output.message.root.walk().first { $0.contentType.mediaType == "text/plain" })
        let text = part.decodedBody.text.replacing("\r\n                  ", with: " ")
            .replacing("\r\n    verification-", with: " verification-")
        return text.split(separator: "\r\n").map { $0.split(separator: " ").joined(separator: " ") }
            .joined(separator: "\n")
    }

    @Test("the kind of document and its form are named to the server")
    func kinds() async throws {
        let mail = AttachedMail(files: [
            .pdf("a.pdf", Self.whole), .xml("b.xml", Self.whole),
            .cms("c.p7m", "enclosed", type: "application/pkcs7-mime"),
            .text("d.txt"), .cms("d.txt.p7s", "detached"),
        ])
        let bench = Bench.verifying(mail, attachesResponse: true)
        let output = try #require(await bench.process(mail).delivered)
        let names = try output.message.root.children.compactMap { $0.fileName(using: BuiltInCharsets()) }
        let id = String(repeating: "e", count: 32)
        #expect(
            names == (1...4).map { "verification-response-\(id)-\($0).xml" } + ["original.eml"],
            "one answer for each object, by its number in the result")
        let answers = try output.message.root.children.filter { $0.contentType.mediaType == "application/xml" }
        #expect(
            answers.map(\.decodedBody.text)
                == ["pdf", "xml", "cms", "cms"].map { "<answer kind=\"\($0)\"/>" })
        let result = try Self.result(of: output)
        for number in 1...4 {
            #expect(result.contains("Answer: attached as verification-response-\(id)-\(number).xml"))
        }
    }

    @Test("a text that mail gave other line ends is judged with those that were signed")
    func lineEnds() async throws {
        let mail = AttachedMail(files: [.text("a.txt", "one\r\ntwo\r\n"), .cms("a.txt.p7s", "unixlines")])
        var text = mail.text
        let encoded = Base64.encode(Array("one\r\ntwo\r\n".utf8))
        text = text.replacing("Content-Transfer-Encoding: base64\n\n\(encoded)", with: "\none\ntwo\n")
        let outcome = await Bench.verifying(mail).process(text, direction: .incoming)
        #expect(outcome.account.verdict == "trusted", "\(outcome.account)")
    }

    @Test(
        "a message that two readers take apart differently has no attachment that could be trusted",
        arguments: [
            ("boundary=m\n", "boundary=m\nContent-Type: multipart/mixed; boundary=n\n"),
            ("boundary=m\n", "boundary=m; boundary=n\n"), ("--m--\n", "--m--\n--m\nContent-Type: text/plain\n\nx\n"),
            ("MIME-Version: 1.0\n", "MIME-Version: 1.0\nCaf\u{E9}: x\n"),
            ("boundary=m\n", "boundary*=us-ascii''m; boundary=n\n"),
            ("\n\nHello\n--m\nContent-Type: appl", "\n\nHello\r--m\rX: y\r\n--m\nContent-Type: appl"),
            ("boundary=m\n\n", "boundary=m\n\n--m\rContent-Type: text/html\r\rx\r\n"),
            ("Content-Disposition: attachment", "X: y\rContent-Type: text/html\r\nContent-Disposition: attachment"),
            ("Content-Transfer-Encoding: base64\n", "Content-Transfer-Encoding : base64\n"),
            ("--m\nContent-Type: appl", "--m\nCaf\u{E9}: x\nContent-Type: appl"),
        ])
    func ambiguous(_ replaced: String, _ replacement: String) async {
        for file in [
            AttachedMail.File.pdf("a.pdf", Self.whole), .cms("a.p7m", "enclosed", type: "application/pkcs7-mime"),
        ] {
            let mail = AttachedMail(files: [file])
            let outcome = await Bench.verifying(mail).process(
                mail.text.replacing(replaced, with: replacement), direction: .incoming)
            #expect(outcome.account.verdict == "not trusted", "\(outcome.account)")
        }
    }

    // MARK: - What another program would show

    @Test(
        "what a reader's machine opens as something else than what is signed is not trusted",
        arguments: [
            AttachedMail.File.xml("a.html", whole), .pdf("a.htm. ", whole), .pdf("a.zip", whole),
            .cms("a.pdf", "enclosed", type: "application/pkcs7-mime"), .xml("a.pdf", whole),
            .cms("a.html", "enclosed", type: "application/octet-stream"),
            .cms("a.p7m", "enclosed", type: "application/pdf"),
            .cms("a.p7m\"; filename*=\"utf-8''a.pdf", "enclosed", type: "application/pkcs7-mime"),
            .cms("a.p7m", "enclosed", type: "application/pkcs7-mime; name=a.html"),
        ])
    func otherProgram(_ file: AttachedMail.File) async throws {
        var bench = Bench.verifying(AttachedMail(files: [file]))
        bench.policy.notTrustedAction = .recipients
        let outcome = await bench.process(AttachedMail(files: [file]))
        #expect(outcome.account.verdict == "not trusted", "\(outcome.account)")
        #expect(try Self.result(of: #require(outcome.delivered)).contains("opened as something other than"))
    }

    @Test(
        "a name or type that leaves the program open does no harm",
        arguments: [
            AttachedMail.File.pdf("offer 1.2", whole), .xml("a.xbrl", whole), .xml("a.svg", whole),
            .cms("a", "enclosed", type: "application/octet-stream"),
        ])
    func openName(_ file: AttachedMail.File) async {
        let outcome = await Bench.verifying(AttachedMail(files: [file])).process(AttachedMail(files: [file]))
        #expect(outcome.account.verdict == "trusted", "\(outcome.account)")
    }

    @Test(
        "a file that shares a name with another part which is not as good is not trusted",
        arguments: [
            [.pdf("a.pdf", whole), .pdf("A.pdf ", signed: false)],
            [.pdf("a.pdf", whole), .text("notes.txt", "See.\nbegin 644 a.pdf\n#0V%T\n`\nend\n")],
            [.pdf("a.pdf", whole), .text("notes.txt", "=ybegin line=128 size=9 name=A.PDF\nx\n=yend\n")],
            [
                .pdf("a.pdf", whole),
                AttachedMail.File(
                    name: "winmail.dat", type: "application/ms-tnef", content: "x", kinds: [], isSigned: false),
            ],
            [.pdf("a.pdf", whole), .pdf("b.pdf\"; filename*=\"utf-8''a.pdf", signed: false)],
            [.pdf("b.pdf\"; filename*=\"utf-8''a.pdf", whole), .text("b.pdf")],
            [
                .text("a.txt"), .cms("a.txt.p7s", "detached"),
                .text("b.txt\"; name*=\"x\"; filename*=\"utf-8''a.txt", "other"),
            ],
        ] as [[AttachedMail.File]])
    func namesakes(_ files: [AttachedMail.File]) async throws {
        var bench = Bench.verifying(AttachedMail(files: files))
        bench.policy.notTrustedAction = .recipients
        let outcome = await bench.process(AttachedMail(files: files))
        #expect(outcome.account.verdict == "not trusted", "\(outcome.account)")
        #expect(try Self.result(of: #require(outcome.delivered)).contains("shown under its name"))
    }

    @Test("two files of one name that are both trusted are")
    func trustedNamesakes() async {
        let mail = AttachedMail(files: [.pdf("a.pdf", Self.whole), .pdf("a.pdf", Self.whole)])
        #expect(await Bench.verifying(mail).process(mail).account.verdict == "trusted")
    }

    @Test("a named text that is shown as the mail's text counts as a part of that name")
    func namedText() async {
        let mail = AttachedMail(files: [.text("a.txt"), .cms("a.txt.p7s", "detached")])
        let text = mail.text.replacing(
            "Content-Type: text/plain\n\nHello", with: "Content-Type: text/plain; name=a.txt\n\nHello")
        let outcome = await Bench.verifying(mail).process(text, direction: .incoming)
        #expect(outcome.account.verdict == "not trusted", "\(outcome.account)")
    }

    // MARK: - Failures

    @Test("a failure of one is the failure of the message, told of by name")
    func failure() async throws {
        for (word, permanence) in [("server-down", Failure.Permanence.transient), ("server-refuses", .permanent)] {
            let mail = AttachedMail(files: [.pdf("a.pdf", Self.whole), .pdf("b.pdf", Self.whole + word)])
            let outcome = await Bench.verifying(mail).process(mail)
            #expect(outcome.account.failure?.permanence == permanence)
            #expect(outcome.account.reason.contains("attachment \"b.pdf\": "), "\(outcome.account.reason)")
            #expect((outcome.deferral == [1, 300]) == (permanence == .transient))
            #expect(outcome.delivered == nil)
        }
    }

    @Test("a fault of this machine puts the message back")
    func localFault() async {
        let mail = AttachedMail(files: [.cms("a.p7m", "diskfull")])
        guard case .putBack(let errno) = await Bench.verifying(mail).process(mail).disposal else {
            Issue.record("not put back")
            return
        }
        #expect(errno == 28)
    }

    @Test("an unreachable revocation service is tried again first, if nothing else is in the way")
    func revocation() async {
        let asked = "server-revocation\n" + Self.whole
        let retried: [[AttachedMail.File]] = [
            [.pdf("a.pdf", asked)], [.pdf("a.pdf", asked), .xml("b.xml", Self.whole)],
            [.pdf("a.pdf", asked), .xml("b.xml", asked)],
        ]
        for files in retried {
            let mail = AttachedMail(files: files)
            #expect(await Bench.verifying(mail).process(mail).deferral == [1, 300])
            let given = await Bench.verifying(mail).process(mail, attempts: 2)
            #expect(given.account.verdict == "indeterminate")
        }
        let final: [[AttachedMail.File]] = [
            [.pdf("a.pdf", asked), .xml("b.xml", Self.whole + "server-bad")],
            [.pdf("a.pdf", asked), .xml("b.xml", Self.whole + "server-unknown")],
            [.pdf("a.pdf", "server-revocation\nunreadable")],
        ]
        for files in final {
            let mail = AttachedMail(files: files)
            #expect(await Bench.verifying(mail).process(mail).deferral == nil)
        }
    }

    @Test("more signed attachments than can be asked about are a permanent failure, before the first call")
    func tooMany() async {
        let mail = AttachedMail(files: (0...100).map { .pdf("\($0).pdf", Self.whole) })
        let bench = Bench.verifying(mail)
        let outcome = await bench.process(mail)
        #expect(outcome.account.failure?.permanence == .permanent)
        #expect(outcome.account.reason.contains("101 signed attachments"))
        #expect(bench.signatures.requests.isEmpty)
    }
}
