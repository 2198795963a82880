import ProgramLife
import Workflows

/// The way of the mail of one direction: its workers, and its place at the signing server.
///
/// Outgoing mail is signed at one address and incoming mail verified at another, so that neither waits for the other's
/// server.
final class WorkLane: Sendable {
    let direction: Direction
    let server: ServerLane
    /// The messages of this direction that wait in `retry`.
    let agenda = Agenda<Int, Void>()
    let retryBell: WakeBell
    /// The absence of its signing server.
    let serverReturn = ServerReturn()
    /// The messages of this direction that a recovery has found.
    let leftovers = Leftovers()
    let handoff: Handoff<Waiting>
    let crew: WorkerCrew

    /// Workers beside those that are at the server: they look into what comes next, which may need no server.
    static let spareWorkers = 2

    /// - Parameter width: The number of messages that may be at the server at the same time.
    init(_ direction: Direction, width: Int) {
        self.direction = direction
        retryBell = WakeBell()
        server = ServerLane(limit: width, roomBell: retryBell)
        handoff = Handoff(ahead: Self.spareWorkers + width / 2)
        crew = WorkerCrew(width: width + Self.spareWorkers)
    }

    /// Notes a message that waits in `retry`.
    /// - Parameter time: Unix seconds.
    func addRetry(due time: Int) {
        if agenda.add(due: time) { retryBell.ring() }
    }

    func resize(to width: Int) {
        server.resize(to: width)
        crew.resize(to: width + Self.spareWorkers)
    }

    /// Hands on what a recovery has found.
    /// - Returns: The number of messages handed on.
    func passLeftovers() -> Int {
        var count = 0
        while let left = leftovers.pop(), handoff.put(.left(left)) { count += 1 }
        return count
    }

    /// Works until the hand-off ends.
    func work(by engine: Engine) async {
        await crew.work { [handoff, server] in
            guard let waiting = await handoff.next() else { return false }
            await engine.claim(waiting, at: server)
            handoff.finished()
            return true
        }
    }
}
