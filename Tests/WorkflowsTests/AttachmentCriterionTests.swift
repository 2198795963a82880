import DocumentKinds
import InternetMessage
import Testing

@testable import Workflows

@Suite("Attachment")
struct AttachmentCriterionTests {
    private func holds(_ contains: String?, signed: Bool? = nil, _ attachments: AttachmentFacts...) -> Bool {
        var facts = GivenFacts()
        facts.givenAttachments = attachments
        let test = Criterion.Test.attachment(contains: contains.map(WildcardPattern.list), signed: signed)
        return CriterionEvaluation(facts: facts).evaluate(test).holds == true
    }

    @Test("contains is the file name's extension, without case")
    func fileExtension() {
        #expect(holds("pdf", AttachmentFacts("Report.PDF")))
        #expect(holds(".pdf", AttachmentFacts("report.pdf")))
        #expect(holds("tar.gz", AttachmentFacts("x.tar.gz")))
        #expect(holds("gz", AttachmentFacts("x.tar.gz")))
        #expect(!holds("tar", AttachmentFacts("x.tar.gz")))
        #expect(!holds("pdf", AttachmentFacts("pdf-notes.txt")))
        #expect(!holds("pdf", AttachmentFacts("report.pdf.exe")))
        #expect(holds("doc*", AttachmentFacts("x.docx")))
        #expect(!holds("doc*", AttachmentFacts("x.doc.exe")))
        #expect(holds("pdf", AttachmentFacts("report.pdf. ")), "trailing dots and blanks do not change what opens it")
        #expect(!holds("pdf", AttachmentFacts("report.xpdf")))
    }

    @Test("contains with a wildcard is the whole file name")
    func wholeName() {
        #expect(holds("invoice*.pdf", AttachmentFacts("Invoice-7.pdf")))
        #expect(!holds("invoice*.pdf", AttachmentFacts("my-invoice.pdf")))
        #expect(holds("*invoice*", AttachmentFacts("my-invoice.pdf")))
        #expect(holds("readme", AttachmentFacts("README")))
        #expect(holds("übersicht.*", AttachmentFacts("U\u{308}bersicht.xlsx")), "macOS names files in decomposed form")
    }

    @Test("contains is the media type, its subtype or suffix, and the kind of the content")
    func kinds() {
        #expect(holds("pdf", AttachmentFacts("x.bin", type: "application/pdf")))
        #expect(holds("pdf", AttachmentFacts("x.bin", type: "application/x-pdf")))
        #expect(holds("application/pdf", AttachmentFacts(nil, type: "application/pdf")))
        #expect(holds("image/*", AttachmentFacts(nil, type: "image/png")))
        #expect(holds("xml", AttachmentFacts(nil, type: "application/soap+xml")))
        #expect(holds("pdf", AttachmentFacts("x.txt", type: "text/plain", kinds: [.pdf])), "a disguised PDF is one")
        #expect(!holds("pdf", AttachmentFacts("x.txt", type: "text/plain", kinds: [.zip])))
    }

    @Test("a comma separates alternatives")
    func alternatives() {
        #expect(holds("xml, pdf", AttachmentFacts("x.pdf")))
        #expect(!holds("xml, pdf", AttachmentFacts("x.doc")))
        #expect(holds("*", AttachmentFacts(nil)))
    }

    @Test("one and the same attachment must satisfy all attributes")
    func sameAttachment() {
        let signedText = AttachmentFacts("note.txt.p7m", kinds: [.cms], signed: true)
        let plainPDF = AttachmentFacts("x.pdf", kinds: [.pdf])
        #expect(!holds("pdf", signed: true, signedText, plainPDF))
        #expect(holds("pdf", signed: false, signedText, plainPDF))
        #expect(holds("p7m", signed: true, signedText, plainPDF))
        #expect(holds(nil, signed: true, signedText, plainPDF))
        #expect(holds(nil, signed: false, signedText, plainPDF))
        #expect(!holds(nil, signed: true, plainPDF))
        #expect(holds(nil, plainPDF))
        #expect(!holds(nil))
    }

    @Test("the reason names the attachments seen")
    func reason() {
        var facts = GivenFacts()
        facts.givenAttachments = [
            AttachmentFacts("report.docx", type: "application/msword", kinds: [.zip]), AttachmentFacts(nil),
        ]
        let test = Criterion.Test.attachment(contains: WildcardPattern.list("pdf"), signed: true)
        #expect(
            CriterionEvaluation(facts: facts).evaluate(test).because
                == "no attachment matches: 2 seen, \"report.docx\" (application/msword, content looks like zip), not signed, "
                + "without a name (application/octet-stream), not signed")
    }

    @Test("operations are for the attachments that the filter selects, for all if it selects none")
    func selection() {
        let pdf = AttachmentFacts("a.pdf")
        let xml = AttachmentFacts("b.xml")
        let other = AttachmentFacts("c.txt")
        var facts = GivenFacts()
        facts.givenAttachments = [pdf, xml, other]
        func selected(_ tests: [Criterion.Test], _ combination: Filter.Combination = .all) -> [AttachmentFacts] {
            selectedAttachments(facts, filter: Workflow.given("w", tests, combination).filter)
        }
        let wantsPDF = Criterion.Test.attachment(contains: WildcardPattern.list("pdf"), signed: nil)
        let wantsXML = Criterion.Test.attachment(contains: WildcardPattern.list("xml"), signed: nil)
        #expect(selected([]) == [pdf, xml, other])
        #expect(selected([.subject(contains: "x")]) == [pdf, xml, other])
        #expect(selected([wantsPDF]) == [pdf])
        #expect(selected([wantsPDF, wantsXML]) == [pdf, xml])
        #expect(selected([wantsPDF, wantsXML], .any) == [pdf, xml])
        #expect(selected([.attachment(contains: nil, signed: true)]).isEmpty)
    }

    @Test("a decision carries them if an operation is for them, and otherwise does not ask for them")
    func decided() {
        let pdf = AttachmentFacts("a.pdf")
        func decided(_ operations: [Workflows.Operation], _ tests: [Criterion.Test], _ combination: Filter.Combination)
            -> (attachments: [AttachmentFacts], asked: [String])
        {
            var facts = GivenFacts()
            facts.subject = "x"
            facts.givenAttachments = [pdf, AttachmentFacts("c.txt")]
            let policy = Policy.given([.given("w", tests, combination, operations: operations)])
            return (decide(facts, direction: .incoming, policy: policy).attachments, facts.asked.costly)
        }
        let tests: [Criterion.Test] = [
            .subject(contains: "x"), .attachment(contains: WildcardPattern.list("pdf"), signed: nil),
        ]
        #expect(decided([.verifyAttachment, .verifyEmail], tests, .all).attachments == [pdf])
        #expect(decided([.verifyAttachment], tests, .any).attachments == [pdf], "although the subject decides")
        let mail = decided([.verifyEmail], [.subject(contains: "x")], .all)
        #expect(mail.attachments.isEmpty && mail.asked.isEmpty)
    }
}
