import Octets
import Testing

@testable import SMTPClient

@Suite("Content on the wire (RFC 5321 §2.3.8, 4.5.2)")
struct ContentTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let stored: String
        let sent: String
        var hasStrayReturn = false
        var testDescription: String { stored.debugDescription }
    }

    static let cases = [
        Case(stored: "", sent: ".\r\n"),
        Case(stored: "a\n", sent: "a\r\n.\r\n"),
        Case(stored: "a\r\n", sent: "a\r\n.\r\n"),
        Case(stored: "a", sent: "a\r\n.\r\n"),
        Case(stored: ".", sent: "..\r\n.\r\n"),
        Case(stored: ".\n..\nx.\n\n.y", sent: "..\r\n...\r\nx.\r\n\r\n..y\r\n.\r\n"),
        Case(stored: ".\r\n.\r\n", sent: "..\r\n..\r\n.\r\n"),
        // Somebody hopes that one of the servers on the way ends the message here.
        Case(stored: "a\n.\nMAIL FROM:<x@y>\r\n", sent: "a\r\n..\r\nMAIL FROM:<x@y>\r\n.\r\n"),
        Case(stored: "a\r\n.\n", sent: "a\r\n..\r\n.\r\n"),
        Case(stored: "a\n.\r", sent: "a\r\n..\r\n.\r\n", hasStrayReturn: true),
        Case(stored: "a\r.\r\n", sent: "a\r\n..\r\n.\r\n", hasStrayReturn: true),
        Case(stored: "a\r\r\n", sent: "a\r\n\r\n.\r\n", hasStrayReturn: true),
        Case(stored: "a\rb", sent: "a\r\nb\r\n.\r\n", hasStrayReturn: true),
        Case(stored: "\r", sent: "\r\n.\r\n", hasStrayReturn: true),
        Case(stored: "\n\r", sent: "\r\n\r\n.\r\n", hasStrayReturn: true),
    ]

    @Test("has CRLF line ends and doubled dots, however it is cut", arguments: cases)
    func encoding(_ given: Case) throws {
        let octets = Array(given.stored.utf8)
        for first in 0...octets.count {
            for second in first...octets.count {
                var encoder = SMTPContentEncoder()
                var survey = ContentSurvey()
                var sent: [UInt8] = []
                for piece in [octets[..<first], octets[first..<second], octets[second...]] {
                    piece.withUnsafeBytes {
                        encoder.encode($0, into: &sent)
                        survey.scan($0)
                    }
                }
                encoder.finish(into: &sent)
                survey.finish()
                #expect(String(decoding: sent, as: UTF8.self) == given.sent)
                #expect((survey.firstStrayReturn != nil) == given.hasStrayReturn)
                let doubled = given.sent.split(separator: "\r\n").dropLast().count { $0.hasPrefix(".") }
                #expect(survey.size == given.sent.utf8.count - 3 - doubled)
            }
        }
    }

    @Test("never ends early and has no lone CR or LF, whatever the input")
    func anything() {
        var generator = SplitMix(state: 7)
        let alphabet = Array("\r\n.a".utf8)
        for _ in 0..<3_000 {
            let stored = (0..<Int.random(in: 0..<40, using: &generator)).map { _ in
                alphabet[Int.random(in: 0..<4, using: &generator)]
            }
            var encoder = SMTPContentEncoder()
            var sent: [UInt8] = []
            stored.withUnsafeBytes { encoder.encode($0, into: &sent) }
            encoder.finish(into: &sent)
            let text = String(decoding: sent, as: UTF8.self)
            let lines = ("\r\n" + text).split(separator: "\r\n", omittingEmptySubsequences: false).dropLast()
            #expect(lines.dropLast().allSatisfy { $0 != "." } && lines.last == ".", "\(stored)")
            #expect(lines.allSatisfy { !$0.utf8.contains(0x0D) && !$0.utf8.contains(0x0A) }, "\(stored)")
        }
    }

    @Test("with a CR alone is refused if it must not be changed, with its place")
    func stray() throws {
        #expect {
            try SMTPMessage(OctetString("ab\r\ncd\ref"))
        } throws: { error in
            let failure = error as? SMTPFailure
            return failure?.permanence == .permanent && failure?.scope == .message
                && failure?.summary.contains("octet 6 ") == true
        }
        #expect(try SMTPMessage(OctetString("ab\r\ncd\ref"), strayReturns: .madeLineEnds).size == 12)
    }

    @Test("is known to have octets above 127 in any place", arguments: [0, 1, 7, 8, 9, 70_000])
    func eightBit(_ position: Int) throws {
        var octets = [UInt8](repeating: 0x61, count: 70_001)
        #expect(try !SMTPMessage(OctetString(octets)).hasEightBit)
        octets[position] = 0x80
        #expect(try SMTPMessage(OctetString(octets)).hasEightBit)
    }
}

/// Numbers that are the same in every run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
