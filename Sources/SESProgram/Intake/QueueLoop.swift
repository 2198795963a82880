import Logging
import ProgramLife
import Spool
import Workers

/// Looks for what waits in one queue for one lane: at the start, on every ring, and when something is due.
///
/// A queue of its own loop, so that a long backlog in one direction does not keep the other waiting.
struct QueueLoop: Sendable {
    let queue: Queue
    let lane: WorkLane
    let engine: Engine
    let bell: WakeBell
    let maximumDelay: @Sendable () -> Int
    /// Told of each round, and of each wait for workers; nil without a watchdog.
    var watched: Watchdog.Part?

    private var clock: SpoolClock { engine.clock }

    /// Runs until the bell is silenced.
    func run() async {
        var judge = StillnessJudge()
        repeat {
            if engine.mayClaim { _ = pass(&judge) }
            watched?.beat()
        } while await bell.wait(atMost: patience(judge))
    }

    /// Makes one listing: the directory stream is read to its end, and each file that may be taken is handed on at
    /// once.
    /// - Returns: The number of files handed on.
    func pass(_ judge: inout StillnessJudge) -> Int {
        var handed = 0
        var waiting: [Int] = []
        var freed: [(made: Int, Candidate)] = []
        var forerunner: (made: Int, due: Int, candidate: Candidate)?
        let begin = clock.monotonic()
        if queue == .retry { lane.agenda.beginListing() }
        let isWhole = engine.claims.list(queue) { (candidate, key) throws(SpoolError) in
            let next = Waiting.fresh(candidate)
            guard next.direction == lane.direction, !engine.gate.mustWait(key) else { return true }
            if let due = candidate.due, !candidate.isDue(now: clock.now(), maximumDelay: maximumDelay()) {
                let made = candidate.made ?? 0
                if lane.serverReturn.frees(made) {
                    freed.append((made, candidate))
                    return true
                }
                waiting.append(due)
                if forerunner.map({ made < $0.made }) ?? true { forerunner = (made, due, candidate) }
                return true
            }
            // A retry needed the server before and needs it again.
            if queue == .retry, lane.server.isStuck { return true }
            guard try isStill(candidate, &judge) else { return true }
            handed += 1
            guard let watched else { return lane.handoff.put(next) }
            return watched.excused { lane.handoff.put(next) }
        }
        if isWhole {
            if queue == .retry {
                lane.agenda.replace(dueAt: waiting)
                handed += handOn(freed, forerunner?.candidate)
            }
            judge.forget(notSeenSince: begin)
        }
        return handed
    }

    /// Hands on what need not wait any more, in the order in which it was put aside; or one message that finds out
    /// whether the others need.
    private func handOn(_ freed: [(made: Int, Candidate)], _ forerunner: Candidate?) -> Int {
        var handed = 0
        for (_, candidate) in freed.sorted(by: { $0.made < $1.made }) {
            guard lane.handoff.put(.fresh(candidate)) else { return handed }
            handed += 1
        }
        if let forerunner, lane.serverReturn.consumeForerunner(), lane.handoff.put(.fresh(forerunner)) { handed += 1 }
        return handed
    }

    /// The time after which a queue is listed again in which something could not be looked at.
    private static let secondLook = Duration.seconds(5)

    /// A bare `*.eml` is complete when nothing of it has changed for a while; what stands in `new/` always is.
    private func isStill(_ candidate: Candidate, _ judge: inout StillnessJudge) throws(SpoolError) -> Bool {
        guard candidate.isBare else { return true }
        guard let observation = try engine.spool.observe(candidate) else { return false }
        return judge.judge(candidate, observation, now: clock.monotonic()) == .still
    }

    /// Returns the time until a bare file can be known to be complete; nil if there is none.
    func waitForStillness(_ judge: StillnessJudge) -> Duration? {
        judge.nextLook.map { max($0 - clock.monotonic(), .milliseconds(50)) }
    }

    /// Returns the time for which nothing has to be looked at again, if nobody rings. The end of a pause rings, and so
    /// does a free place at the server.
    private func patience(_ judge: StillnessJudge) -> Duration? {
        guard engine.mayClaim else { return nil }
        var waits = [waitForStillness(judge)].compactMap(\.self)
        // What could not be looked at may be fit again, and nothing rings then.
        if engine.claims.isLeft(in: queue.rawValue) { waits.append(Self.secondLook) }
        if queue == .retry, let due = lane.agenda.next { waits.append(.seconds(due - clock.now())) }
        // Never less than a moment: a clock that is a little behind must not become a busy loop.
        return waits.min().map { max($0, .milliseconds(50)) }
    }
}
