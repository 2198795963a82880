import FoundationEssentials
import Glibc
import HouseStatus
import JournalIndex
import SESConfiguration
import Spool
import Workflows

/// The journals' account of a test mail, as steps of its report.
struct SendTestCourse {
    let settings: SESSettings
    let direction: Direction
    /// Milliseconds since 1970 at which it was dropped.
    let started: Int
    private var isClaimed = false
    private var isConcluded = false
    private var isRelayed = false
    /// The relay's last words about a failed attempt.
    private var missed: String?

    init(settings: SESSettings, direction: Direction, started: Int) {
        self.settings = settings
        self.direction = direction
        self.started = started
    }

    private var operation: String { direction == .outgoing ? "signed" : "verified" }

    /// True as long as a further step is to come.
    func isOpen(_ report: inout SendTestReport) -> Bool { report.failed == nil && !isRelayed }

    mutating func follow(_ line: JournalRecord, in report: inout SendTestReport) {
        let time = max(0, line.time - started)
        switch (line.program, line.event) {
        case ("ses", "claimed"):
            guard !isClaimed else { return }
            isClaimed = true
            report.add("claimed", time, "by ses")
        case ("ses", "committed"), ("ses", "published"): conclude(line, time, &report)
        case ("ses", "deferred"):
            report.fail(
                operation, time, line.reason ?? "the signing server gave no result",
                advice: "ses check --probe shows what the signing server says; the mail waits, and is tried again")
        case ("relay", "sent"):
            isRelayed = true
            report.add("relayed", time, "to the next hop: " + (line.server ?? line.reason ?? "accepted"))
        case ("relay", "deferred"), ("relay", "failed"):
            missed = line.server ?? line.reason ?? missed
            report.fail(
                "relayed", time, missed ?? "the next hop did not take it",
                advice: "ses-relay check --probe shows what the next hop says"
                    + (line.event == "deferred" ? "; the mail waits, and is tried again" : ""))
        default: return
        }
    }

    private mutating func conclude(_ line: JournalRecord, _ time: Int, _ report: inout SendTestReport) {
        if !isConcluded {
            isConcluded = true
            guard judge(line, time, &report) else { return }
        }
        guard line.event == "published", report.steps.last?.name != "committed" else { return }
        report.add("committed", time, "to " + (line.to.isEmpty ? "its folder" : line.to.joined(separator: ", ")))
    }

    /// - Returns: False if the mail does not go on.
    private func judge(_ line: JournalRecord, _ time: Int, _ report: inout SendTestReport) -> Bool {
        let reason = line.reason ?? ""
        guard line.to.isEmpty || line.to.contains("delivered") else {
            report.fail(
                operation, time, "it was kept (\(line.to.joined(separator: ", "))): \(reason)",
                advice: "ses show \(report.entry.prefix(8)) tells why; ses check --probe tries the signing server")
            return false
        }
        guard direction == .outgoing else {
            report.add(operation, time, line.verdict ?? "passed unchanged: \(reason)")
            return true
        }
        let workflow = settings.policy.outgoing.workflows.first { $0.name == line.workflow }
        guard let workflow, workflow.operations.contains(where: \.isSigning) else {
            report.fail(
                operation, time, "it was passed on unsigned: \(reason)",
                advice: "ses explain tells why no workflow signs mail of this sender; or name another by --from")
            return false
        }
        report.add(operation, time, words(workflow, line))
        return true
    }

    private func words(_ workflow: Workflow, _ line: JournalRecord) -> String {
        var key = line.key
        for case .signEmail(let instruction) in workflow.operations {
            key =
                key
                ?? {
                    switch instruction.key {
                    case .alias(let alias): alias
                    case .fromAddress: "of the From address"
                    case .profileDefault: "of the profile"
                    }
                }()
        }
        let by = key.map { $0.hasPrefix("of the ") ? " by the key \($0)" : " by key \"\($0)\"" } ?? ""
        let server = line.serverTime.map { ", \($0) ms at the server" } ?? ""
        return "workflow \"\(workflow.name)\"\(by)\(server)"
    }

    // MARK: - The end of patience

    /// Says at which step the mail stands still, and why.
    func giveUp(_ report: inout SendTestReport, _ time: Int, spool: String) {
        let states =
            (try? SpoolSurvey(of: spool, now: Int(Date.now.timeIntervalSince1970), patience: 300))?.states ?? []
        func isRunning(_ program: String) -> Bool { states.contains { $0.program == program && $0.isAlive } }
        let (step, program) =
            isConcluded ? ("relayed", "ses-relay") : isClaimed ? (operation, "ses") : ("claimed", "ses")
        if step == operation {
            report.fail(
                step, time, "the signing server has not answered yet",
                advice: "ses check --probe tries it; ses status tells what it last said")
        } else if isRunning(program) {
            report.fail(
                step, time, "\(program) is running and has not got to it yet",
                advice: "ses status tells what it is busy with; ses trace \(report.entry.prefix(8)) follows this mail")
        } else {
            report.fail(step, time, "no \(program) is running", advice: "start it: systemctl start \(program)")
        }
    }
}
