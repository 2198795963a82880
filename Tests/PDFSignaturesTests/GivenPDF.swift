import Octets

/// PDFs that tests make: objects with the cross-reference table that fits.
enum GivenPDF {
    /// A page of A6 with an empty content stream: objects 1 (catalog), 2 (pages), 3 (page), 4 (content), then `more` from 5.
    static func onePage(
        catalog: String = "", pages: String = "", page: String = "/MediaBox [0 0 298 420]", more: [String] = []
    ) -> OctetString {
        classic(
            [
                "<< /Type /Catalog /Pages 2 0 R \(catalog) >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 \(pages) >>",
                "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << >> \(page) >>",
                "<< /Length 8 >>\nstream\n0 0 m S\n\nendstream",
            ] + more)
    }

    /// Objects numbered from 1 with a classic table; the first is the catalog.
    static func classic(_ objects: [String], trailer: String = "", version: String = "1.7") -> OctetString {
        var text = "%PDF-\(version)\n%\u{E2}\u{E3}\n"
        var offsets: [Int] = []
        for (index, object) in objects.enumerated() {
            offsets.append(text.utf8.count)
            text += "\(index + 1) 0 obj\n\(object)\nendobj\n"
        }
        let start = text.utf8.count
        text += "xref\n0 \(objects.count + 1)\n0000000000 65535 f \n"
        for offset in offsets { text += "\(String(repeating: "0", count: 10 - "\(offset)".count))\(offset) 00000 n \n" }
        text += "trailer\n<< /Size \(objects.count + 1) /Root 1 0 R \(trailer) >>\nstartxref\n\(start)\n%%EOF\n"
        return OctetString(text)
    }
}
