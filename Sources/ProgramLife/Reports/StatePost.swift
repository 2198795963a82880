import FoundationEssentials
package import Spool
import Synchronization
import Workers

/// The files of the configuration in force, as they were when it was read.
package final class ConfigurationRecord: Sendable {
    private let stamps: Mutex<[FileStamp]>

    package init(_ stamps: [FileStamp]) { self.stamps = Mutex(stamps) }

    package var current: [FileStamp] { stamps.withLock { $0 } }
    package func replace(with stamps: [FileStamp]) { self.stamps.withLock { $0 = stamps } }
}

/// Renews the published state of this process on every change and every 4 s.
package final class StatePost: Sendable {
    private let bell: WakeBell
    private let spool: Spool
    private let board: HealthBoard
    private let gate: IntakeGate
    private let started: Int
    private let watches: Bool
    private let record: ConfigurationRecord
    private let tally: DayTally
    private let servers: @Sendable () -> [ServerState]
    private let notices: DaemonNotices?
    private let watched: Watchdog.Part?

    /// - Parameters:
    ///   - bell: Rung on every change.
    ///   - watches: True if the process watches the folders for arrivals.
    ///   - notices: Told of the health with each renewal, and that this loop goes round.
    ///   - servers: The servers that this program calls, at most as many as a state has room for.
    package init(
        bell: WakeBell, spool: Spool, board: HealthBoard, gate: IntakeGate, clock: SpoolClock, watches: Bool,
        record: ConfigurationRecord, tally: DayTally, notices: DaemonNotices?,
        servers: @escaping @Sendable () -> [ServerState]
    ) {
        self.bell = bell
        self.spool = spool
        self.board = board
        self.gate = gate
        self.watches = watches
        self.record = record
        self.tally = tally
        self.servers = servers
        self.notices = notices
        watched = notices?.watch("the state of the process")
        started = clock.now()
    }

    package func run() async {
        repeat {
            publish()
            // Whatever changes, and however often: no more than this.
            try? await Task.sleep(for: SpoolHealth.shortestStateInterval)
        } while await bell.wait(atMost: SpoolHealth.stateInterval)
        publish()
        // One that stays is recognised by readers, because its process is dead.
        try? spool.retireState(program: spool.program.name)
    }

    package func end() { bell.silence() }

    private func publish() {
        let health = board.snapshot
        let state = PublishedState(
            started: started, watches: watches, configuration: record.current, reasons: health.told,
            lastError: health.lastErrorTold, servers: servers(), today: tally.current)
        do {
            try spool.publishState([UInt8](try JSONEncoder().encode(state)), program: spool.program.name)
        } catch let error as SpoolError {
            // The command that asks for a status itself shows that the state is old.
            gate.note(error, about: "the state of this process")
        } catch {
            preconditionFailure("the state is made of what JSON has: \(error)")
        }
        watched?.beat()
        notices?.tell(health)
    }
}
