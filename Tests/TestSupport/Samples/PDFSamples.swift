/// Small PDF files with a classic cross-reference table.
public enum PDFSamples {
    /// A file of `pages` pages in A4 with a line of text on each.
    /// - Parameters:
    ///   - emptyField: The name of an empty signature field on the first page.
    ///   - rotation: `/Rotate` of every page.
    ///   - padding: Octets of a stream that nothing refers to, to make a file large.
    public static func plain(
        pages: Int = 1, emptyField: String? = nil, rotation: Int = 0, words: String = "Invoice 4711", padding: Int = 0
    ) -> [UInt8] {
        var file = File()
        let first = 4
        let kids = (0..<pages).map { "\(first + 2 * $0) 0 R" }.joined(separator: " ")
        let field = first + 2 * pages
        let form = emptyField == nil ? "" : " /AcroForm << /Fields [\(field) 0 R] >>"
        file.add("<< /Type /Catalog /Pages 2 0 R\(form) >>")
        file.add("<< /Type /Pages /Kids [\(kids)] /Count \(pages) /MediaBox [0 0 595 842] /Rotate \(rotation) >>")
        file.add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
        for page in 0..<pages {
            let annotations = page == 0 && emptyField != nil ? " /Annots [\(field) 0 R]" : ""
            file.add(
                "<< /Type /Page /Parent 2 0 R /Resources << /Font << /F1 3 0 R >> >> "
                    + "/Contents \(first + 2 * page + 1) 0 R\(annotations) >>")
            let drawing = "BT /F1 18 Tf 72 400 Td (\(words), page \(page + 1)) Tj ET"
            file.add("<< /Length \(drawing.utf8.count) >>\nstream\n\(drawing)\nendstream")
        }
        if let emptyField {
            file.add(
                "<< /Type /Annot /Subtype /Widget /FT /Sig /T (\(emptyField)) /F 4 /Rect [300 100 500 160] "
                    + "/P \(first) 0 R >>")
        }
        if padding > 0 { file.addStream(padding) }
        return file.finished()
    }

    private struct File {
        var octets = Array("%PDF-1.7\n%\u{E2}\u{E3}\u{CF}\u{D3}\n".utf8)
        var offsets: [Int] = []

        mutating func add(_ object: String) {
            offsets.append(octets.count)
            octets += Array("\(offsets.count) 0 obj\n\(object)\nendobj\n".utf8)
        }

        /// A stream that does not compress well.
        mutating func addStream(_ count: Int) {
            offsets.append(octets.count)
            octets += Array("\(offsets.count) 0 obj\n<< /Length \(count) >>\nstream\n".utf8)
            octets.reserveCapacity(octets.count + count + 1_000)
            var state: UInt64 = 0x9E37_79B9_7F4A_7C15
            for _ in 0..<count {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                octets.append(UInt8(truncatingIfNeeded: state >> 56))
            }
            octets += Array("\nendstream\nendobj\n".utf8)
        }

        func finished() -> [UInt8] {
            var table = "xref\n0 \(offsets.count + 1)\n0000000000 65535 f \n"
            for offset in offsets {
                let digits = String(offset)
                table += String(repeating: "0", count: 10 - digits.count) + digits + " 00000 n \n"
            }
            table += "trailer\n<< /Size \(offsets.count + 1) /Root 1 0 R >>\nstartxref\n\(octets.count)\n%%EOF\n"
            return octets + Array(table.utf8)
        }
    }
}
