import TestSupport
import Testing

@testable import Workflows

@Suite("Subject and Body")
struct TextCriterionTests {
    private func subject(_ subject: String?, contains: String) -> Bool {
        var facts = GivenFacts()
        facts.subject = subject
        return CriterionEvaluation(facts: facts).evaluate(.subject(contains: contains)).holds == true
    }

    private func body(_ text: String, contains: String) -> Bool {
        var facts = GivenFacts()
        facts.givenText = text
        return CriterionEvaluation(facts: facts).evaluate(.body(contains: contains)).holds == true
    }

    @Test("a Subject is searched literally, without case")
    func subject() {
        #expect(subject("Re: INVOICE 7", contains: "invoice"))
        #expect(!subject("Re: offer", contains: "invoice"))
        #expect(subject("a, b", contains: "a, b"))
        #expect(!subject("b", contains: "a, b"), "a comma separates nothing")
        #expect(subject("100 * 2", contains: "0 * 2"))
        #expect(!subject("100 x 2", contains: "0 * 2"), "* is no wildcard")
        #expect(subject("Straße", contains: "STRAßE"))
        #expect(!subject("Strasse", contains: "Straße"), "simple folding does not change the number of characters")
        #expect(subject("ÜBERWEISUNG", contains: "überweisung"))
        #expect(subject("ОПЛАТА счёта", contains: "оплата СЧЁТА"))
        #expect(!subject(nil, contains: ""), "no Subject is not an empty one")
        #expect(subject("", contains: ""))
    }

    @Test("a Body is searched literally, without case and without regard to where lines are wrapped")
    func body() {
        #expect(body("Please find the\r\nInvoice attached", contains: "the invoice"))
        #expect(body("Please pay", contains: "please  pay"))
        #expect(!body("Please\r\npay", contains: "pleasepay"))
        #expect(body("Bitte\u{A0}zahlen \u{A0} Sie", contains: "BITTE zahlen sie"), "HTML is full of no-break spaces")
        #expect(body("日本語 ΑΣ\r\nÄb", contains: "語 ας äB"))
        #expect(!body("a b", contains: "a*b"))
        #expect(!body("", contains: "x"))
    }

    @Test("the reason gives the size of the searched text")
    func reason() {
        var facts = GivenFacts()
        facts.givenText = "12345"
        let answer = CriterionEvaluation(facts: facts).evaluate(.body(contains: "x"))
        #expect(answer.because.contains("5 octets"))
    }
}

@Suite("Wildcards")
struct WildcardTests {
    private func matches(_ pattern: String, _ text: String) -> Bool {
        TextPattern(whole: pattern).matches(ComparableText(text))
    }

    @Test(
        "* stands for any run of characters, the empty one too",
        arguments: [
            ("", "", true), ("*", "", true), ("**", "", true), ("a", "a", true), ("a", "ab", false), ("a*", "a", true),
            ("*a", "ba", true), ("*a", "ab", false), ("a*a", "a", false), ("a*a", "aa", true),
            ("a*b*c", "a1b2b3c", true),
            ("a*bb*c", "abc", false), ("a*b*b*c", "abc", false), ("*aab*", "aaab", true), ("*ab*ab*", "abab", true),
            ("*ab*ab*", "aab", false), ("é*", "ÉCOLE", true), ("*?*", "a", false),
        ])
    func table(_ given: (String, String, Bool)) {
        #expect(matches(given.0, given.1) == given.2, "\(given.0) against \(given.1)")
    }

    /// The plain definition, for comparison.
    private func reference(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        if first == UInt8(ascii: "*") {
            return (text.startIndex...text.endIndex).contains { reference(pattern.dropFirst(), text[$0...]) }
        }
        return text.first == first && reference(pattern.dropFirst(), text.dropFirst())
    }

    @Test("agrees with the plain definition on every short pattern and text")
    func exhaustive() {
        func words(_ alphabet: [UInt8], upTo length: Int) -> [[UInt8]] {
            var all: [[UInt8]] = [[]]
            var last = all
            for _ in 0..<length {
                last = last.flatMap { word in alphabet.map { word + [$0] } }
                all += last
            }
            return all
        }
        let texts = words(Array("ab".utf8), upTo: 5)
        for pattern in words(Array("ab*".utf8), upTo: 4) {
            let compiled = TextPattern(whole: String(decoding: pattern, as: UTF8.self))
            for text in texts {
                let found = compiled.matches(ComparableText(String(decoding: text, as: UTF8.self)))
                #expect(found == reference(pattern[...], text[...]), "\(pattern) against \(text)")
            }
        }
    }

    @Test("time grows with the text, not with the number of wildcard positions")
    func linear() {
        func time(_ length: Int) -> Duration {
            let text = ComparableText(String(repeating: "a", count: length))
            let pattern = TextPattern(whole: String(repeating: "a*", count: 20) + "b" + "*aab*" + "c")
            let buried = TextPattern(
                whole: "*" + String(repeating: String(repeating: "a", count: 200) + "b*", count: 20))
            return (0..<3).map { _ in
                ThreadTime.measure { _ = (pattern.matches(text), buried.matches(text)) }
            }.min() ?? .zero
        }
        _ = time(10_000)
        let short = time(20_000)
        let long = time(200_000)
        #expect(long < short * 40, "ten times the text took \(long) against \(short)")
        #expect(long < .seconds(2))
    }
}
