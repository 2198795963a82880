import Monitoring
import ProgramLife
import Spool

/// The processes of one program, as their states and the system's list of processes show them.
struct ProgramLook {
    /// A process that lives.
    struct Running {
        let state: ProcessState
        /// Nil if it is not understood.
        let told: PublishedState?
        /// The reason why it may not do its work.
        let trouble: (code: StatusCode, text: String)?

        /// True if the configuration on disk is another than the one that it has loaded.
        var isConfigurationOutdated: Bool { told?.configuration.contains(where: \.isOutdated) ?? false }
    }

    let program: Program
    let running: [Running]
    /// The last one that has ended, if none lives.
    let last: (state: ProcessState, told: PublishedState?)?

    init(_ program: Program, _ states: [ProcessState], now: Int) {
        self.program = program
        var running: [Running] = []
        var ended: [(state: ProcessState, told: PublishedState?)] = []
        for state in states where state.program == program.name {
            let told = PublishedState.reading(state.json)
            if Self.lives(state, told) {
                running.append(Running(state: state, told: told, trouble: Self.trouble(of: state, told)))
            } else {
                ended.append((state, told))
            }
        }
        self.running = running
        last = running.isEmpty ? ended.min { $0.state.age < $1.state.age } : nil
    }

    /// A process number is given again: the time of its start tells whether it is the same process.
    private static func lives(_ state: ProcessState, _ told: PublishedState?) -> Bool {
        guard state.isAlive else { return false }
        guard let start = told?.startTicks, let present = ProcessStart.ticks(of: state.pid) else { return true }
        return start == present
    }

    private static func trouble(of state: ProcessState, _ told: PublishedState?) -> (code: StatusCode, text: String)? {
        let name = "\(state.program) \(state.pid)"
        if let defect = state.defect {
            return (.noSignOfLife, "what \(name) says of itself cannot be read: \(defect)")
        }
        guard told != nil else {
            return (.otherVersion, "what \(name) says of itself is not understood: it is of another version")
        }
        guard state.age > SpoolHealth.silence else { return nil }
        return (
            .noSignOfLife,
            "\(name) has not said for \(StatusWords.span(state.age)) how it is: it cannot write, or hangs"
        )
    }
}
