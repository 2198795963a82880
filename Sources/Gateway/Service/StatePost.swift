import DSSClient
import Foundation
import ProgramLife
import Spool

/// The state that a running process publishes in `state/PROGRAM-PID.json`.
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

/// Renews this process's state on every change and every 4 s.
final class StatePost: Sendable {
    static let program = "ses"
    static let longestInterval = Duration.seconds(4)
    private static let shortestInterval = Duration.milliseconds(250)

    private let bell: WakeBell
    private let spool: Spool
    private let configuration: ActiveConfiguration
    private let board: HealthBoard
    private let gate: IntakeGate
    private let clock: SpoolClock
    private let started: Int
    private let watches: Bool

    init(
        bell: WakeBell, spool: Spool, configuration: ActiveConfiguration, board: HealthBoard, gate: IntakeGate,
        clock: SpoolClock, watches: Bool
    ) {
        self.bell = bell
        self.spool = spool
        self.configuration = configuration
        self.board = board
        self.gate = gate
        self.clock = clock
        self.watches = watches
        started = clock.now()
    }

    func run() async {
        repeat {
            publish()
            // Whatever changes, and however often: no more than this.
            try? await Task.sleep(for: Self.shortestInterval)
        } while await bell.wait(atMost: Self.longestInterval)
        // One that cannot be removed is left out by readers, because its process is dead.
        try? spool.removeState(program: Self.program)
    }

    func end() { bell.silence() }

    private func publish() {
        let health = board.snapshot
        let state = PublishedState(
            v: 1, started: started, reasons: health.told, lastError: health.lastErrorTold,
            circuits: configuration.current.client.circuits().map {
                PublishedState.Circuit(address: $0.address, state: $0.state.rawValue, since: $0.since)
            }, watches: watches)
        do {
            try spool.publishState([UInt8](try JSONEncoder().encode(state)), program: Self.program)
        } catch let error as SpoolError {
            // `ses status` itself shows that it is old.
            gate.note(error, about: "the state of this process")
        } catch {
            preconditionFailure("the state is made of what JSON has: \(error)")
        }
    }
}
