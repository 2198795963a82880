import DSSClient
import Foundation
import ProgramLife
import Spool

/// What a running process says of itself in `state/PROGRAM-PID.json`.
struct PublishedState: Codable, Sendable, Equatable {
    struct Circuit: Codable, Sendable, Equatable {
        let address: String
        let state: String
        /// Unix seconds.
        let since: Int
    }

    let v: Int
    let started: Int
    let reasons: [String]
    let lastError: String?
    let circuits: [Circuit]
    let watches: Bool
}

/// Renews this process's state on every change and every 10 s.
final class StatePost: Sendable {
    let bell = WakeBell()
    private let spool: Spool
    private let configuration: ActiveConfiguration
    private let clock: SpoolClock
    private let started: Int
    private let watches: Bool

    init(spool: Spool, configuration: ActiveConfiguration, clock: SpoolClock, watches: Bool) {
        self.spool = spool
        self.configuration = configuration
        self.clock = clock
        self.watches = watches
        started = clock.now()
    }

    func run(_ board: HealthBoard) async {
        repeat {
            publish(board.snapshot)
        } while await bell.wait(atMost: .seconds(10))
        // One that cannot be removed is left out by readers, because its process is dead.
        try? spool.removeState(program: "ses")
    }

    func end() { bell.silence() }

    private func publish(_ health: HealthBoard.State) {
        let state = PublishedState(
            v: 1, started: started, reasons: health.reasons.sorted { $0.key < $1.key }.map(\.value),
            lastError: health.lastError,
            circuits: configuration.current.client.circuits().map {
                PublishedState.Circuit(address: $0.address, state: $0.state.rawValue, since: $0.since)
            }, watches: watches)
        guard let json = try? JSONEncoder().encode(state) else { return }
        // A disk that is full is told by the fault that stops the intake; the state is only for looking at.
        try? spool.publishState([UInt8](json), program: "ses")
    }
}
