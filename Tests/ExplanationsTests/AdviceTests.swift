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

    @Test("is a short clause", arguments: Advice.allCases)
    func words(_ advice: Advice) {
        #expect((20...120).contains(advice.text.count) && !advice.text.hasSuffix("."))
        #expect(advice.text.utf8.allSatisfy { $0 < 0x80 })
    }
}
