import DSSProtocol
import InternetMessage
import Octets
import Processing
import Testing
import Workflows

@Suite("Actions: where a message goes and what is written about it")
struct RoutingActionTests {
    enum Cause: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case unmatched, failure, notTrusted, indeterminate, notSigned, encrypted
        var testDescription: String { rawValue }

        var direction: Direction {
            switch self {
            case .unmatched, .failure: .outgoing
            case .notTrusted, .indeterminate, .notSigned, .encrypted: .incoming
            }
        }

        var message: String {
            switch self {
            case .unmatched, .failure, .notSigned: Mail.plain
            case .notTrusted, .indeterminate: Mail.signed
            case .encrypted: Mail.enveloped
            }
        }

        /// The outcome word of what goes to the recipients.
        var word: String {
            switch self {
            case .unmatched: "passed"
            case .failure: "failed"
            case .notTrusted: "not-trusted"
            case .indeterminate: "indeterminate"
            case .notSigned, .encrypted: "not-signed"
            }
        }

        func bench(_ action: RoutingAction) -> Bench {
            var bench = Bench()
            switch self {
            case .unmatched: bench.policy.outgoing = DirectionPolicy(workflows: [], noFilterAction: action)
            case .failure:
                bench.signatures = .failing(Failure(.permanent, "the server said no", answer: "Error 7"))
                bench.policy.errorAction = action
            case .notTrusted:
                bench.signatures = .answering(.saying(.notTrusted))
                bench.policy.notTrustedAction = action
            case .indeterminate:
                bench.signatures = .answering(.saying(.indeterminate))
                bench.policy.indeterminateAction = action
            case .notSigned, .encrypted: bench.policy.notSignedAction = action
            }
            return bench
        }
    }

    static func expected(_ action: RoutingAction, _ cause: Cause) -> Set<String> {
        let envelope = "alice@example.test > bob@elsewhere.test,hidden@elsewhere.test \(cause.direction)"
        let recipients = "delivered \(cause.word) " + envelope
        let administrator = "admin notice <> > admin@example.test incoming + message/rfc822"
        let sender = "delivered notice <> > alice@example.test incoming + message/rfc822"
        // Where no recipient gets it, it is kept as well: a notice may be lost.
        let kept = "blocked blocked " + envelope
        return switch action {
        case .block: [kept]
        case .recipients: [recipients]
        case .administrator: [administrator, kept]
        case .administratorAndRecipients: [administrator, recipients]
        case .sender: [sender, kept]
        case .administratorAndSender: [administrator, sender, kept]
        }
    }

    @Test("every action has its folders, envelopes and words", arguments: Cause.allCases, RoutingAction.allCases)
    func action(_ cause: Cause, _ action: RoutingAction) async {
        let outcome = await cause.bench(action).process(
            cause.message, direction: cause.direction, block: Mail.block(), isBare: false)
        #expect(Set(outcome.summary) == Self.expected(action, cause))
        #expect(outcome.outputs.count == Self.expected(action, cause).count)
        #expect(!outcome.account.reason.isEmpty)
        #expect(outcome.outputs.allSatisfy { !$0.reason.isEmpty })
        #expect(outcome.outputs.allSatisfy { $0.workflow == (cause == .unmatched ? nil : outcome.account.workflow) })
    }

    @Test("the copy beside a notice is the message as it came, and is marked", arguments: RoutingAction.allCases)
    func kept(_ action: RoutingAction) async throws {
        let outcome = await Cause.failure.bench(action).process(Mail.plain, direction: .outgoing)
        let kept = outcome.outputs.filter { $0.folder == .blocked }
        let isTold = [.administrator, .sender, .administratorAndSender].contains(action)
        #expect(kept.map(\.isKeptBesideNotice) == (isTold ? [true] : action == .block ? [false] : []))
        for output in kept { #expect(output.text.hasSuffix(Mail.plain.replacingLineEnds)) }
    }

    @Test("the administrator's notice names all recipients, the rule and the commands; a sender's names none of these")
    func inside() async throws {
        let outcome = await Cause.failure.bench(.administratorAndSender).process(
            Mail.plain, direction: .outgoing, block: Mail.block(), isBare: false)
        let administrator = try #require(outcome.outputs.first { $0.folder == .admin }).text
        for wanted in [
            "hidden@elsewhere.test", "EMAIL_TO_ADMINISTRATOR_AND_SENDER", "ses.xml line", "ses release eeeeeeeeeeee",
            "ses reject eeeeeeeeeeee", "ses trace eeeeeeeeeeee",
        ] { #expect(administrator.contains(wanted), "\(wanted)") }
        let sender = try #require(outcome.delivered).text
        for unwanted in ["hidden@", "ses release", "ses.xml line", "ses trace"] {
            #expect(!sender.contains(unwanted), "\(unwanted)")
        }
        let told = await Cause.failure.bench(.administratorAndRecipients).process(Mail.plain, direction: .outgoing)
        let copy = try #require(told.outputs.first { $0.folder == .admin }).text
        #expect(!copy.contains("ses release") && copy.contains("ses trace"))
    }

    @Test(
        "a mail to recipients after a failure or unmatched is unchanged, below our own fields",
        arguments: [Cause.unmatched, .failure])
    func asItArrived(_ cause: Cause) async throws {
        let outcome = await cause.bench(.recipients).process(Mail.plain, direction: .outgoing)
        let output = try #require(outcome.delivered)
        let text = output.text
        #expect(text.hasSuffix(Mail.plain.replacingLineEnds))
        let received = try #require(try output.fields("Received").first)
        #expect(received.contains("by ses.example.test (SES)") && received.contains("1800000000.unique."))
        #expect(!text.contains("Authentication-Results"))
    }

    @Test("a notice gives the event, the reason, the workflow, the server's message and the message concerned")
    func noticeText() async throws {
        let outcome = await Cause.failure.bench(.administrator).process(Mail.plain, direction: .outgoing)
        let notice = try #require(outcome.outputs.first)
        let text = notice.text
        for wanted in [
            "message not signed", "the server said no", "sign", "Error 7", "Alice <alice@example.test>",
            "bob@elsewhere.test", "Offer", "Mon, 23 Nov 2026", String(repeating: "e", count: 32),
        ] { #expect(text.contains(wanted), "\(wanted)") }
        #expect(try notice.fields("Auto-Submitted") == ["auto-generated"])
        #expect(try notice.fields("To") == ["admin@example.test"])
        #expect(try notice.fields("From") == ["SES <postmaster@example.test>"])
        #expect(text.contains(Mail.plain.replacingLineEnds))
    }

    @Test(
        "the server's answer goes with a notice and with a shown result if the workflow says so",
        arguments: [true, false])
    func attachedAnswer(_ isAsked: Bool) async throws {
        var bench = Cause.notTrusted.bench(.administratorAndRecipients)
        bench.policy.incoming.workflows[0].attachesResponse = isAsked
        bench.policy.incoming.workflows[0].resultRule = .originalAsAttachment
        let outcome = await bench.process(Mail.signed, direction: .incoming, block: Mail.block(), isBare: false)
        let notice = try #require(outcome.outputs.first { $0.folder == .admin })
        #expect(notice.attachments.contains("application/xml") == isAsked)
        let shown = try #require(try outcome.delivered?.message).root.children.map(\.contentType.mediaType)
        #expect(shown.contains("application/xml") == isAsked)
        #expect(shown.contains("message/rfc822"))
    }

    @Test(
        "an untrusted mail that goes to recipients shows its real verdict",
        arguments: [Verdict.notTrusted, .indeterminate])
    func realVerdict(_ verdict: Verdict) async throws {
        var bench = Bench(signatures: .answering(.saying(verdict)))
        bench.policy.notTrustedAction = .recipients
        bench.policy.indeterminateAction = .recipients
        bench.policy.incoming.workflows[0].resultRule = .originalAsAttachment
        let outcome = await bench.process(Mail.signed, direction: .incoming)
        let shown = try #require(outcome.delivered)
        #expect(shown.text.contains("Signature check: " + verdict.words))
        #expect(outcome.account.verdict == verdict.words)
    }

    @Test("a notice to an administrator outside travels out")
    func administratorElsewhere() async {
        var bench = Cause.failure.bench(.administrator)
        bench.policy.administrator = Mail.address("noc@provider.test")
        let failed = await bench.process(Mail.plain, direction: .outgoing)
        #expect(failed.outputs.map(\.direction) == [.outgoing, .outgoing])
    }

    @Test("a copy that the limit leaves out is named in the reason; the only copy is never left out")
    func administratorLimit() async {
        var bench = Cause.failure.bench(.administratorAndRecipients)
        bench.mayNotify = false
        let copied = await bench.process(Mail.plain, direction: .outgoing)
        #expect(copied.outputs.map(\.folder) == [.delivered, .admin], "the limit of senders is for senders")
        bench.admitsCopy = false
        let passed = await bench.process(Mail.plain, direction: .outgoing)
        #expect(passed.outputs.map(\.folder) == [.delivered])
        #expect(passed.account.reason.contains("AdminCopiesPerHour"))
        bench.policy.errorAction = .administrator
        let kept = await bench.process(Mail.plain, direction: .outgoing)
        #expect(kept.outputs.map(\.folder) == [.admin, .blocked])
    }
}
