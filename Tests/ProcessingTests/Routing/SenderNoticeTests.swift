import Composition
import InternetMessage
import Octets
import Processing
import Testing
import Workflows

@Suite("Notices to senders (RFC 3834)")
struct SenderNoticeTests {
    static func bench(_ action: RoutingAction = .sender) -> Bench {
        var bench = Bench(signatures: .failing(Failure(.permanent, "the server said no")))
        bench.policy.errorAction = action
        return bench
    }

    struct Suppressed: CustomTestStringConvertible, Sendable {
        let name: String
        let sender: String?
        var fields = ""
        var testDescription: String { name }
    }

    static let suppressed = [
        Suppressed(name: "the null sender", sender: "<>"),
        Suppressed(name: "an unknown sender", sender: nil),
        Suppressed(
            name: "an automatic message", sender: "alice@example.test", fields: "Auto-Submitted: auto-replied\n"),
        Suppressed(
            name: "an automatic message with a comment", sender: "alice@example.test",
            fields: "Auto-Submitted: auto-generated; owner-email=x\n"),
    ]

    @Test("without a notice the message is kept in blocked", arguments: suppressed)
    func nobodyIsTold(_ given: Suppressed) async {
        var bench = Self.bench()
        bench.policy.signNullSender = true
        let outcome = await bench.process(
            given.fields + Mail.plain, direction: .outgoing, block: Mail.block(from: given.sender), isBare: false)
        #expect(outcome.outputs.map(\.folder) == [.blocked])
        #expect(outcome.outputs.first?.text.hasSuffix(Mail.plain.replacingLineEnds) == true)
    }

    @Test("with the administrator's copy nothing has to be kept", arguments: suppressed)
    func administratorIsTold(_ given: Suppressed) async {
        var bench = Self.bench(.administratorAndSender)
        bench.policy.signNullSender = true
        let outcome = await bench.process(
            given.fields + Mail.plain, direction: .outgoing, block: Mail.block(from: given.sender), isBare: false)
        #expect(outcome.summary.first == "admin notice <> > admin@example.test incoming + message/rfc822")
        #expect(outcome.outputs.dropFirst().map(\.isKeptBesideNotice) == [true])
    }

    @Test(
        "the sender's notification request goes with the message, and notices ask for nothing",
        arguments: [RoutingAction.recipients, .block, .administratorAndRecipients, .administratorAndSender])
    func notifications(_ action: RoutingAction) async {
        let request = NotificationRequest(
            notify: NotificationRequest.Notify([.success]), returned: .header,
            identifier: EnvelopeIdentifier(xtext: "id+20one"))
        let outcome = await Self.bench(action).process(
            Mail.plain, direction: .outgoing, block: Mail.block(asking: request), isBare: false)
        #expect(!outcome.outputs.isEmpty)
        for output in outcome.outputs {
            let isNotice = output.word == .notice
            #expect(output.envelope.notification == (isNotice ? NotificationRequest(notify: .never) : request))
        }
    }

    @Test("Auto-Submitted: no is a person's message")
    func byHand() async {
        let outcome = await Self.bench().process(
            "Auto-Submitted: No\n" + Mail.plain, direction: .outgoing, block: Mail.block(), isBare: false)
        #expect(outcome.summary.first == "delivered notice <> > alice@example.test incoming + message/rfc822")
        #expect(outcome.outputs.dropFirst().map(\.isKeptBesideNotice) == [true])
    }

    @Test("an outsider gets text and header alone, and the message is kept in blocked")
    func outsider() async throws {
        let outcome = await Self.bench().process(
            Mail.plain, direction: .outgoing, block: Mail.block(from: "eve@elsewhere.test"), isBare: false)
        #expect(
            outcome.summary == [
                "delivered notice <> > eve@elsewhere.test outgoing + text/rfc822-headers",
                "blocked blocked eve@elsewhere.test > bob@elsewhere.test,hidden@elsewhere.test outgoing",
            ])
        let notice = try #require(outcome.delivered)
        #expect(!notice.text.contains("this is the text"))
        #expect(notice.text.contains("Subject: Offer"))
    }

    @Test("an outsider who had enough notices gets no more, and the message is kept")
    func limited() async {
        var bench = Self.bench()
        bench.mayNotify = false
        let outcome = await bench.process(
            Mail.plain, direction: .outgoing, block: Mail.block(from: "eve@elsewhere.test"), isBare: false)
        #expect(outcome.outputs.map(\.folder) == [.blocked])
    }

    @Test("a notice that carries the only copy is not limited")
    func onlyCopy() async {
        var bench = Self.bench()
        bench.mayNotify = false
        let outcome = await bench.process(Mail.plain, direction: .outgoing, block: Mail.block(), isBare: false)
        #expect(outcome.summary.first == "delivered notice <> > alice@example.test incoming + message/rfc822")
        #expect(outcome.outputs.dropFirst().map(\.isKeptBesideNotice) == [true])
    }

    @Test("without an administrator's address the message is kept in blocked")
    func noAdministrator() async {
        var bench = Self.bench(.administrator)
        bench.policy.administrator = nil
        let outcome = await bench.process(Mail.plain, direction: .outgoing)
        #expect(outcome.outputs.map(\.folder) == [.blocked])
    }
}
