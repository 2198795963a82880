import Testing

@testable import Composition

@Suite("The style of the result as HTML")
struct BannerStyleTests {
    @Test("every element resets its style, so that no property of another style sheet reaches it")
    func beginsAnew() {
        let html = LabelledText(
            title: "Title", summary: "Summary", rows: [.init(label: "Signed by", value: "Alice", level: 1)],
            colour: "#616161"
        ).html
        let styles = html.split(separator: "style=\"").dropFirst().map { $0.prefix { $0 != "\"" } }
        #expect(styles.count == 6)
        for style in styles {
            let important = style.split(separator: ";").filter { $0.hasSuffix("!important") }
            #expect(important.first == "all:initial!important", "\(style)")
            #expect(important.contains("display:block!important") || important.contains("display:inline!important"))
        }
    }
}
