import ProgramLife
import Workflows

/// The way of the mail of one direction: its workers, and its place at the signing server.
///
/// Outgoing mail is signed at one address and incoming mail verified at another, so that neither waits for the other's server.
final class WorkLane: Sendable {
    let direction: Direction
    let server: ServerLane
    /// What waits in `retry` of this direction.
    let agenda: RetryAgenda
    let retryBell: WakeBell
    /// What a recovery has found of this direction.
    let leftovers = Leftovers()
    let handoff: Handoff<Waiting>
    let crew: WorkerCrew

    /// Workers beside those that are at the server: they look into what comes next, which may need no server.
    static let spareWorkers = 2

    /// - Parameter width: How many messages may be at the server at a time.
    init(_ direction: Direction, width: Int) {
        self.direction = direction
        retryBell = WakeBell()
        server = ServerLane(limit: width, roomBell: retryBell)
        agenda = RetryAgenda(bell: retryBell)
        handoff = Handoff(ahead: Self.spareWorkers + width / 2)
        crew = WorkerCrew(width: width + Self.spareWorkers)
    }

    func resize(to width: Int) {
        server.resize(to: width)
        crew.resize(to: width + Self.spareWorkers)
    }

    /// Hands on what a recovery has found.
    /// - Returns: How many.
    func passLeftovers() -> Int {
        var count = 0
        while let left = leftovers.pop(), handoff.put(.left(left)) { count += 1 }
        return count
    }

    /// Works until the hand-off ends.
    func work(by engine: Engine) async {
        await crew.work { [handoff, server] in
            guard let waiting = await handoff.take() else { return false }
            await engine.take(waiting, at: server)
            handoff.finished()
            return true
        }
    }
}
