import DSSProtocol
import InternetMessage
import Octets
import Processing
import Testing
import Workflows

@Suite("Transient failures")
struct DeferralTests {
    static let transient = Failure(.transient, "no connection to the signing server")

    @Test("it waits on the schedule, attempt by attempt", arguments: Direction.allCases)
    func schedule(_ direction: Direction) async {
        let bench = Bench(signatures: .failing(Self.transient))
        for (attempts, expected) in [(0, [1, 300]), (1, [2, 600])] {
            let outcome = await bench.process(Mail.signed, direction: direction, attempts: attempts)
            #expect(outcome.deferral == expected)
            #expect(outcome.account.reason == Self.transient.summary)
            #expect(outcome.account.failure == Self.transient)
        }
    }

    @Test("after the last attempt EmailErrorAction applies, and says so", arguments: RoutingAction.allCases)
    func givenUp(_ action: RoutingAction) async {
        var bench = Bench(signatures: .failing(Self.transient))
        bench.policy.errorAction = action
        let outcome = await bench.process(
            Mail.plain, direction: .outgoing, attempts: 2, block: Mail.block(), isBare: false)
        #expect(outcome.deferral == nil)
        #expect(!outcome.outputs.isEmpty)
        #expect(outcome.account.reason == "given up after 3 attempts: " + Self.transient.summary)
        if let delivered = outcome.outputs.first(where: { $0.word == .failed }) {
            #expect(delivered.text.hasSuffix(Mail.plain.replacingLineEnds), "as it arrived")
        }
    }

    @Test("a permanent failure does not wait")
    func permanent() async {
        let outcome = await Bench(signatures: .failing(Failure(.permanent, "unknown key"))).process(
            Mail.plain, direction: .outgoing)
        #expect(outcome.outputs.map(\.folder) == [.admin, .blocked])
    }

    @Test("each attempt asks under a new RequestID")
    func requestID() async {
        let bench = Bench(signatures: .failing(Self.transient))
        for attempts in 0..<3 { _ = await bench.process(Mail.plain, direction: .outgoing, attempts: attempts) }
        #expect(Set(bench.signatures.requests).count == 3)
        for request in bench.signatures.requests {
            #expect(
                request.wholeMatch(of: /SES-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil
            )
        }
    }

    @Test("an unreachable revocation service is tried again first, then the action for indeterminate applies")
    func revocation() async {
        var bench = Bench(signatures: .answering(.saying(.indeterminate, revocationUnreachable: true)))
        bench.policy.indeterminateAction = .block
        bench.policy.errorAction = .recipients
        #expect(await bench.process(Mail.signed, direction: .incoming).deferral == [1, 300])
        #expect(await bench.process(Mail.signed, direction: .incoming, attempts: 1).deferral == [2, 600])
        let last = await bench.process(Mail.signed, direction: .incoming, attempts: 2)
        #expect(last.outputs.map(\.folder) == [.blocked])
        #expect(last.account.verdict == "indeterminate")
    }

    @Test("an unreachable revocation service does not hold up a mail that is not trusted anyway")
    func revocationOfForged() async {
        let bench = Bench(
            signatures: .answering(.saying(.indeterminate, revocationUnreachable: true)),
            inspection: ScriptedInspection(integrity: .broken("digest")))
        #expect(await bench.process(Mail.signed, direction: .incoming).outputs.map(\.folder) == [.admin, .blocked])
    }

    @Test("a long or many-lined answer of the server is one bounded line of the account")
    func answerLine() async throws {
        let answer = String(repeating: "[Error-41004]\r\n", count: 10_000)
        let outcome = await Bench(signatures: .failing(Failure(.permanent, "no", answer: answer))).process(
            Mail.plain, direction: .outgoing)
        let line = try #require(outcome.account.serverAnswer)
        #expect(line.utf8.count < 1_000 && !line.contains("\n"))
    }

    @Test(
        "an answer in XML is not a line for people, but is attached to the notice if the configuration says so",
        arguments: [true, false])
    func answerXML(isAsked: Bool) async throws {
        var bench = Bench(signatures: .failing(Failure(.permanent, "no", answer: "<dss:SignResponse/>")))
        bench.policy.outgoing.workflows[0].attachesResponse = isAsked
        let outcome = await bench.process(Mail.plain, direction: .outgoing)
        #expect(outcome.account.serverAnswer == nil)
        let notice = try #require(outcome.outputs.first).content.collected().text
        #expect(notice.contains("verification-response-") == isAsked)
        #expect(notice.contains(Base64.encode(Array("<dss:SignResponse/>".utf8))) == isAsked)
    }
}
