import Octets
import PDFSignatures
import TestSupport
import Testing

@Suite("Signing: large documents")
struct LargeDocumentTests {
    @Test("are not copied, whatever their size, and get an update of the usual size")
    func large() throws {
        let head = Array("%PDF-1.7\n4 0 obj\n<< /Length 33554432 >>\nstream\n".utf8)
        var tail = "\nendstream\nendobj\n"
        var offsets = ["4": 9]
        let base = head.count + 33_554_432
        let objects = [
            "1": "<< /Type /Catalog /Pages 2 0 R >>", "2": "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            "3": "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 298 420] /Contents 4 0 R >>",
        ]
        for (number, object) in objects {
            offsets[number] = base + tail.utf8.count
            tail += "\(number) 0 obj\n\(object)\nendobj\n"
        }
        let start = base + tail.utf8.count
        tail += "xref\n0 5\n0000000000 65535 f \n"
        for number in ["1", "2", "3", "4"] {
            let offset = "\(offsets[number] ?? 0)"
            tail += String(repeating: "0", count: 10 - offset.count) + offset + " 00000 n \n"
        }
        tail += "trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n\(start)\n%%EOF\n"
        let document = OctetString(count: base + tail.utf8.count) { buffer in
            _ = buffer.initializeMemory(as: UInt8.self, repeating: 0x20)
            buffer.copyBytes(from: head)
            UnsafeMutableRawBufferPointer(rebasing: buffer[base...]).copyBytes(from: Array(tail.utf8))
        }
        let signatory = try Signatory.shared.get()
        var options = Signatory.options(area: .centre)
        let prepared = try signatory.signer.prepare(document, options)
        let signed = try prepared.finish(cms: OctetString([0x30, 0x00]))
        for rope in [prepared.covered, signed] {
            let first = try #require(rope.pieces.first as? OctetString)
            let isTheSame = first.withUnsafeBytes { ours in
                document.withUnsafeBytes { theirs in
                    ours.baseAddress == theirs.baseAddress && ours.count == theirs.count
                }
            }
            #expect(isTheSame)
        }
        #expect(signed.count - document.count < 2 * options.reservedOctets + 16_384)
        options.area = nil
        let hidden = try signatory.signer.prepare(document, options)
        #expect(hidden.covered.count - document.count < 2_048)
    }
}
