import DSSProtocol
import DSSXML
import Foundation
import Octets
import TestSupport
import Testing

@Suite("Hostile answers")
struct HostileAnswerTests {
    @Test("of any kind never crash the reader, and mutations never turn a refusal into trust", .timeLimit(.minutes(2)))
    func mutations() throws {
        let folder = TestMaterial.fixtures + "/dss/responses/"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        try #require(names.count > 50)
        var random = SeededNumbers(seed: 20_261_123)
        for name in names {
            let octets = try TestMaterial.octets(folder + name)
            for _ in 0..<60 {
                let changed = mutate(octets, &random)
                let size = [1, 13, 65_536].randomElement(using: &random) ?? 1
                for question in [AnswerCase.email, AnswerCase.xml, AnswerCase.verification] {
                    let outcome = decode(changed, question, size: size)
                    guard case .verified(let answer) = outcome, answer.verdict == .trusted else { continue }
                    // One octet can make "Invalid" valid, but nothing may make a page or a fault so.
                    #expect(name.hasPrefix("verify-"), "\(name)")
                }
            }
        }
    }

    @Test("have the same outcome however their octets are cut", .timeLimit(.minutes(2)))
    func cuts() throws {
        let faults = [
            "<!DOCTYPE a [<!ENTITY b 'c'>]>", "\0", "&c;", "</x>", "<a:b/>", "\u{1}", "<?xml version='1.0'?>", "]]>",
            "<!--",
            "--b\r\n", "--b--\r\n", "\r\n\r\n", "Content-Transfer-Encoding: x\r\n\r\n", "<b c='d' c='e'/>",
        ].map { Array($0.utf8) }
        let root = "--b\r\nContent-ID: <r>\r\n\r\n<SignResponse xmlns='urn:oasis:names:tc:dss:1.0:core:schema'/>\r\n"
        let multipart = Array((root + "--b\r\nContent-ID: <a>\r\n\r\nabc\r\n--b--\r\n").utf8)
        let plain = try TestMaterial.octets(TestMaterial.fixtures + "/dss/responses/sign-cms.xml")
        var random = SeededNumbers(seed: 20_261_201)
        for number in 0..<400 {
            var octets = number % 2 == 0 ? plain : multipart
            let length = octets.count
            for _ in 0..<2 {
                octets.insert(
                    contentsOf: faults.randomElement(using: &random) ?? [],
                    at: Int.random(in: 0...length, using: &random))
            }
            // Behind a piece of the reader's own, too.
            if number % 5 == 0 { octets.insert(contentsOf: [UInt8](repeating: 0x20, count: 40_000), at: length / 2) }
            let type = number % 2 == 0 ? "text/xml" : "multipart/related; boundary=b; start=\"<r>\""
            for question in [AnswerCase.email, AnswerCase.verification] {
                let outcomes = [1, 7, 100, 4_096, 16_384, 20_001, octets.count].map { size in
                    "\(decode(octets, question, fields: [("Content-Type", type)], size: size))"
                }
                #expect(Set(outcomes).count == 1, "\(number): \(outcomes)")
            }
        }
    }

    @Test("with random boundaries, cuts and doublings in their parts never crash the reader")
    func multipart() {
        var random = SeededNumbers(seed: 7)
        let body = Array(
            ("--b\r\nContent-ID: <r>\r\n\r\n<SignResponse/>\r\n--b\r\nContent-ID: <a>\r\n\r\nabc\r\n--b--\r\n").utf8)
        for _ in 0..<2_000 {
            let changed = mutate(body, &random)
            _ = decode(
                changed, AnswerCase.pdf, fields: [("Content-Type", "multipart/related; boundary=b; start=\"<r>\"")],
                size: Int.random(in: 1...40, using: &random))
        }
    }

    @Test("nested without end are refused before they cost much")
    func deep() {
        let body = Array(String(repeating: "<a>", count: 100_000).utf8)
        guard case .refused(let refusal) = decode(body, AnswerCase.email) else {
            Issue.record("not refused")
            return
        }
        #expect(!refusal.isTransient(in: .adss))
    }

    @Test("with a document of 24 MiB flow through in linear time", .timeLimit(.minutes(1)))
    func large() {
        let line = Array(Base64.encode([UInt8](repeating: 0x41, count: 48)).utf8) + [0x0A]
        let pieces = 24 * 1024 * 1024 / 48
        let decoder = AnswerDecoder(AnswerCase.pdf, dialect: .adss, answers: MemoryCollecting(limit: 64 << 20))
        decoder.begin(status: 200, fields: [])
        let head =
            "<SignResponse><Result><ResultMajor>urn:x:Success</ResultMajor></Result><DocumentWithSignature><Document>"
            + "<Base64Data>JVBERi0x\n"
        let tail = "</Base64Data></Document></DocumentWithSignature></SignResponse>"
        _ = Array(head.utf8).withUnsafeBytes { decoder.decode($0) }
        let block = Array(repeatElement(line, count: 256).joined())
        for _ in 0..<(pieces / 256) { _ = block.withUnsafeBytes { decoder.decode($0) } }
        _ = Array(tail.utf8).withUnsafeBytes { decoder.decode($0) }
        guard case .signed(.document(let octets)) = decoder.finish() else {
            Issue.record("not read")
            return
        }
        #expect(octets.count == 24 * 1024 * 1024 + 6)
    }

    @Test("about a verification that are larger than can be attached are refused")
    func largeVerdict() throws {
        let filler = [UInt8](repeating: 0x20, count: 1 << 20)
        let decoder = AnswerDecoder(AnswerCase.verification, dialect: .adss, answers: MemoryCollecting(limit: 1))
        decoder.begin(status: 200, fields: [])
        let octets = try AnswerCase("verify-trusted", AnswerCase.verification, .noAnswer).octets
        _ = octets.withUnsafeBytes { decoder.decode($0) }
        for _ in 0..<17 { _ = filler.withUnsafeBytes { decoder.decode($0) } }
        guard case .refused = decoder.finish() else {
            Issue.record("not refused")
            return
        }
    }

    private func mutate(_ octets: [UInt8], _ random: inout SeededNumbers) -> [UInt8] {
        var octets = octets
        for _ in 0..<Int.random(in: 1...4, using: &random) where !octets.isEmpty {
            let at = Int.random(in: 0..<octets.count, using: &random)
            let length = min(Int.random(in: 1...24, using: &random), octets.count - at)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: octets[at] = UInt8.random(in: 0...255, using: &random)
            case 1: octets.removeSubrange(at..<at + length)
            case 2: octets.insert(contentsOf: octets[at..<at + length], at: at)
            case 3: octets.insert(contentsOf: Array("<>/&;\"':=-b\r\n".utf8.shuffled(using: &random).prefix(3)), at: at)
            default: octets.removeSubrange(at...)
            }
        }
        return octets
    }
}

/// Numbers that are the same in every run (xorshift64*).
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed | 1 }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 2_685_821_657_736_338_717
    }
}
