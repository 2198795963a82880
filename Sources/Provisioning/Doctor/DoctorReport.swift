public import HostProcess
public import Monitoring

/// A part of the house that is examined.
public enum DoctorArea: String, Encodable, Sendable, CaseIterable {
    case configuration
    case folders = "users and folders"
    case programs
    case signing = "signing server"
    case nextHop = "next hop"
    case administrator
    case certificates
    case time
    case mail
    case pairing
}

/// The finding about one part of the house.
public struct DoctorFinding: Encodable, Sendable, Hashable {
    public let area: DoctorArea
    /// `OK`, `WARNING` or `CRITICAL`.
    public let level: StatusLevel
    public let text: String
    /// The remedy; nil where nothing has to be done, or the text says it.
    public let remedy: String?

    init(_ area: DoctorArea, _ level: StatusLevel, _ text: String, remedy: String? = nil) {
        self.area = area
        self.level = level
        self.text = text
        self.remedy = remedy
    }
}

/// The examination of a whole house: each part with its findings, and what to do, the most important first.
public struct DoctorReport: ConsoleReport, Sendable {
    let v = 1
    /// The worst level.
    public let level: StatusLevel
    public let findings: [DoctorFinding]

    private enum CodingKeys: String, CodingKey {
        case v
        case level = "status"
        case findings
    }

    /// - Parameter findings: In the order of areas they are shown by; an area may have several.
    init(_ findings: [DoctorFinding]) {
        var seen: Set<DoctorFinding> = []
        self.findings = DoctorArea.allCases.flatMap { area in
            let own = findings.filter { $0.area == area && seen.insert($0).inserted }
            let bad = own.filter { $0.level > .ok }
            // What is well is not said of a part that has something wrong, except by a probe of another server.
            return bad.isEmpty || [.signing, .nextHop].contains(area) ? own : bad
        }
        level = self.findings.map(\.level).max() ?? .ok
    }

    public var status: ExitStatus {
        switch level {
        case .ok: .success
        case .warning: .unhealthy
        case .critical: .broken
        }
    }

    /// The things to be done, the most important first.
    public var tasks: [DoctorFinding] {
        [StatusLevel.critical, .warning].flatMap { level in findings.filter { $0.level == level } }
    }

    /// For people.
    public var text: String {
        var lines = findings.map { finding in
            let mark =
                switch finding.level {
                case .ok: "[ok]"
                case .warning: "[warn]"
                case .critical: "[FAIL]"
                }
            return mark.padding(8) + finding.area.rawValue.padding(20) + LogLine.visible(finding.text)
        }
        let tasks = tasks
        lines.append("")
        guard !tasks.isEmpty else { return (lines + ["Nothing to do."]).joined(separator: "\n") }
        lines.append(tasks.count == 1 ? "1 thing to do:" : "\(tasks.count) things to do, the most important first:")
        for (index, task) in tasks.enumerated() {
            lines.append("  \(index + 1). \(task.area.rawValue): " + LogLine.visible(task.remedy ?? task.text))
        }
        return lines.joined(separator: "\n")
    }
}
