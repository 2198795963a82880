import Foundation
package import Spool

/// Renews the published state of this process on every change and every 4 s.
package final class StatePost<Own: Codable & Equatable & Sendable>: Sendable {
    private let bell: WakeBell
    private let spool: Spool
    private let board: HealthBoard
    private let gate: IntakeGate
    private let started: Int
    private let watches: Bool
    private let own: @Sendable () -> Own
    private let published: @Sendable () -> Void

    /// - Parameters:
    ///   - bell: Rung on every change.
    ///   - watches: True if the process watches the folders for arrivals.
    ///   - own: Returns the fields of this program.
    ///   - published: Called after each renewal, and at the end.
    package init(
        bell: WakeBell, spool: Spool, board: HealthBoard, gate: IntakeGate, clock: SpoolClock, watches: Bool,
        published: @escaping @Sendable () -> Void = {}, own: @escaping @Sendable () -> Own
    ) {
        self.bell = bell
        self.spool = spool
        self.board = board
        self.gate = gate
        self.watches = watches
        self.own = own
        self.published = published
        started = clock.now()
    }

    package func run() async {
        repeat {
            publish()
            // Whatever changes, and however often: no more than this.
            try? await Task.sleep(for: SpoolHealth.shortestStateInterval)
        } while await bell.wait(atMost: SpoolHealth.stateInterval)
        // The last counts must be visible too.
        published()
        // One that cannot be removed is left out by readers, because its process is dead.
        try? spool.removeState(program: spool.program.name)
    }

    package func end() { bell.silence() }

    private func publish() {
        let health = board.snapshot
        let state = PublishedState(
            started: started, reasons: health.told, lastError: health.lastErrorTold, watches: watches, own: own())
        do {
            try spool.publishState([UInt8](try JSONEncoder().encode(state)), program: spool.program.name)
        } catch let error as SpoolError {
            // The command that asks for a status itself shows that the state is old.
            gate.note(error, about: "the state of this process")
        } catch {
            preconditionFailure("the state is made of what JSON has: \(error)")
        }
        published()
    }
}
