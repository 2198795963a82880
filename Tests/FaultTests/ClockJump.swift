/// A change of the time of day while a message waits.
struct ClockJump: Sendable {
    /// Seconds.
    let distance: Int
    /// The program is started anew after the jump.
    let restarts: Bool
    /// The clock is set right after the next attempt.
    let isCorrected: Bool

    /// An hour, two days and a year in both directions, each with and without restart and correction.
    static let all: [ClockJump] = [3_600, -3_600, 172_800, -172_800, 31_536_000, -31_536_000].flatMap { distance in
        [(false, false), (false, true), (true, false), (true, true)].map {
            ClockJump(distance: distance, restarts: $0.0, isCorrected: $0.1)
        }
    }
}
