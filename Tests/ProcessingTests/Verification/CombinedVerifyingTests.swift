import DocumentKinds
import Composition
import DSSProtocol
import InternetMessage
import Octets
import Processing
import Testing
import Workflows

@Suite("VERIFY_EMAIL and VERIFY_ATTACHMENT in one workflow")
struct CombinedVerifyingTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let mail: AttachedMail
        let verdict: String
        /// Of Authentication-Results, which speaks of the mail's own signature alone.
        let mailResult: String
        let title: String
        var told: [String] = []
        var testDescription: String { name }
    }

    private static let whole = "sig A intact whole\n"
    private static let good = AttachedMail.File.pdf("a.pdf", whole)
    private static let bad = AttachedMail.File.pdf("a.pdf", whole + "server-bad")
    private static let unknown = AttachedMail.File.pdf("a.pdf", whole + "server-unknown")

    static let cases = [
        Case(
            name: "both trusted", mail: AttachedMail(files: [good], isSigned: true), verdict: "trusted",
            mailResult: "pass", title: "Signature check: trusted",
            told: ["of the message and of its attachments are valid", "Message: trusted", "Attachment: trusted"]),
        Case(
            name: "a trusted mail with a bad attachment", mail: AttachedMail(files: [bad], isSigned: true),
            verdict: "not trusted", mailResult: "pass", title: "Signature check: not trusted",
            told: ["Message: trusted", "Attachment: not trusted"]),
        Case(
            name: "a trusted mail with an attachment in doubt", mail: AttachedMail(files: [unknown], isSigned: true),
            verdict: "indeterminate", mailResult: "pass", title: "Signature check: indeterminate"),
        Case(
            name: "a trusted mail with an unsigned attachment",
            mail: AttachedMail(files: [.text("a.txt")], isSigned: true), verdict: "trusted", mailResult: "pass",
            title: "Signature check: trusted", told: ["Attachment: not signed"]),
        Case(
            name: "an unsigned mail with a trusted attachment", mail: AttachedMail(files: [good]), verdict: "trusted",
            mailResult: "none", title: "Signature check: attachments trusted, message not signed",
            told: ["carries no signature: who wrote it has not been proved", "Message: not signed"]),
        Case(
            name: "an unsigned mail with a bad attachment", mail: AttachedMail(files: [bad]), verdict: "not trusted",
            mailResult: "none", title: "Signature check: not trusted", told: ["Message: not signed"]),
        Case(
            name: "nothing signed", mail: AttachedMail(files: [.text("a.txt")]), verdict: "not signed",
            mailResult: "none", title: "Signature check: not signed", told: ["Attachment: not signed"]),
    ]

    @Test(
        "both are reported, and the worst counts", arguments: cases,
        [[Operation.verifyEmail, .verifyAttachment], [.verifyAttachment, .verifyEmail]])
    func combined(_ given: Case, _ operations: [Operation]) async throws {
        var bench = Bench.verifying(given.mail, operations)
        bench.policy.notTrustedAction = .recipients
        bench.policy.indeterminateAction = .recipients
        let outcome = await bench.process(given.mail)
        #expect(outcome.account.verdict == given.verdict, "\(outcome.account)")
        let output = try #require(outcome.delivered)
        let fields = try output.fields("Authentication-Results")
        #expect(fields.count == 1 && fields[0].contains("smime=\(given.mailResult)"), "\(fields)")
        let result = try AttachmentVerifyingTests.result(of: output)
        #expect(result.hasPrefix("*** \(given.title) ***"), "\(result)")
        let flat = result.replacing("\n", with: " ")
        for told in given.told { #expect(flat.contains(told), "\(told)\n\(result)") }
        let word: OutcomeWord =
            switch given.verdict {
            case "trusted": .verified
            case "not trusted": .notTrusted
            case "indeterminate": .indeterminate
            default: .notSigned
            }
        #expect(output.word == word)
    }

    @Test("the notice to the administrator shows the same list, and the answers")
    func notice() async throws {
        let mail = AttachedMail(files: [Self.bad, .text("b.txt")], isSigned: true)
        let bench = Bench.verifying(mail, [.verifyEmail, .verifyAttachment], rule: .original, attachesResponse: true)
        let outcome = await bench.process(mail)
        let output = try #require(outcome.outputs.first)
        #expect(output.folder == .admin && outcome.outputs.count == 2)
        let id = String(repeating: "e", count: 32)
        let names = try output.message.root.children.compactMap { $0.fileName(using: BuiltInCharsets()) }
        #expect(
            names == [
                "verification-response-\(id).xml", "verification-response-\(id)-1.xml", "original.eml",
            ])
        let result = try AttachmentVerifyingTests.result(of: output)
        for told in [
            "Message: trusted", "Attachment 1: not trusted: \"a.pdf\"", "Attachment 2: not signed: \"b.txt\"",
            "Answer: attached as verification-response-\(id)-1.xml",
            "Server answer: attached as verification-response-\(id).xml",
        ] { #expect(result.contains(told), "\(told)\n\(result)") }
    }

    @Test(
        "each rule shows the list if it shows anything, and a signed mail is wrapped", arguments: ResultRule.allCases
    )
    func rules(_ rule: ResultRule) async throws {
        for isSigned in [true, false] {
            let mail = AttachedMail(files: [Self.good, .text("b.txt")], isSigned: isSigned)
            let bench = Bench.verifying(
                mail, [.verifyEmail, .verifyAttachment], rule: rule, attachesResponse: true)
            let output = try #require(await bench.process(mail).delivered)
            let original = mail.text.replacingLineEnds
            switch rule {
            case .original:
                #expect(output.text.hasSuffix(original))
                #expect(!output.text.contains("verification-response"))
            case .originalAsAttachment: #expect(output.text.contains(original))
            case .top, .bottom:
                #expect(output.text.contains(original) == isSigned)
                let parts = try output.message.root.walk(.ownParts)
                #expect(parts.contains { $0.decodedBody.text.contains("Attachment 2:   not signed: \"b.txt\"") })
                let file = try #require(
                    try output.message.root.walk(.enclosedMessages)
                        .first { $0.fileName(using: BuiltInCharsets()) == "a.pdf" })
                #expect(file.decodedBody.text.hasPrefix("%PDF-1.7"), "the attachment is what it was")
            }
            if rule != .original {
                let answers = try output.message.root.walk(.ownParts).filter {
                    $0.fileName(using: BuiltInCharsets())?.hasPrefix("verification-response") == true
                }
                #expect(answers.count == (isSigned ? 2 : 1))
            }
        }
    }

    @Test("an encrypted mail is reported as such, and its attachments are not examined")
    func encrypted() async throws {
        for operations in [[Operation.verifyAttachment], [.verifyEmail, .verifyAttachment]] {
            let bench = Bench.verifying(AttachedMail(files: []), operations)
            let outcome = await bench.process(Mail.enveloped, direction: .incoming)
            #expect(outcome.account.verdict == "not signed (encrypted, not checked)")
            let output = try #require(outcome.delivered)
            #expect(try output.fields("Authentication-Results").count == operations.count - 1)
            let result = try AttachmentVerifyingTests.result(of: output)
            #expect(result.contains("the message is encrypted and was not checked"))
            #expect(result.components(of: "SES does not decrypt") == 1, "said once\n\(result)")
        }
    }

    @Test("an S/MIME object that cannot be opened is reported as not examined")
    func unopened() async throws {
        let bench = Bench.verifying(AttachedMail(files: []))
        let output = try #require(await bench.process(Mail.opaque, direction: .incoming).delivered)
        #expect(try AttachmentVerifyingTests.result(of: output).contains("its content was not examined"))
    }

    @Test("a failure has Authentication-Results only if the mail itself was to be verified")
    func failure() async throws {
        for operations in [[Operation.verifyAttachment], [.verifyEmail, .verifyAttachment]] {
            let mail = AttachedMail(files: [.pdf("a.pdf", Self.whole + "server-refuses")])
            var bench = Bench.verifying(mail, operations)
            bench.policy.errorAction = .recipients
            let output = try #require(await bench.process(mail).delivered)
            #expect(output.word == .failed)
            #expect(
                try output.fields("Authentication-Results").map { $0.contains("smime=permerror") }
                    == (operations.count == 2 ? [true] : []))
        }
    }

    @Test("not signed and not trusted follow their own actions")
    func actions() async {
        var unsigned = Bench.verifying(AttachedMail(files: [.text("a.txt")]))
        unsigned.policy.notSignedAction = .block
        #expect(await unsigned.process(AttachedMail(files: [.text("a.txt")])).outputs.map(\.folder) == [.blocked])
        let mail = AttachedMail(files: [Self.unknown])
        var doubted = Bench.verifying(mail)
        doubted.policy.indeterminateAction = .block
        #expect(await doubted.process(mail).outputs.map(\.folder) == [.blocked])
    }

    @Test("log and journal name the worst, and the attachment by a safe name")
    func account() async {
        let name = "a\"\r\n; smime=pass\u{202E}fdp.\u{1B}[31m"
        let mail = AttachedMail(files: [Self.good, .pdf("x", Self.whole + "server-bad")])
        var bench = Bench.verifying(mail)
        bench.attachments[1] = AttachmentFacts(
            path: [2], fileName: name, mediaType: "application/pdf", contentKinds: [.pdf], isSigned: true)
        let account = await bench.process(mail).account
        #expect(account.verdict == "not trusted" && account.hasServerResult)
        #expect(
            account.reason.hasSuffix(
                "not trusted; attachment \"a' ; smime=passfdp. [31m\": the server says not trusted"),
            "\(account.reason)")
        #expect(account.serverAnswer == "the server says not trusted")
    }
}

extension String {
    fileprivate func components(of text: String) -> Int { ranges(of: text).count }
}
