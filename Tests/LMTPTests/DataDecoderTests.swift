import Testing

@testable import LMTP

@Suite("End of a message and its dots")
struct DataDecoderTests {
    /// Decodes `given` in the pieces that the cuts make.
    private func decode(_ given: String, cuts: [Int] = []) -> (message: String, rest: String, isEnded: Bool) {
        let octets = Array(given.utf8)
        var decoder = DataDecoder()
        var output: [UInt8] = []
        var pieces: [ArraySlice<UInt8>] = []
        var start = 0
        for cut in cuts + [octets.count] where cut >= start {
            pieces.append(octets[start..<cut])
            start = cut
        }
        var used = 0
        for piece in pieces {
            let (count, isEnded) = Array(piece).withUnsafeBufferPointer { decoder.decode($0, into: &output) }
            used += count
            if isEnded {
                return (
                    String(decoding: output, as: UTF8.self), String(decoding: octets[used...], as: UTF8.self), true
                )
            }
        }
        return (String(decoding: output, as: UTF8.self), "", false)
    }

    private static let cases: [(given: String, message: String, rest: String)] = [
        (".\r\n", "", ""),
        ("a\r\n.\r\nQUIT\r\n", "a\r\n", "QUIT\r\n"),
        ("..\r\n.\r\n", ".\r\n", ""),
        ("...\r\n..a\r\n.b\r\n.\r\n", "..\r\n.a\r\nb\r\n", ""),
        ("a.\r\n.\r\n", "a.\r\n", ""),
        ("\r\n\r\n.\r\n", "\r\n\r\n", ""),
        // The ways in which other servers were made to see an end that is none.
        ("a\n.\nMAIL\r\n.\r\n", "a\n.\nMAIL\r\n", ""),
        ("a\r.\rMAIL\r\n.\r\n", "a\r.\rMAIL\r\n", ""),
        ("a\n.\r\nMAIL\r\n.\r\n", "a\n.\r\nMAIL\r\n", ""),
        ("a\r\n.\nMAIL\r\n.\r\n", "a\r\n\nMAIL\r\n", ""),
        ("a\r\n.\rMAIL\r\n.\r\n", "a\r\n\rMAIL\r\n", ""),
        ("a\r.\r\nMAIL\r\n.\r\n", "a\r.\r\nMAIL\r\n", ""),
        ("a\r\n.\r\r\nMAIL\r\n.\r\n", "a\r\n\r\r\nMAIL\r\n", ""),
        ("a\r\r\n.\r\n", "a\r\r\n", ""),
        ("a\0\r\n.\r\n", "a\0\r\n", ""),
        ("a\r\n\0.\r\nMAIL\r\n.\r\n", "a\r\n\0.\r\nMAIL\r\n", ""),
    ]

    @Test("are the same wherever the octets are split in two", arguments: cases)
    func split(_ given: String, _ message: String, _ rest: String) {
        for cut in 0...given.utf8.count {
            let decoded = decode(given, cuts: [cut])
            #expect(decoded.isEnded)
            #expect(decoded.message.utf8.elementsEqual(message.utf8), "cut at \(cut)")
            #expect(decoded.rest.utf8.elementsEqual(rest.utf8), "cut at \(cut)")
        }
    }

    @Test("are the same octet by octet", arguments: cases)
    func single(_ given: String, _ message: String, _ rest: String) {
        let decoded = decode(given, cuts: Array(0...given.utf8.count))
        #expect(decoded.isEnded)
        #expect(decoded.message.utf8.elementsEqual(message.utf8))
        #expect(decoded.rest.utf8.elementsEqual(rest.utf8))
    }

    @Test("any octets, with dots put in by the rule, come out as they were")
    func roundTrip() {
        var generator = SystemRandomNumberGenerator()
        let alphabet: [UInt8] = [0x0D, 0x0A, 0x2E, 0x61]
        for _ in 0..<2_000 {
            var message = (0..<Int.random(in: 0...14, using: &generator)).map { _ in alphabet.randomElement() ?? 0x61 }
            message += [0x0D, 0x0A]
            var sent: [UInt8] = []
            var isLineStart = true
            for (index, octet) in message.enumerated() {
                if isLineStart && octet == 0x2E { sent.append(0x2E) }
                sent.append(octet)
                isLineStart = octet == 0x0A && index > 0 && message[index - 1] == 0x0D
            }
            sent += Array(".\r\nX".utf8)
            var decoder = DataDecoder()
            var output: [UInt8] = []
            let (used, isEnded) = sent.withUnsafeBufferPointer { decoder.decode($0, into: &output) }
            #expect(isEnded)
            #expect(output == message)
            #expect(used == sent.count - 1)
        }
    }

    @Test("without the end there is none", arguments: ["", "a", "a\r\n", "a\r\n.", "a\r\n.\r", "a\n.\n", "\n.\r\n"])
    func open(_ given: String) { #expect(!decode(given).isEnded) }
}
