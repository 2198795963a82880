import Octets
import TestSupport

/// PDFs that tests make: objects with the cross-references that fit.
enum GivenPDF {
    /// The storage of objects.
    enum Form: String, CaseIterable, Sendable {
        /// A cross-reference table.
        case table
        /// A cross-reference stream.
        case stream
        /// A cross-reference stream, and all that may be in an object stream is in one.
        case objectStream
    }

    /// A page of A6 with an empty content stream: objects 1 (catalog), 2 (pages), 3 (page), 4 (content), then `more`
    /// from 5.
    static func onePage(
        catalog: String = "", pages: String = "", page: String = "/MediaBox [0 0 298 420]", more: [String] = [],
        trailer: String = "", version: String = "1.7", form: Form = .table
    ) -> OctetString {
        make(
            [
                "<< /Type /Catalog /Pages 2 0 R \(catalog) >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 \(pages) >>",
                "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << >> \(page) >>",
                "<< /Length 8 >>\nstream\n0 0 m S\n\nendstream",
            ] + more, trailer: trailer, version: version, form: form)
    }

    /// Objects numbered from 1; the first is the catalog.
    static func make(
        _ objects: [String], trailer: String = "", version: String = "1.7", form: Form = .table
    ) -> OctetString {
        form == .table ? classic(objects, trailer, version) : modern(objects, trailer, version, form)
    }

    private static func classic(_ objects: [String], _ trailer: String, _ version: String) -> OctetString {
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

    private static func modern(
        _ objects: [String], _ trailer: String, _ version: String, _ form: Form
    ) -> OctetString {
        var text = "%PDF-\(version)\n%\u{E2}\u{E3}\n"
        /// Kind and the two values of each entry.
        var entries: [(Int, Int, Int)] = [(0, 0, 65_535)]
        var heads: [String] = []
        var bodies = ""
        let container = objects.count + 1
        for (index, object) in objects.enumerated() {
            if form == .objectStream, !object.contains("stream") {
                entries.append((2, container, heads.count))
                heads.append("\(index + 1) \(bodies.utf8.count)")
                bodies += object + " "
            } else {
                entries.append((1, text.utf8.count, 0))
                text += "\(index + 1) 0 obj\n\(object)\nendobj\n"
            }
        }
        if !heads.isEmpty {
            entries.append((1, text.utf8.count, 0))
            let head = heads.joined(separator: " ") + " "
            text += "\(container) 0 obj\n<< /Type /ObjStm /N \(heads.count) /First \(head.utf8.count) "
            text += "/Length \((head + bodies).utf8.count) >>\nstream\n\(head)\(bodies)\nendstream\nendobj\n"
        }
        let start = text.utf8.count
        let number = entries.count
        entries.append((1, start, 0))
        var data: [UInt8] = []
        for (kind, second, third) in entries {
            data.append(UInt8(kind))
            for shift in [16, 8, 0] { data.append(UInt8(truncatingIfNeeded: second >> shift)) }
            for shift in [8, 0] { data.append(UInt8(truncatingIfNeeded: third >> shift)) }
        }
        text += "\(number) 0 obj\n<< /Type /XRef /W [1 3 2] /Size \(entries.count) /Root 1 0 R \(trailer) "
        text += "/Length \(data.count) >>\nstream\n"
        return OctetString(
            Array(text.utf8) + data + Array("\nendstream\nendobj\nstartxref\n\(start)\n%%EOF\n".utf8))
    }

    /// Returns a document rewritten by qpdf.
    static func rewritten(_ document: OctetString, _ arguments: [String]) async throws -> OctetString {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(document, to: "in.pdf")
        let run = try await RunningProgram.run(
            "/usr/bin/qpdf", arguments + [path, scratch.file("out.pdf")], asRoot: true)
        guard run.status == 0 else { throw HarnessError("qpdf: \(run)") }
        return OctetString(try TestMaterial.octets(scratch.file("out.pdf")))
    }
}
