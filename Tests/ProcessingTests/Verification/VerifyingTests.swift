import DSSProtocol
import Explanations
import InternetMessage
import Octets
import Processing
import Testing
import Workflows

@Suite("VERIFY_EMAIL: the server's trusted is necessary, never sufficient ")
struct VerifyingTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        var message = Mail.signed
        var server = Verdict.trusted
        var inspection = ScriptedInspection()
        var identity = SignerIdentityRule.enforce
        let verdict: String
        var asksServer = true
        var testDescription: String { name }
    }

    static let mismatched = ScriptedInspection(found: .signed(by: "eve@elsewhere.test"))

    static let cases = [
        Case(name: "trusted", verdict: "trusted"),
        Case(
            name: "trusted, content enclosed", message: Mail.opaque,
            inspection: ScriptedInspection(found: .signed(by: "alice@example.test", enclosing: true)),
            verdict: "trusted"),
        Case(name: "not trusted by the server", server: .notTrusted, verdict: "not trusted"),
        Case(name: "indeterminate at the server", server: .indeterminate, verdict: "indeterminate"),
        Case(
            name: "broken here, whatever the server says", inspection: ScriptedInspection(integrity: .broken("digest")),
            verdict: "not trusted"),
        Case(
            name: "broken here, indeterminate at the server", server: .indeterminate,
            inspection: ScriptedInspection(integrity: .broken("digest")), verdict: "not trusted"),
        Case(
            name: "cannot be checked here", inspection: ScriptedInspection(integrity: .unknown("algorithm")),
            verdict: "indeterminate"),
        Case(
            name: "cannot be checked here, not trusted by the server", server: .notTrusted,
            inspection: ScriptedInspection(integrity: .unknown("algorithm")), verdict: "not trusted"),
        Case(name: "cannot be read here", inspection: ScriptedInspection(unreadable: "no CMS"), verdict: "not trusted"),
        Case(
            name: "no signer", inspection: ScriptedInspection(found: CMSFacts(enclosesContent: false, signers: [])),
            verdict: "not trusted"),
        Case(
            name: "an eContent beside the detached content",
            inspection: ScriptedInspection(found: .signed(by: "alice@example.test", enclosing: true)),
            verdict: "not trusted"),
        Case(
            name: "the enclosed content does not fit", message: Mail.opaque,
            inspection: ScriptedInspection(
                found: .signed(by: "alice@example.test", enclosing: true), enclosedIntegrity: .broken("digest")),
            verdict: "not trusted"),
        Case(name: "somebody else signed", inspection: mismatched, verdict: "not trusted"),
        Case(
            name: "somebody else signed, which is only reported", inspection: mismatched, identity: .report,
            verdict: "trusted"),
        Case(
            name: "two From fields", message: Mail.clearSigned(from: "From: alice@example.test\nFrom: eve@evil.test"),
            verdict: "not trusted"),
        Case(
            name: "two From addresses", message: Mail.clearSigned(from: "From: alice@example.test, eve@evil.test"),
            verdict: "not trusted"),
        Case(
            name: "two Content-Type fields",
            message: Mail.signed.replacing("boundary=b\n", with: "boundary=b\nContent-Type: text/plain\n"),
            verdict: "not trusted"),
        Case(
            name: "a third part", message: Mail.signed.replacing("--b--", with: "--b\n\nmore\n--b--"),
            verdict: "not trusted"),
        Case(name: "no closing boundary", message: Mail.signed.replacing("--b--", with: ""), verdict: "not trusted"),
        Case(name: "only a part is signed", message: Mail.partlySigned, verdict: "not trusted", asksServer: false),
        Case(
            name: "a signed copy of the header with another From",
            message: Mail.clearSigned(type: "text/plain; hp=\"clear\"", header: "From: eve@evil.test"),
            verdict: "not trusted"),
        Case(
            name: "a signed copy of the header with the same From",
            message: Mail.clearSigned(
                type: "text/plain; protected-headers=v1", header: "From: ALICE <alice@example.test>"),
            verdict: "trusted"),
        Case(name: "not signed", message: Mail.plain, verdict: "not signed", asksServer: false),
        Case(
            name: "encrypted", message: Mail.enveloped, verdict: "not signed (encrypted, not checked)",
            asksServer: false),
    ]

    @Test("local findings lower the verdict and never raise it", arguments: cases)
    func verdict(_ given: Case) async {
        var bench = Bench(signatures: .answering(.saying(given.server)), inspection: given.inspection)
        bench.policy.signerIdentity = given.identity
        bench.policy.indeterminateAction = .block
        let outcome = await bench.process(given.message, direction: .incoming)
        #expect(outcome.account.verdict == given.verdict)
        #expect(bench.signatures.requests.count == (given.asksServer ? 1 : 0))
        switch given.verdict {
        case "trusted": #expect(outcome.outputs.map(\.word) == [.verified])
        case "not trusted": #expect(outcome.outputs.map(\.folder) == [.admin, .blocked])
        case "indeterminate": #expect(outcome.outputs.map(\.folder) == [.blocked])
        default: #expect(outcome.outputs.map(\.word) == [.notSigned])
        }
    }

    @Test("a trusted mail is what arrived, below our own fields")
    func asItArrived() async throws {
        let outcome = await Bench(signatures: .answering(.saying(.trusted))).process(Mail.signed, direction: .incoming)
        let output = try #require(outcome.delivered)
        #expect(output.text.hasSuffix(Mail.signed.replacingLineEnds))
    }

    @Test("forged claims of ours are taken out, those of others stay")
    func forged() async throws {
        let forged =
            "X-SES-Outcome: verified\nAuthentication-Results: ses.example.test; smime=pass\n"
            + "Authentication-Results: other.test; spf=pass\n"
        let outcome = await Bench().process(forged + Mail.plain, direction: .incoming)
        let output = try #require(outcome.delivered)
        #expect(try output.fields("X-SES-Outcome").isEmpty)
        let results = try output.fields("Authentication-Results")
        #expect(results.count == 2)
        #expect(results.first?.contains("smime=none") == true && results.last == "other.test; spf=pass")
        #expect(outcome.account.removed.count == 2)
    }

    @Test("a mismatch that is only reported is still told")
    func reported() async throws {
        var bench = Bench(signatures: .answering(.saying(.trusted)), inspection: Self.mismatched)
        bench.policy.signerIdentity = .report
        bench.policy.incoming.workflows[0].resultRule = .originalAsAttachment
        let output = try #require(await bench.process(Mail.signed, direction: .incoming).delivered)
        #expect(output.text.contains("eve@elsewhere.test"))
        #expect(try output.fields("Authentication-Results").first?.contains("smime=policy") == true)
    }

    @Test("whoever else may sign is the policy's to say, also where the server itself found another signer")
    func acceptedSigner() async throws {
        var bench = Bench(
            signatures: .answering(.saying(.notTrusted, onlySignerWrong: true)), inspection: Self.mismatched)
        let enforced = await bench.process(Mail.signed, direction: .incoming)
        #expect(enforced.account.verdict == "not trusted")
        bench.policy.signerIdentity = .report
        let reported = await bench.process(Mail.signed, direction: .incoming)
        #expect(reported.account.verdict == "trusted")
        #expect(
            try #require(reported.delivered).fields("Authentication-Results").first?.contains("smime=policy") == true)
        bench.inspection.integrity = .broken("digest")
        #expect(await bench.process(Mail.signed, direction: .incoming).account.verdict == "not trusted")
        bench.policy.signerIdentity = .enforce
        bench.inspection = ScriptedInspection(found: .signed(by: "gateway@example.test"))
        bench.policy.organisationSigners = [.domain("example.test")]
        let listed = await bench.process(Mail.signed, direction: .incoming)
        #expect(listed.account.verdict == "trusted")
        #expect(try #require(listed.delivered).fields("Authentication-Results").first?.contains("smime=pass") == true)
        bench.inspection = ScriptedInspection(found: .signed(by: "alice@example.test"))
        let doubted = await bench.process(Mail.signed, direction: .incoming)
        #expect(doubted.account.verdict == "not trusted", "a server that is stricter than we are is believed")
    }

    // MARK: - Authentication-Results (RFC 8601 §2.7.1, RFC 7281)

    struct Result: CustomTestStringConvertible, Sendable {
        let value: String
        var message = Mail.signed
        var answer = VerificationAnswer.saying(.trusted)
        var failure: Failure?
        var inspection = ScriptedInspection()
        var note = ""
        var testDescription: String { value + " " + note }
    }

    static let results = [
        Result(value: "none", message: Mail.plain),
        Result(value: "none", message: Mail.enveloped, note: "encrypted"),
        Result(value: "pass"),
        Result(value: "fail", answer: .saying(.notTrusted)),
        Result(value: "fail", inspection: ScriptedInspection(integrity: .broken("digest")), note: "broken here"),
        Result(value: "fail", message: Mail.partlySigned, note: "partly signed"),
        Result(value: "policy", inspection: mismatched),
        Result(
            value: "policy", answer: .saying(.notTrusted, onlySignerWrong: true), inspection: mismatched,
            note: "the server found it too"),
        Result(
            value: "fail", answer: .saying(.notTrusted), inspection: mismatched,
            note: "mismatch, and the server has more against it"),
        Result(
            value: "fail", answer: .saying(.notTrusted, onlySignerWrong: true),
            inspection: ScriptedInspection(found: .signed(by: "eve@elsewhere.test"), integrity: .broken("digest")),
            note: "mismatch and broken"),
        Result(
            value: "fail", answer: .saying(.indeterminate), inspection: mismatched, note: "mismatch and indeterminate"),
        Result(
            value: "fail", message: Mail.clearSigned(from: "From: alice@example.test\nFrom: eve@evil.test"),
            note: "two From fields"),
        Result(value: "neutral", answer: .saying(.indeterminate)),
        Result(
            value: "neutral", inspection: ScriptedInspection(integrity: .unknown("algorithm")),
            note: "cannot be checked here"),
        Result(
            value: "temperror", answer: .saying(.indeterminate, revocationUnreachable: true),
            note: "revocation unreachable"),
        Result(value: "temperror", failure: Failure(.transient, "no connection"), note: "given up"),
        Result(value: "permerror", failure: Failure(.permanent, "unknown profile")),
    ]

    @Test("the value tells what came of it", arguments: results)
    func result(_ given: Result) async throws {
        var bench = Bench(
            signatures: given.failure.map(ScriptedSignatures.failing) ?? .answering(given.answer),
            inspection: given.inspection)
        bench.delays = []
        bench.policy.errorAction = .recipients
        bench.policy.notTrustedAction = .recipients
        bench.policy.indeterminateAction = .recipients
        let output = try #require(await bench.process(given.message, direction: .incoming).delivered)
        let fields = try output.fields("Authentication-Results")
        #expect(fields.count == 1)
        let words = try #require(fields.first).split(separator: " ")
        #expect(words.prefix(2) == ["ses.example.test;", "smime=\(given.value)"])
        // It is for people, and would be cut here.
        #expect(!Advice.allCases.contains { fields[0].contains($0.text.prefix(25)) }, "\(fields)")
    }

    @Test("outgoing mail bears none, and unmatched incoming mail neither", arguments: Direction.allCases)
    func noResult(_ direction: Direction) async throws {
        var bench = Bench(signatures: .signing)
        bench.policy.incoming.workflows = []
        let output = try #require(await bench.process(Mail.plain, direction: direction).delivered)
        #expect(try output.fields("Authentication-Results").isEmpty)
    }
}
