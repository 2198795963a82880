import TestSupport
import Testing

@testable import MessageInspection

@Suite("Signatures in PDF and XML")
struct DocumentSignatureTests {
    private func isSignedPDF(_ text: String, piece: Int = .max) -> Bool {
        var scan = PDFSignatureScan()
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            Array(rest.prefix(piece)).withUnsafeBytes { scan.scan($0) }
            rest = rest.dropFirst(piece)
        }
        scan.finish()
        return scan.isSigned
    }

    struct PDFCase: CustomTestStringConvertible {
        let testDescription: String
        let isSigned: Bool
    }

    @Test(
        "a PDF is signed by a filled signature field or a signature dictionary",
        arguments: [
            PDFCase(testDescription: "1 0 obj <</Type/Sig/ByteRange[0 1 2 3]/Contents<00>>> endobj", isSigned: true),
            PDFCase(testDescription: "1 0 obj <</Contents <00> /ByteRange [0 1 2 3]>>", isSigned: true),
            PDFCase(
                testDescription: "1 0 obj <</Reason (an object) /Contents <00> /By#74eRange [0 1 2 3]>>", isSigned: true
            ),
            PDFCase(testDescription: "1 0 obj <</FT /Sig /T (a) /V 12 0 R>> endobj", isSigned: true),
            PDFCase(testDescription: "1 0 obj <</V\n12\n0\nR/FT/Sig>> endobj", isSigned: true),
            PDFCase(testDescription: "1 0 obj <</FT/Sig/V<</Type/Sig>>>> endobj", isSigned: true),
            PDFCase(testDescription: "1 0 obj <</FT /Sig /T (a)>> endobj", isSigned: false),
            PDFCase(testDescription: "1 0 obj <</FT /Sig /SV <</Type /SV /V 2 /Filter /x>> >> endobj", isSigned: false),
            PDFCase(testDescription: "1 0 obj <</FT /Sig /V null>> endobj", isSigned: false),
            PDFCase(testDescription: "1 0 obj <</FT /Tx /V 12 0 R>> endobj", isSigned: false),
            PDFCase(
                testDescription: "1 0 obj <</FT /Sig>> endobj 2 0 obj <</FT /Tx /V 12 0 R>> endobj", isSigned: false),
            PDFCase(
                testDescription: "1 0 obj <</Contents 4 0 R>> endobj 2 0 obj <</ByteRange [0 1]>> endobj",
                isSigned: false),
            PDFCase(
                testDescription:
                    "1 0 obj <</Type/Sig/ByteRange[0 1]/Contents<00>/Reference[<</TransformMethod/UR3>>]>> endobj",
                isSigned: false),
            PDFCase(testDescription: "/", isSigned: false),
            PDFCase(testDescription: "", isSigned: false),
        ], [1, 7, Int.max])
    func pdf(_ given: PDFCase, _ piece: Int) {
        #expect(isSignedPDF(given.testDescription, piece: piece) == given.isSigned)
    }

    @Test("names without end cost no memory, and the scan takes time in proportion to the size")
    func hostilePDF() {
        #expect(!isSignedPDF("/" + String(repeating: "A", count: 300_000)))
        #expect(isSignedPDF(String(repeating: "/", count: 100_000) + "ByteRange[] /Contents<>"))
        #expect(isSignedPDF(String(repeating: "endob", count: 50_000) + "<</ByteRange[]/Contents<>>>"))
    }

    /// An object stream, compressed by Python's zlib, with what is in it.
    private static func objectStream(_ objects: String, level: Int = 9) async throws -> [UInt8] {
        let script = "import sys, zlib; sys.stdout.write(zlib.compress(sys.stdin.buffer.read(), \(level)).hex())"
        let run = try await RunningProgram.run(
            "/usr/bin/python3", ["-c", script], input: Array(objects.utf8), asRoot: true)
        let digits = Array(run.output.utf8)
        let data = try stride(from: 0, to: digits.count, by: 2).map {
            try #require(UInt8(String(decoding: digits[$0..<($0 + 2)], as: UTF8.self), radix: 16))
        }
        return Array("1 0 obj <</Type/ObjStm /Filter/FlateDecode /N 2 /First 8 /Length \(data.count)>> stream\r\n".utf8)
            + data + Array("\nendstream endobj\n".utf8)
    }

    private func isSigned(_ octets: [UInt8], piece: Int = .max) -> Bool {
        var scan = PDFSignatureScan()
        var rest = octets[...]
        while !rest.isEmpty {
            Array(rest.prefix(piece)).withUnsafeBytes { scan.scan($0) }
            rest = rest.dropFirst(piece)
        }
        scan.finish()
        return scan.isSigned
    }

    @Test("a filled field counts in an object stream too, an empty one does not", arguments: [1, 7, Int.max])
    func objectStreams(_ piece: Int) async throws {
        let filled = "2 0 3 9 <</A 1>> <</FT /Sig /T (a) /V 12 0 R>>"
        let empty = "2 0 3 9 <</FT/Tx/V 12 0 R>> <</FT /Sig /T (a)>>"
        for level in [0, 9] {
            #expect(isSigned(try await Self.objectStream(filled, level: level), piece: piece))
            #expect(!isSigned(try await Self.objectStream(empty, level: level), piece: piece))
        }
        #expect(isSigned(Array("1 0 obj <</Type /ObjStm>> stream\n\(filled)\nendstream".utf8), piece: piece))
        // What pretends to be one hides nothing that follows.
        let trick = "1 0 obj <</Type/ObjStm (stream) >> endobj 2 0 obj <</FT/Sig/V 12 0 R>> endobj"
        #expect(isSigned(Array(trick.utf8), piece: piece))
    }

    @Test("an object stream that becomes endless when decompressed is given up soon")
    func decompressionBomb() async throws {
        let bomb = try await Self.objectStream(String(repeating: "a", count: 40_000_000))
        let taken = ThreadTime.measure { #expect(!isSigned(bomb + bomb + bomb)) }
        #expect(taken < .seconds(20), "\(taken)")
    }

    @Test(
        "the corpora's PDFs are signed according to their tables",
        .enabled(if: TestMaterial.shared != nil, "needs ../shared"))
    func corporaOfPDF() throws {
        let folder = try #require(TestMaterial.shared) + "/corpora/"
        for name in ["pdf-plain", "pdf-signatures"] {
            for row in try TestMaterial.table(folder + name + "/expected.tsv") {
                let file = try #require(row["file"])
                // Whatever is wrong with it: those that once were signed are to be verified.
                let isSigned = name == "pdf-signatures" || row["expected"] == "indeterminate"
                #expect(self.isSigned(try TestMaterial.octets(folder + name + "/" + file)) == isSigned, "\(file)")
            }
        }
    }

    private func isSignedXML(_ text: String, piece: Int = .max) -> Bool {
        var search = XMLSignatureSearch()
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty && !search.isDecided {
            Array(rest.prefix(piece)).withUnsafeBytes { search.feed($0) }
            rest = rest.dropFirst(piece)
        }
        search.finish()
        return search.isSigned
    }

    @Test(
        "an XML document is signed by an element Signature of XML-DSig, whatever its prefix",
        arguments: [1, 10, Int.max])
    func xml(_ piece: Int) {
        let namespace = XMLSignatureSearch.namespace
        #expect(isSignedXML("<a><Signature xmlns='\(namespace)'/></a>", piece: piece))
        #expect(isSignedXML("<q:Signature xmlns:q='\(namespace)'/>", piece: piece))
        #expect(!isSignedXML("<a><Signature xmlns='urn:other'/></a>", piece: piece))
        #expect(!isSignedXML("<a xmlns:ds='\(namespace)'><ds:Manifest/></a>", piece: piece))
        #expect(!isSignedXML("<a><!-- <Signature xmlns='\(namespace)'/> --></a>", piece: piece))
    }

    @Test("a document that is not read as XML is signed when it names the namespace")
    func unreadable() {
        let namespace = XMLSignatureSearch.namespace
        #expect(isSignedXML("<!DOCTYPE a><a><Signature xmlns='\(namespace)'/></a>"))
        #expect(isSignedXML("<a><b></a><Signature xmlns='\(namespace)'/>"))
        #expect(!isSignedXML("<!DOCTYPE a><a/>"))
        #expect(!isSignedXML(""))
    }

    @Test("UTF-16 is searched too, read as XML or not", arguments: [1, 3, Int.max])
    func wide(_ piece: Int) {
        let signature = "<a><Signature xmlns='\(XMLSignatureSearch.namespace)'/></a>"
        for (text, isSigned) in [
            (signature, true), ("<!DOCTYPE a>" + signature, true), ("<!DOCTYPE a><a/>", false), ("<a/>", false),
        ] {
            let units = ("\u{FEFF}<?xml version='1.0' encoding='UTF-16'?>" + text).utf16
            for octets in [
                units.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] },
                units.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] },
            ] {
                var search = XMLSignatureSearch()
                var rest = octets[...]
                while !rest.isEmpty {
                    Array(rest.prefix(piece)).withUnsafeBytes { search.feed($0) }
                    rest = rest.dropFirst(piece)
                }
                search.finish()
                #expect(search.isSigned == isSigned, "\(text)")
            }
        }
    }

    @Test("nothing more is read once an unreadable document has named the namespace")
    func decided() {
        var search = XMLSignatureSearch()
        let beginning = "<!DOCTYPE a><a b='\(XMLSignatureSearch.namespace)" + String(repeating: " ", count: 32_768)
        Array(beginning.utf8).withUnsafeBytes { search.feed($0) }
        #expect(search.isDecided)
    }

    @Test("a signature behind more elements than are read is found by its namespace")
    func far() {
        let signature = "<Signature xmlns='\(XMLSignatureSearch.namespace)'/>"
        #expect(isSignedXML("<a>" + String(repeating: "<b/>", count: 200_000) + signature + "</a>"))
        #expect(
            isSignedXML(String(repeating: "<a>", count: 1_000) + signature + String(repeating: "</a>", count: 1_000)))
        #expect(!isSignedXML("<a>" + String(repeating: "<b/>", count: 200_000) + "</a>"))
    }

    @Test(
        "the documents of the corpora are signed as their tables say",
        .enabled(if: TestMaterial.shared != nil, "needs ../shared"))
    func corporaOfXML() throws {
        let shared = try #require(TestMaterial.shared)
        var counts: [Bool: Int] = [:]
        for folder in ["xml-signatures", "xml-plain"] {
            for row in try TestMaterial.table("\(shared)/corpora/\(folder)/expected.tsv") {
                let file = try #require(row["file"])
                let octets = try TestMaterial.octets("\(shared)/corpora/\(folder)/\(file)")
                let isSigned = row["expected"] != "not signed" && row["expected"] != "error"
                #expect(isSignedXML(String(decoding: octets, as: UTF8.self), piece: 4_096) == isSigned, "\(file)")
                counts[isSigned, default: 0] += 1
            }
        }
        #expect(counts == [true: 75, false: 18])
    }
}
