import FoundationEssentials
public import HostProcess

/// The status of a program or of a whole house, in the form that all programs give it: text for people, JSON, a line
/// for Nagios and Icinga, and an exit status that equals the first word.
///
/// The JSON is one object: `v`, `status`, `reasons`, and beside them the members of `facts`.
public struct StatusReport<Facts: Encodable & Sendable>: ConsoleReport, Sendable {
    public let reasons: [StatusReason]
    /// The words behind the level in the first line.
    public let headline: String
    public let sections: [[StatusLine]]
    public let performance: [PerformanceValue]
    public let facts: Facts

    /// - Parameters:
    ///   - sections: Groups of lines, with an empty line between them.
    ///   - facts: The things that the lines say, with stable names.
    public init(
        _ reasons: StatusReasons, headline: String, sections: [[StatusLine]], performance: [PerformanceValue],
        facts: Facts
    ) {
        // The worst first; of one level in the order in which they were found.
        self.reasons = [StatusLevel.critical, .warning, .ok].flatMap { level in reasons.all.filter { $0.level == level }
        }
        self.headline = headline
        self.sections = sections
        self.performance = performance
        self.facts = facts
    }

    public var level: StatusLevel { reasons.map(\.level).max() ?? .ok }

    public var status: ExitStatus {
        switch level {
        case .ok: .success
        case .warning: .unhealthy
        case .critical: .broken
        }
    }

    private enum CodingKeys: String, CodingKey { case v, status, reasons }

    /// Writes the members of the report and those of its facts into one object.
    /// - Throws: The error of the encoder.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(2, forKey: .v)
        try fields.encode(level, forKey: .status)
        try fields.encode(reasons, forKey: .reasons)
        try facts.encode(to: encoder)
    }

    /// For people.
    public var text: String {
        var lines = [StatusLine.padded(level.word, 9) + headline]
        for section in sections where !section.isEmpty {
            lines.append("")
            lines += section.map(\.text)
        }
        guard !reasons.isEmpty else { return lines.joined(separator: "\n") }
        lines.append("")
        lines.append(Self.counted(reasons))
        for reason in reasons {
            lines.append("  \(reason.level.word): \(reason.text)")
            if let remedy = reason.remedy { lines.append("      -> \(remedy)") }
        }
        return lines.joined(separator: "\n")
    }

    private static func counted(_ reasons: [StatusReason]) -> String {
        let criticals = reasons.count { $0.level == .critical }
        let warnings = reasons.count - criticals
        let parts = [
            criticals == 0 ? nil : "\(criticals) critical",
            warnings == 0 ? nil : warnings == 1 ? "1 warning" : "\(warnings) warnings",
        ]
        return parts.compactMap(\.self).joined(separator: ", ") + ":"
    }

    /// One line for Nagios, Icinga and what understands their plugins: level, the worst reasons, performance data.
    /// - Parameter name: The name of the check, which begins the line.
    public func pluginLine(_ name: String) -> String {
        let told =
            reasons.isEmpty
            ? headline
            : reasons.prefix(3).map(\.text).joined(separator: "; ")
                + (reasons.count > 3 ? "; and \(reasons.count - 3) more" : "")
        // The bar separates text and data.
        let text = LogLine.visible(told).replacing("|", with: "/")
        let data = performance.map(\.text).joined(separator: " ")
        return "\(name) \(level.word): \(text)" + (data.isEmpty ? "" : " | " + data)
    }
}

/// A line of a status: what it is about, how it is, and what may be done.
public struct StatusLine: Sendable, Hashable {
    let label: String
    let subject: String?
    let state: String
    let advice: String?

    /// - Parameters:
    ///   - subject: The thing among several under one label, such as the address of a server.
    ///   - advice: A command.
    public init(_ label: String, _ subject: String? = nil, _ state: String, advice: String? = nil) {
        self.label = label
        self.subject = subject
        self.state = state
        self.advice = advice
    }

    var text: String {
        var line = "  " + Self.padded(label, 13)
        if let subject { line += Self.padded(subject, 30) }
        line += state
        if let advice { line = Self.padded(line, 60) + advice }
        return LogLine.visible(line)
    }

    /// The text with blanks up to `width` columns, and at least two of them.
    static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(text.count + 2 > width ? 2 : width - text.count, 1))
    }
}

/// A measured value behind the bar of a plugin's line.
public struct PerformanceValue: Sendable, Hashable {
    let name: String
    let value: Int
    /// The unit as plugins write it: `s`, `B`, or nothing for a number.
    let unit: String

    public init(_ name: String, _ value: Int, _ unit: String = "") {
        self.name = name
        self.value = value
        self.unit = unit
    }

    var text: String { "'\(name)'=\(value)\(unit)" }
}
