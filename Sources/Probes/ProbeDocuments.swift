import DSSProtocol
import Octets

/// The documents that are signed to try profiles: small, whole, and saying what they are.
enum ProbeDocument {
    private static let words =
        "This text was made by a check of Secure Email Server. A signature of it says nothing more."

    static func of(_ kind: DocumentKind) -> OctetString {
        switch kind {
        case .email: OctetString("Content-Type: text/plain; charset=us-ascii\r\n\r\n\(words)\r\n")
        case .xml: OctetString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<check>\(words)</check>\n")
        case .cms: OctetString(words + "\n")
        case .pdf: OctetString(pdf)
        }
    }

    /// A PDF of one page.
    private static var pdf: String {
        let text = "BT /F1 12 Tf 72 700 Td (\(words)) Tj ET"
        let objects = [
            "<< /Type /Catalog /Pages 2 0 R >>",
            "<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 595 842] >>",
            "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
            "<< /Length \(text.utf8.count) >>\nstream\n\(text)\nendstream",
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        ]
        var written = "%PDF-1.7\n"
        var table = "0000000000 65535 f \n"
        for (index, object) in objects.enumerated() {
            let offset = String(written.utf8.count)
            table += String(repeating: "0", count: 10 - offset.count) + offset + " 00000 n \n"
            written += "\(index + 1) 0 obj\n\(object)\nendobj\n"
        }
        let start = written.utf8.count
        return written + "xref\n0 \(objects.count + 1)\n" + table
            + "trailer\n<< /Size \(objects.count + 1) /Root 1 0 R >>\nstartxref\n\(start)\n%%EOF\n"
    }
}

extension DocumentKind {
    /// The kind in a sentence.
    var probeWords: String {
        switch self {
        case .email: "mail"
        case .pdf: "PDF"
        case .xml: "XML"
        case .cms: "other files (CMS)"
        }
    }
}
