import DocumentKinds
import InternetMessage
import Testing

@testable import Workflows

@Suite("Decide")
struct DecideTests {
    @Test("the first workflow whose filter holds is the only one that runs")
    func firstMatch() {
        var facts = GivenFacts()
        facts.subject = "Contract"
        let policy = Policy.given([
            .given("one", [.subject(contains: "invoice")]),
            .given("two", [.subject(contains: "contract")], operations: [.verifyAttachment, .verifyEmail]),
            .given("three", []),
        ])
        let decision = decide(facts, direction: .incoming, policy: policy)
        #expect(decision.workflow?.name == "two")
        #expect(decision.operations == [.verifyAttachment, .verifyEmail])
        #expect(decision.action == nil)
        #expect(decision.criteria.map(\.workflow) == ["one", "two"])
        #expect(decision.criteria.map(\.holds) == [false, true])
        #expect(decision.reason.contains("\"two\" (line 10)"))
    }

    @Test("without a match the direction's NoFilterAction applies, with every criterion reported")
    func noMatch() {
        var facts = GivenFacts()
        facts.from = [NamedAddress("alice@example.test")]
        let policy = Policy.given(
            [.given("one", [.from(WildcardPattern.list("@x.test"))])], noFilterAction: .administrator)
        let decision = decide(facts, direction: .outgoing, policy: policy)
        #expect(decision.workflow == nil)
        #expect(decision.operations.isEmpty)
        #expect(decision.action == .administrator)
        #expect(decision.reason.contains("EMAIL_TO_ADMINISTRATOR"))
        #expect(decision.criteria.map(\.because) == ["From is alice@example.test: no match"])
        #expect(decision.criteria.map(\.value) == ["@x.test"])
        #expect(decision.criteria.map(\.line) == [11])
    }

    @Test(
        "outgoing mail whose From cannot be read is an error, not mail of somebody else",
        arguments: [[], ["al ice@x.test"]])
    func unreadableFrom(_ texts: [String]) {
        var facts = GivenFacts()
        facts.unreadable.from = texts
        var policy = Policy.given(
            [.given("one", [.from(WildcardPattern.list("@x.test"))])], noFilterAction: .recipients)
        policy.errorAction = .administrator
        let decision = decide(facts, direction: .outgoing, policy: policy)
        #expect(decision.isFailure && decision.workflow == nil && decision.action == .administrator)
        #expect(decision.criteria.map(\.holds) == [nil])
        #expect(decision.criteria.map(\.isOpen) == [true])
        #expect(decision.reason.contains("workflow \"one\" (line 10)"))
        #expect(texts.allSatisfy { decision.reason.contains($0) })
    }

    @Test("incoming mail whose From cannot be read is verified by the workflow that may be for it")
    func unreadableFromIncoming() {
        var facts = GivenFacts()
        facts.unreadable.from = ["al ice@x.test"]
        let policy = Policy.given([.given("one", [.from(WildcardPattern.list("@x.test"))])])
        let decision = decide(facts, direction: .incoming, policy: policy)
        #expect(decision.workflow?.name == "one" && !decision.isFailure)
    }

    @Test("an unreadable From does not matter if the other criteria decide")
    func unreadableFromBeside() {
        var facts = GivenFacts()
        facts.subject = "invoice"
        facts.unreadable.from = ["al ice@x.test"]
        let from = Criterion.Test.from(WildcardPattern.list("@x.test"))
        for (tests, combination, wanted) in [
            ([from, .subject(contains: "other")], Filter.Combination.all, nil as String?),
            ([from, .subject(contains: "invoice")], .any, "one"),
            ([.subject(contains: "invoice")], .all, "one"),
        ] {
            let decision = decide(facts, direction: .outgoing, policy: .given([.given("one", tests, combination)]))
            #expect(decision.workflow?.name == wanted)
            #expect(!decision.isFailure)
        }
        for (tests, combination) in [
            ([from, .subject(contains: "other")], Filter.Combination.any),
            ([from, .subject(contains: "invoice")], .all),
        ] {
            let decision = decide(facts, direction: .outgoing, policy: .given([.given("one", tests, combination)]))
            #expect(decision.isFailure)
        }
    }

    @Test("the readable author of a From field counts, whatever stands beside it")
    func halfReadableFrom() {
        var facts = GivenFacts()
        facts.from = [NamedAddress("alice@x.test")]
        facts.unreadable.from = ["Smith"]
        let policy = Policy.given([.given("one", [.from(WildcardPattern.list("@x.test"))])])
        #expect(decide(facts, direction: .outgoing, policy: policy).workflow?.name == "one")
        facts.from = [NamedAddress("alice@other.test")]
        #expect(decide(facts, direction: .outgoing, policy: policy).isFailure)
    }

    @Test("words in To that are not addresses do not matter, an unreadable address leaves the criterion open")
    func unreadableTo() {
        var facts = GivenFacts()
        facts.unreadable.to = ["undisclosed people"]
        let policy = Policy.given([.given("one", [.to(WildcardPattern.list("@x.test"))])])
        #expect(!decide(facts, direction: .outgoing, policy: policy).isFailure)
        facts.unreadable.to = ["b ob@x.test"]
        #expect(decide(facts, direction: .outgoing, policy: policy).isFailure)
    }

    @Test("an empty filter takes every message, under AND as under OR", arguments: [Filter.Combination.all, .any])
    func emptyFilter(_ combination: Filter.Combination) {
        let decision = decide(
            GivenFacts(), direction: .incoming, policy: .given([.given("all", [], combination)]))
        #expect(decision.workflow?.name == "all")
        #expect(decision.criteria.isEmpty)
    }

    @Test("without workflows the NoFilterAction applies, and the reason says so")
    func noWorkflows() {
        let decision = decide(GivenFacts(), direction: .incoming, policy: .given([], noFilterAction: .recipients))
        #expect(decision.action == .recipients)
        #expect(decision.reason.contains("there is no workflow for incoming mail"))
    }

    @Test(
        "an outgoing bounce passes unchanged unless SignNullSender is set; an incoming one is matched like other mail")
    func nullSender() {
        var facts = GivenFacts()
        facts.hasNullSender = true
        let workflows = [Workflow.given("all", [])]
        let outgoing = decide(facts, direction: .outgoing, policy: .given(workflows))
        #expect(outgoing.workflow == nil)
        #expect(outgoing.action == .recipients)
        #expect(outgoing.reason.contains("SignNullSender"))
        #expect(decide(facts, direction: .outgoing, policy: .given(workflows, signNullSender: true)).workflow != nil)
        #expect(decide(facts, direction: .incoming, policy: .given(workflows)).workflow != nil)
    }

    @Test(
        "mail that is signed or encrypted already is signed only if the filter asks for it, or the policy allows it")
    func protectedMail() {
        let sign = [Operation.signEmail(SigningInstruction(profile: nil, key: .profileDefault))]
        let asking: [(MailProtection.Kind, Criterion.Test)] = [
            (.signed, .email(signed: true, encrypted: nil)), (.encrypted, .email(signed: nil, encrypted: true)),
        ]
        for (kind, criterion) in asking {
            for scheme in [MailProtection.Scheme.smime, .pgp] {
                var facts = GivenFacts()
                facts.protection = MailProtection(kind, by: scheme)
                facts.isSigned = kind == .signed
                facts.isEncrypted = kind == .encrypted
                func decision(
                    _ tests: [Criterion.Test], _ operations: [Operation], allowed: Bool = false
                ) -> Decision {
                    var policy = Policy.given([.given("w", tests, operations: operations)])
                    policy.signsProtectedMail = allowed
                    return decide(facts, direction: .outgoing, policy: policy)
                }
                let left = decision([], sign)
                #expect(left.workflow == nil && left.action == .recipients && left.operations.isEmpty)
                #expect(left.reason.contains("the message is \(kind.rawValue) already (\(scheme.rawValue))"))
                #expect(decision([], sign, allowed: true).workflow != nil)
                #expect(decision([criterion], sign).workflow != nil)
                #expect(decision([], [.verifyEmail]).workflow != nil)
            }
        }
        #expect(
            decide(GivenFacts(), direction: .outgoing, policy: .given([.given("w", [], operations: sign)])).workflow
                != nil)
    }

    @Test("the first matching SignAttachment is used, for profile and key each on its own")
    func attachmentInstructions() {
        func contains(_ text: String) -> [WildcardPattern] { WildcardPattern.list(text) }
        var instructions = AttachmentInstructions(
            profiles: [
                .init(contains: contains("contract*.pdf"), profile: "1", attributes: [], format: .cms),
                .init(contains: contains("pdf"), profile: "2", attributes: [], format: .own),
                .init(contains: contains("xml, docx"), profile: "3", attributes: [], format: .own),
            ],
            keys: [
                .init(contains: contains("xml"), key: .alias("x")), .init(contains: contains("pdf"), key: .fromAddress),
            ])
        let pdf = AttachmentFacts("a.pdf", type: "application/pdf", kinds: [.pdf])
        let contract = AttachmentFacts("contract-7.pdf", type: "application/pdf", kinds: [.pdf])
        let xml = AttachmentFacts("invoice", type: "text/xml", kinds: [.xml])
        let word = AttachmentFacts("a.DOCX")
        let image = AttachmentFacts("a.png")
        #expect(
            instructions.instruction(for: contract)
                == SigningInstruction(profile: "1", key: .fromAddress, format: .cms))
        #expect(instructions.instruction(for: pdf) == SigningInstruction(profile: "2", key: .fromAddress))
        #expect(instructions.instruction(for: xml) == SigningInstruction(profile: "3", key: .alias("x")))
        #expect(instructions.instruction(for: word) == SigningInstruction(profile: "3", key: .profileDefault))
        #expect(instructions.instruction(for: image) == nil)
        #expect(!instructions.isForEveryAttachment)
        instructions.profiles.append(.init(contains: nil, profile: "4", attributes: [], format: .own))
        #expect(instructions.instruction(for: image) == SigningInstruction(profile: "4", key: .profileDefault))
        #expect(instructions.isForEveryAttachment)
    }

    @Test("AND needs all, OR needs one")
    func combinations() {
        var facts = GivenFacts()
        facts.subject = "a"
        let tests: [Criterion.Test] = [.subject(contains: "a"), .subject(contains: "b")]
        let all = decide(facts, direction: .incoming, policy: .given([.given("w", tests, .all)]))
        let any = decide(facts, direction: .incoming, policy: .given([.given("w", tests, .any)]))
        #expect(all.workflow == nil)
        #expect(any.workflow != nil)
        #expect(all.criteria.map(\.holds) == [true, false])
        #expect(any.criteria.map(\.holds) == [true, false], "cheap criteria are all told, even when one has decided")
    }

    @Test("text and attachments are not read if the other criteria have decided, wherever they stand")
    func costlyLast() {
        var facts = GivenFacts()
        facts.subject = "a"
        let tests: [Criterion.Test] = [
            .body(contains: "x"), .attachment(contains: nil, signed: true), .subject(contains: "b"),
        ]
        let decision = decide(facts, direction: .incoming, policy: .given([.given("w", tests)]))
        #expect(decision.criteria.map(\.holds) == [nil, nil, false])
        #expect(decision.criteria[0].because.contains("not evaluated"))
        #expect(facts.asked.costly.isEmpty)

        let orTests: [Criterion.Test] = [
            .body(contains: ""), .attachment(contains: nil, signed: nil), .subject(contains: "b"),
        ]
        facts.givenText = "text"
        let or = decide(facts, direction: .incoming, policy: .given([.given("w", orTests, .any)]))
        #expect(or.criteria.map(\.holds) == [true, nil, false])
        #expect(facts.asked.costly == ["body"])
    }

    @Test("the configured value is reported as ses.xml has it")
    func configured() {
        var facts = GivenFacts()
        facts.givenText = "x"
        let tests: [Criterion.Test] = [
            .to(WildcardPattern.list(" a@x.test , b ")), .subject(contains: "a, b*"),
            .email(signed: true, encrypted: false),
            .attachment(contains: WildcardPattern.list("pdf,xml"), signed: false),
            .email(signed: nil, encrypted: true), .attachment(contains: nil, signed: true), .body(contains: "y"),
        ]
        let decision = decide(facts, direction: .incoming, policy: .given([.given("w", tests, .any)]))
        #expect(
            decision.criteria.map(\.value) == [
                "a@x.test,b", "a, b*", "signed=\"true\" encrypted=\"false\"", "contains=\"pdf,xml\" signed=\"false\"",
                "encrypted=\"true\"", "signed=\"true\"", "y",
            ])
        #expect(
            decision.criteria.map(\.criterion) == [
                "To", "Subject", "Email", "Attachment", "Email", "Attachment", "Body",
            ])
    }

    @Test("signed and encrypted are both required of one message", arguments: [false, true], [false, true])
    func email(_ isSigned: Bool, _ isEncrypted: Bool) {
        var facts = GivenFacts()
        facts.isSigned = isSigned
        facts.isEncrypted = isEncrypted
        func holds(_ signed: Bool?, _ encrypted: Bool?) -> Bool {
            decide(
                facts, direction: .incoming,
                policy: .given([.given("w", [.email(signed: signed, encrypted: encrypted)])])
            ).workflow != nil
        }
        #expect(holds(true, nil) == isSigned)
        #expect(holds(false, nil) == !isSigned)
        #expect(holds(nil, true) == isEncrypted)
        #expect(holds(true, false) == (isSigned && !isEncrypted))
        #expect(holds(nil, nil))
    }

    @Test("text of the message is bounded and harmless in every reason")
    func boundedReasons() {
        var facts = GivenFacts()
        let hostile = "\u{1B}[2J\r\nBcc: x\u{202E}\u{200B}" + String(repeating: "a", count: 100_000)
        facts.subject = hostile
        facts.from = [
            NamedAddress("a@x.test", named: hostile), NamedAddress("b@x.test"), NamedAddress("c@x.test"),
            NamedAddress("d@x.test"), NamedAddress("e@x.test"),
        ]
        facts.givenAttachments = [AttachmentFacts(hostile, type: "text/" + String(repeating: "b", count: 100_000))]
        let tests: [Criterion.Test] = [
            .from(WildcardPattern.list("nobody@y.test")), .subject(contains: "nothing"),
            .attachment(contains: WildcardPattern.list("pdf"), signed: nil),
        ]
        let decision = decide(facts, direction: .incoming, policy: .given([.given("w", tests, .any)]))
        for finding in decision.criteria {
            #expect(finding.holds == false)
            #expect(finding.because.count < 1_000)
            #expect(
                !finding.because.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202E || $0.value == 0x200B }
            )
        }
        #expect(decision.criteria[0].because.contains("and 2 more"))
        #expect(decision.criteria[1].because.contains("\\u{1b}[2J\\u{d}\\u{a}Bcc: x\\u{202e}\\u{200b}"))
    }
}
