import Logging
import ProgramLife
import Spool

/// The objects that all entries of a relay share.
struct RelayContext: Sendable {
    let spool: Spool
    let lanes: LaneBoard
    let counters: RelayCounters
    let clock: SpoolClock
    let random: SpoolRandom
    let solitude: Solitude
    let gate: IntakeGate
    let log: Logger

    var isStopping: Bool { gate.isStopping }

    /// Seconds of the clock that never jumps, by which ``lanes`` goes.
    var seconds: Int { Int(clock.monotonic().components.seconds) }

    /// 0 to `most` seconds.
    func jitter(_ most: Int) -> Int {
        guard most > 0 else { return 0 }
        return random.octets(4).reduce(0) { $0 << 8 | Int($1) } % (most + 1)
    }
}
