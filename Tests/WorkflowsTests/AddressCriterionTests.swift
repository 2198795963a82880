import InternetMessage
import Testing

@testable import Workflows

@Suite("To, From, CC and BCC")
struct AddressCriterionTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let contains: String
        let address: String
        var name: String?
        let holds: Bool
        var testDescription: String { "\(contains) against \(name ?? "") <\(address)>: \(holds)" }

        init(_ contains: String, _ address: String, named name: String? = nil, _ holds: Bool) {
            self.contains = contains
            self.address = address
            self.name = name
            self.holds = holds
        }
    }

    @Test(
        "an alternative with @ is the whole address, any other is contained in address or display name",
        arguments: [
            Case("alice@x.test", "alice@x.test", true),
            Case("alice@x.test", "Alice@X.TEST", true),
            Case("alice@x.test", "malice@x.test", false),
            Case("alice@x.test", "alice@x.test.evil.test", false),
            Case("@x.test", "bob@x.test", true),
            Case("@x.test", "bob@sub.x.test", false),
            Case("@*.x.test", "bob@sub.x.test", true),
            Case("*@*x.test", "bob@sub.x.test", true),
            Case("@x.test", "bob@x.test.evil.test", false),
            Case("a*e@x.test", "alice@x.test", true),
            Case("a*e@x.test", "alicia@x.test", false),
            Case("al*@*", "alice@x.test", true),
            Case("boss@x.test", "eve@evil.test", named: "boss@x.test", false),
            Case("@x.test", "eve@evil.test", named: "Boss @x.test", false),
            Case("boss", "eve@evil.test", named: "The Boss", true),
            Case("x.test", "bob@x.test", true),
            Case("x.test", "bob@x.test.evil.test", true),
            Case("ali", "malice@x.test", true),
            Case("m*c", "malice@x.test", true),
            Case("m*z", "malice@x.test", false),
            Case("MÜLLER", "m@x.test", named: "Jörg Müller", true),
            Case("Σίσυφος", "s@x.test", named: "ΣΊΣΥΦΟΣ", true),
            Case("müller", "m@x.test", named: "Mu\u{308}ller", true),
            Case("eve, @x.test", "bob@x.test", true),
            Case("eve, @x.test", "bob@y.test", false),
            Case(",, ,@x.test,", "bob@x.test", true),
            Case("*", "bob@y.test", true),
            Case("bob smith@x.test", "bob smith@x.test", true),
            Case("\"bob smith\"@x.test", "bob smith@x.test", true),
            Case("@x.test", "eve@x.test@evil.test", false),
            Case("@münchen.test", "bob@xn--mnchen-3ya.test", true),
            Case("@xn--mnchen-3ya.test", "bob@MÜNCHEN.test", true),
            Case("@mu\u{308}nchen.test", "bob@xn--mnchen-3ya.test", true),
            Case("@ｍünchen。test", "bob@xn--mnchen-3ya.test", true),
            Case("@*.münchen.test", "bob@mail.xn--mnchen-3ya.test", true),
            Case("*@mün*.test", "bob@xn--mnchen-3ya.test", true),
            Case("münchen.test", "bob@xn--mnchen-3ya.test", true),
            Case("xn--mnchen-3ya", "bob@münchen.test", true),
            Case("@münchen.test", "bob@sub.xn--mnchen-3ya.test", false),
            Case("@münchen.test", "bob@munchen.test", false),
            Case("@munchen.test", "bob@münchen.test", false),
            Case("@strasse.test", "bob@straße.test", false),
            Case("@münchen.test", "bob@xn--mnchen-3ya.test.evil.test", false),
            Case("@münchen.test", "eve@evil.test", named: "bob@xn--mnchen-3ya.test", false),
            Case("xn--mnchen-3ya", "eve@evil.test", named: "münchen", false),
            Case("admin", "adm\u{131}n@x.test", false),
        ])
    func alternatives(_ given: Case) {
        var facts = GivenFacts()
        facts.from = [NamedAddress(given.address, named: given.name)]
        let evaluation = CriterionEvaluation(facts: facts)
        let answer = evaluation.evaluate(.from(WildcardPattern.list(given.contains)))
        #expect(answer.holds == given.holds, "\(answer.because)")
    }

    @Test("each field looks at its own addresses, and any of them may match")
    func fields() {
        var facts = GivenFacts()
        facts.to = [NamedAddress("other@y.test"), NamedAddress("to@x.test")]
        facts.cc = [NamedAddress("cc@x.test")]
        facts.bcc = [NamedAddress("bcc@x.test")]
        facts.from = [NamedAddress("from@x.test")]
        let evaluation = CriterionEvaluation(facts: facts)
        let fields: [(String, ([WildcardPattern]) -> Criterion.Test)] = [
            ("to", Criterion.Test.to), ("cc", Criterion.Test.cc), ("bcc", Criterion.Test.bcc),
            ("from", Criterion.Test.from),
        ]
        for (name, test) in fields {
            for (other, _) in fields {
                let answer = evaluation.evaluate(test(WildcardPattern.list(other + "@x.test")))
                #expect(answer.holds == (name == other), "\(name) against \(other)")
            }
        }
        #expect(evaluation.evaluate(.to(WildcardPattern.list("to@x.test"))).because == "To is to@x.test")
    }

    @Test("without an address the criterion does not hold")
    func noAddress() {
        let answer = CriterionEvaluation(facts: GivenFacts()).evaluate(.cc(WildcardPattern.list("*")))
        #expect(answer.holds == false)
        #expect(answer.because == "there is no CC address")
    }
}
