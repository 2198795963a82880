package import Spool

/// The state of a spool as the command that asks for a status sees it: a program in trouble may not be able to report
/// it.
package struct SpoolHealth: Sendable {
    /// Seconds after which what waits to be taken, or to be cleared away, shows that nobody does.
    package static let patience = 300
    /// A process renews its published state at least this often, and not more often than
    /// ``shortestStateInterval``.
    package static let stateInterval = Duration.seconds(4)
    package static let shortestStateInterval = Duration.milliseconds(250)
    /// Seconds after which a living process should have renewed its published state.
    package static let silence = 3 * Int(stateInterval.components.seconds)

    /// The reasons why mail may not move, a sentence each.
    package private(set) var reasons: [String] = []

    /// Asks the file system, and tries to write.
    /// - Parameter states: Of the processes that live.
    package init(of spool: Spool, states: [ProcessState]) throws(SpoolError) {
        let lack = try spool.lackOfRoom()
        if let lack {
            reasons.append(lack)
        } else if let error = try spool.obstacleToWriting() {
            reasons.append("nothing can be written in the spool: \(error.description)")
        }
        for state in states where state.program == spool.program.name {
            if let reason = Self.trouble(of: state, silence: Self.silence) { reasons.append(reason) }
        }
    }

    /// Returns the reason why a living process may not do its work, as its state shows; nil if nothing shows it.
    /// - Parameter silence: Seconds after which it should have renewed what it says of itself.
    package static func trouble(of state: ProcessState, silence: Int) -> String? {
        let name = "\(state.program) \(state.pid)"
        if let defect = state.defect { return "what \(name) says of itself cannot be read: \(defect)" }
        guard state.isOutdated || state.age > silence else { return nil }
        return "\(name) has not said for \(state.age) s how it is: it cannot write, or hangs"
    }

    /// A place where messages wait for longer than ``patience``.
    /// - Parameter taker: The program that is to take them.
    package static func overdue(_ place: String, _ overdue: Overdue, taker: String, isRunning: Bool) -> String? {
        guard overdue.count > 0 else { return nil }
        let what = isRunning ? "\(taker) does not take them" : "no \(taker) says that it runs"
        return
            "\(place) holds \(overdue.count) that should have been taken, the first for \(overdue.longest) s: \(what)"
    }
}
