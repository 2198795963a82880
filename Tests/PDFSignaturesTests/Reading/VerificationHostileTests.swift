import Foundation
import Octets
import TestSupport
import Testing

@testable import PDFSignatures

@Suite("PDF signatures: damaged and hostile octets")
struct VerificationHostileTests {
    /// More than the ordinary run has time for.
    private static let isLong = ProcessInfo.processInfo.environment["SES_TEST_ALL"] == "1"
    private static let kinds = ["good-approval", "good-approval-streams", "good-two-visible", "good-archive-streams"]

    /// Returns true if there is no finding about the document.
    private func isSound(_ document: OctetString, _ count: Int) -> Bool {
        guard let signatures = try? PDFSignatureReading.signatures(in: document) else { return false }
        return signatures.count == count && signatures.allSatisfy { VerificationTests.fault($0) == nil }
    }

    @Test("one changed octet is detected, wherever it is", arguments: kinds)
    func flips(_ name: String) async throws {
        let document = try await SignedFixtures.shared.document(name)
        let signatures = try PDFSignatureReading.signatures(in: document)
        let first = try #require(signatures.first { !$0.isDocumentTimestamp })
        // The octets that the CMS covers: all of its revision but its own value.
        let end = try #require(first.revisionLength)
        let gap = try #require(first.covered.pieces.first).count
        var octets = document.array
        for index in 0..<200 {
            let covered = index * (first.covered.count - 1) / 199
            let place = covered < gap ? covered : covered + end - first.covered.count
            octets[place] ^= 0x01
            #expect(!isSound(OctetString(octets), signatures.count), "\(name), octet \(place)")
            octets[place] ^= 0x01
        }
        #expect(isSound(OctetString(octets), signatures.count))
    }

    @Test("a document cut off is never a soundly signed one, and mostly not signed at all")
    func truncations() async throws {
        let document = try await SignedFixtures.shared.document("good-two")
        let signatures = try PDFSignatureReading.signatures(in: document)
        let whole = try signatures.map { try #require($0.revisionLength) }
        for length in 0..<document.count where !whole.contains(length) {
            let cut = document.slice(0..<length)
            if let found = try? PDFSignatureReading.signatures(in: cut), !found.isEmpty {
                let isInvalid = found.contains { !$0.findings.isEmpty }
                #expect(isInvalid, "cut at \(length)")
            }
        }
        // Cut exactly behind the first signature it is what it was then.
        #expect(isSound(document.slice(0..<whole[0]), 1))
    }

    @Test("mutated documents are read in limited time, with an error or a verdict")
    func mutations() async throws {
        let fixtures = try await SignedFixtures.shared
        var generator = SeededNumbers(seed: 2_026)
        let documents = try (fixtures.names("good-") + fixtures.names("bad-")).map { try fixtures.document($0) }
        let words = [
            "/Prev 0", "/Length 99999999", "<<", ">>", "[", "]", "endobj", "stream\n", "obj", "9 0 R", "/Kids[1 0 R]",
            "startxref\n9\n%%EOF", "(", ")", "<", ">", "-1", "4294967296", "/ByteRange[0 0 0 0]", "/Type/ObjStm",
            "xref",
        ].map { Array($0.utf8) }
        let clock = ContinuousClock()
        let end = clock.now + .seconds(Self.isLong ? 300 : 10)
        var tried = 0
        while clock.now < end {
            var octets = documents.randomElement(using: &generator)?.array ?? []
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                let place = Int.random(in: 0..<octets.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: octets[place] = UInt8.random(in: 0...255, using: &generator)
                case 1:
                    for (index, octet) in (words.randomElement(using: &generator) ?? []).enumerated()
                    where place + index < octets.count { octets[place + index] = octet }
                case 2:
                    // A piece of the file in another place: objects meet others' numbers.
                    let count = min(Int.random(in: 1...200, using: &generator), octets.count - place)
                    let target = Int.random(in: 0...(octets.count - count), using: &generator)
                    octets.replaceSubrange(target..<(target + count), with: Array(octets[place..<(place + count)]))
                default:
                    let count = min(Int.random(in: 1...20, using: &generator), octets.count - place)
                    octets.removeSubrange(place..<(place + count))
                    if octets.isEmpty { octets = [0] }
                }
            }
            let taken = ThreadTime.measure { _ = try? PDFSignatureReading.signatures(in: OctetString(octets)) }
            #expect(taken < .seconds(2))
            tried += 1
        }
        #expect(tried > 100)
    }

    @Test("structures made to be endless or huge end soon, in little memory", arguments: HostileDocument.all)
    func bounds(_ hostile: HostileDocument) throws {
        let document = hostile.document()
        var kind: PDFError.Kind?
        let taken = ThreadTime.measure {
            do throws(PDFError) { _ = try PDFSignatureReading.signatures(in: document) } catch { kind = error.kind }
        }
        #expect(kind == hostile.kind, "\(hostile)")
        #expect(taken < .seconds(hostile.limit), "\(hostile): \(taken)")
    }

    @Test("a document of 100 MiB is judged in place, not copied")
    func large() async throws {
        let filler = 100 << 20
        let head = "%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
        let second = "2 0 obj\n<</Type/Pages/Kids[]/Count 0>>\nendobj\n3 0 obj\n<</Length \(filler)>>\nstream\n"
        let end = "\nendstream\nendobj\n"
        let places = [9, head.utf8.count, head.utf8.count + 45]
        let table = head.utf8.count + second.utf8.count + filler + end.utf8.count
        func padded(_ place: Int) -> String {
            let text = String(place)
            return String(repeating: "0", count: 10 - text.count) + text
        }
        let tail =
            "xref\n0 4\n0000000000 65535 f \n" + places.map { padded($0) + " 00000 n \n" }.joined()
            + "trailer\n<</Size 4/Root 1 0 R>>\nstartxref\n\(table)\n%%EOF\n"
        let scratch = try ScratchDirectory()
        let path = scratch.file("large.pdf")
        let made = try #require(fopen(path, "w"))
        for text in [head, second] { fputs(text, made) }
        // A hole: the file takes no room on the disk.
        fseek(made, filler, SEEK_CUR)
        for text in [end, tail] { fputs(text, made) }
        fclose(made)
        let size = table + tail.utf8.count
        let file = open(path, O_RDONLY)
        let mapped = try #require(mmap(nil, size, PROT_READ, MAP_PRIVATE, file, 0))
        close(file)
        let document = OctetString(adopting: UnsafeRawBufferPointer(start: mapped, count: size)) {}
        let before = Self.anonymousMemory()
        #expect(try PDFSignatureReading.signatures(in: document).isEmpty)
        #expect(Self.anonymousMemory() - before < 8 << 20)
        munmap(mapped, size)
    }

    /// Octets of memory that stand on no file (proc(5), RssAnon).
    private static func anonymousMemory() -> Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") }
        return (line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0) << 10
    }
}

/// A document that a careless reader would not come to an end with.
struct HostileDocument: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Of the error; nil when it can be judged.
    let kind: PDFError.Kind?
    /// Seconds, in a debug build.
    var limit = 2
    let objects: [String]
    var trailer = ""

    func document() -> OctetString {
        var octets = Array("%PDF-1.7\n".utf8)
        var table = "xref\n0 \(objects.count + 1)\n0000000000 65535 f \n"
        for (index, object) in objects.enumerated() {
            let place = String(octets.count)
            table += String(repeating: "0", count: 10 - place.count) + place + " 00000 n \n"
            octets += Array("\(index + 1) 0 obj\n\(object)\nendobj\n".utf8)
        }
        let start = octets.count
        octets += Array(
            (table + "trailer\n<</Root 1 0 R/Size \(objects.count + 1)\(trailer)>>\nstartxref\n\(start)\n%%EOF\n").utf8)
        return OctetString(octets)
    }

    private static func form(_ fields: String) -> String { "<</Type/Catalog/AcroForm<</Fields[\(fields)]>>>>" }

    static let all = [
        HostileDocument(
            testDescription: "fields that are their own kids", kind: nil,
            objects: [form("2 0 R"), "<</FT/Sig/Kids[2 0 R 3 0 R]>>", "<</Kids[2 0 R]>>"]),
        HostileDocument(
            testDescription: "a chain of fields", kind: .tooComplex,
            objects: [form("2 0 R")] + (2..<500).map { "<</T(a)/Kids[\($0 + 1) 0 R]>>" } + ["<</T(a)>>"]),
        HostileDocument(
            testDescription: "deep arrays", kind: .tooComplex,
            objects: [form(String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000))]),
        HostileDocument(
            testDescription: "deep dictionaries", kind: .tooComplex,
            objects: ["<</Type/Catalog/AcroForm" + String(repeating: "<</A", count: 100_000)]),
        HostileDocument(
            testDescription: "an object that is a reference to itself", kind: .damaged,
            objects: ["<</Type/Catalog/AcroForm 2 0 R>>", "2 0 R"]),
        HostileDocument(
            testDescription: "a cross-reference section that goes on from itself", kind: .damaged,
            objects: [form("")], trailer: "/Prev 70"),
        HostileDocument(
            testDescription: "many fields that are the same large object's neighbours", kind: nil, limit: 10,
            objects: [
                form((0..<2_000).map { _ in "2 0 R" }.joined(separator: " ")),
                "<</T(\(String(repeating: "a", count: 100_000)))>>",
            ]),
        HostileDocument(
            testDescription: "a thousand strings without an end", kind: .tooComplex, limit: 10,
            objects: [form("")] + (0..<1_000).map { _ in "(" + String(repeating: "a", count: 500) }),
    ]
}
