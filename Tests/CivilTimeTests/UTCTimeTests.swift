import Foundation
import Testing

@testable import CivilTime

@Suite("Moments in UTC")
struct UTCTimeTests {
    @Test("are written as RFC 3339 has it, in any year")
    func agreeWithFoundation() {
        let oracle = ISO8601DateFormatter()
        oracle.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            // Before 1583 Foundation reckons by the Julian calendar.
            let milliseconds = Int.random(in: -12_000_000_000_000...250_000_000_000_000, using: &generator)
            let date = Date(timeIntervalSince1970: Double(milliseconds.floorDivided(by: 1_000).quotient))
            let seconds = oracle.string(from: date).prefix(19)
            let fraction = String(milliseconds.floorDivided(by: 1_000).remainder)
            let padded = String(repeating: "0", count: 3 - fraction.count) + fraction
            #expect(UTCTime(milliseconds: milliseconds).rfc3339 == "\(seconds).\(padded)Z")
        }
    }

    @Test("have a day without separators")
    func day() {
        #expect(UTCTime(milliseconds: 1_767_355_445_006).day == "20260102")
        #expect(UTCTime(milliseconds: 1_767_355_445_006).rfc3339 == "2026-01-02T12:04:05.006Z")
    }

    @Test("beyond the year 9999 lose no digit")
    func farAway() { #expect(UTCTime(milliseconds: 253_402_300_800_000).rfc3339 == "10000-01-01T00:00:00.000Z") }
}
