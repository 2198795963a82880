import Testing

import LookAlikes

@Suite("Text that looks the same (UTS 39 §4, NFKC_Casefold)")
struct LookAlikesTests {
    @Test(
        "is equal when it is folded",
        arguments: [
            ("Invoice.PDF", "invoice.pdf"), ("inv\u{200B}oice.pdf", "invoice.pdf"), ("ｉｎｖｏｉｃｅ．ｐｄｆ", "invoice.pdf"),
            ("ﬁle", "file"), ("re\u{301}sume\u{301}", "résumé"), ("STRASSE", "straße"), ("𝐢𝐧𝐯𝐨𝐢𝐜𝐞", "invoice"),
            ("ｶﾀ", "カタ"),
        ])
    func folds(_ one: String, _ other: String) {
        #expect(LookAlikes.folded(one) == LookAlikes.folded(other))
    }

    @Test(
        "is equal in its skeleton",
        arguments: [
            ("inv\u{043E}ice.pdf", "invoice.pdf"), ("\u{0456}nvoice", "invoice"), ("lnvoice", "Invoice"),
            ("sc0re", "scOre"),
            ("re\u{301}port", "report"),
        ])
    func skeleton(_ one: String, _ other: String) {
        #expect(LookAlikes.skeleton(one) == LookAlikes.skeleton(other))
    }

    @Test("that differs stays different")
    func different() {
        #expect(LookAlikes.folded("invoice-1.pdf") != LookAlikes.folded("invoice-2.pdf"))
        #expect(LookAlikes.skeleton("report") != LookAlikes.skeleton("receipt"))
        #expect(LookAlikes.folded("") == "" && LookAlikes.skeleton("") == "")
    }

    @Test("that grows a lot when it is converted is converted completely")
    func growth() {
        // U+FDFA becomes eighteen characters.
        #expect(LookAlikes.folded(String(repeating: "\u{FDFA}", count: 100)).unicodeScalars.count == 1_800)
    }
}
