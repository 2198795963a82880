import Monitoring
import Spool

/// The findings of recoveries that make the status unhealthy, reported as one reason for each state of the table.
///
/// A foreign file counts until it is gone. An impossible state (S8, S9) was repaired when it was found, and is reported
/// until the program ends, so that a person looks.
struct RecoveryFindings {
    private var found: [RecoveryReport.State: [String: String]] = [:]
    /// Of one state; this only bounds the memory.
    private static let limit = 1_000

    /// Takes in what one recovery found.
    /// - Returns: The findings that were not known before.
    mutating func merge(_ report: RecoveryReport) -> Set<RecoveryReport.Finding> {
        var new: Set<RecoveryReport.Finding> = []
        var foreign: [String: String] = [:]
        for finding in report.unhealthy {
            var known = found[finding.state, default: [:]]
            if known[finding.path] == nil, known.count < Self.limit { new.insert(finding) }
            if known.count < Self.limit || known[finding.path] != nil { known[finding.path] = finding.text }
            found[finding.state] = known
            if finding.state == .foreign { foreign[finding.path] = known[finding.path] }
        }
        if report.isWhole { found[.foreign] = foreign }
        return new
    }

    /// A sentence for each state of which something was found, nil where there is nothing any more, by subject.
    var reasons: [(subject: String, reason: StandingReason?)] {
        found.map { state, paths in
            let more = paths.count > 1 ? " (and \(paths.count - 1) more)" : ""
            let first = paths.min { $0.key < $1.key }
            let isForeign = state == .foreign
            return (
                "recovery " + state.rawValue,
                first.map {
                    StandingReason(
                        isForeign ? .foreignFile : .repairedState, "\($0.key) (\(state.rawValue)): \($0.value)\(more)",
                        path: isForeign ? $0.key : nil)
                }
            )
        }
    }
}
