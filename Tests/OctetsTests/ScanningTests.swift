import Foundation
import Testing

@testable import Octets

@Suite("Scanning eight octets at a time")
struct ScanningTests {
    @Test("finds what a search octet by octet finds, at every place")
    func agreesWithPlainSearch() {
        for length in 0..<40 {
            for _ in 0..<50 {
                // Few different octets, and neighbours of those looked for, so that marks meet borrows.
                let octets: [UInt8] = (0..<length).map { _ in
                    [0x0A, 0x0B, 0x0D, 0x0C, 0x8A, 0x00, 0xFF].randomElement() ?? 0
                }
                for start in 0...length {
                    octets.withUnsafeBytes { buffer in
                        let rest = octets[start...]
                        #expect(buffer.firstOffset(of: 0x0A, from: start) == rest.firstIndex(of: 0x0A))
                        let lineEnd = rest.firstIndex { $0 == 0x0A || $0 == 0x0D }
                        #expect(buffer.firstLineEndOctet(from: start) == lineEnd)
                    }
                }
            }
        }
    }

    @Test("base64 agrees with Foundation, whatever the length")
    func base64() throws {
        for length in Array(0..<200) + [3_000, 65_537, 100_001] {
            let octets = (0..<length).map { _ in UInt8.random(in: 0...255) }
            let text = Data(octets).base64EncodedString()
            #expect(Base64.encode(octets) == text)
            #expect(Base64Encoded(OctetString(octets), lineLength: nil).collected().text == text)
            #expect(try Base64.decode(text) == octets)
            let lines = Data(octets).base64EncodedString(options: [
                .lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed,
            ])
            #expect(Base64Encoded(OctetString(octets)).collected().text == lines)
            #expect(try Base64.decode(lines) == octets)
        }
    }

    @Test("hexadecimal digits are those of the format")
    func hexadecimal() {
        #expect((0...255).map { UInt8($0) }.hexadecimal == (0...255).map { String(format: "%02x", $0) }.joined())
    }
}
