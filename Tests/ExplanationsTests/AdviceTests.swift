import Testing

import Explanations

@Suite("Advice behind a reason")
struct AdviceTests {
    @Test("stands there once, however often a reason is passed on", arguments: Advice.allCases)
    func once(_ advice: Advice) {
        let reason = advice.added(to: "there is no object at 439")
        #expect(reason == "there is no object at 439 (\(advice.text))")
        for other in Advice.allCases { #expect(other.added(to: "the PDF cannot be read: " + reason).hasSuffix(reason)) }
    }

    @Test("is taken off again where there is little room", arguments: Advice.allCases)
    func removed(_ advice: Advice) {
        let told = "attachment 2: " + advice.added(to: "no object at 439 (or none)") + "; and more"
        #expect(Advice.removed(from: told) == "attachment 2: no object at 439 (or none); and more")
        #expect(Advice.removed(from: "no object (at 439)") == "no object (at 439)")
    }

    @Test("is a short clause", arguments: Advice.allCases)
    func words(_ advice: Advice) {
        #expect((20...120).contains(advice.text.count) && !advice.text.hasSuffix("."))
        #expect(advice.text.utf8.allSatisfy { $0 < 0x80 })
    }
}
