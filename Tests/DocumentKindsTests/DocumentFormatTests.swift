import DocumentKinds
import Testing

@Suite("Formats of documents that carry their signatures within")
struct DocumentFormatTests {
    @Test("each format is the reading of its own kind")
    func readings() {
        for format in DocumentFormat.allCases { #expect(format.kind.signedReading == .document(format)) }
    }

    @Test(
        "a media type declares a format",
        arguments: [
            ("application/pdf", DocumentFormat.pdf), ("application/x-pdf", .pdf), ("text/xml", .xml),
            ("application/soap+xml", .xml), ("image/svg+xml", .xml), ("application/pdfx", nil), ("text/plain", nil),
        ] as [(String, DocumentFormat?)])
    func declared(mediaType: String, format: DocumentFormat?) {
        #expect(DocumentFormat.allCases.filter { $0.isDeclared(by: mediaType) } == (format.map { [$0] } ?? []))
    }

    @Test("a PDF is opened as such under one ending, a document of XML under all that belong to no other program")
    func endings() {
        #expect(DocumentFormat.pdf.opens("pdf") && !DocumentFormat.pdf.opens("xml"))
        for ending in ["xml", "xbrl", "gml"] { #expect(DocumentFormat.xml.opens(ending)) }
        for ending in ["html", "pdf", "docx"] { #expect(!DocumentFormat.xml.opens(ending)) }
    }

    @Test("the readings of an ambiguous document are told in words")
    func words() {
        #expect(SignedReading.words([.cms, .pdf]) == "CMS and as PDF")
    }
}
