import CivilTime
import Glibc

/// One line for one event, for standard error. Untrusted text cannot end the line.
package enum LogLine {
    /// A fact of a line: a name and its value.
    package typealias Fact = (key: String, value: String)

    /// The names of facts that come first, in this order; all others follow, sorted.
    private static let order = [
        "entry", "from", "to", "recipients", "size", "duration", "outcome", "verdict", "workflow", "server", "attempt",
        "due", "times", "messageID", "reason",
    ]

    /// One line in the form of `format`, without its end.
    /// - Parameters:
    ///   - level: A word of swift-log's levels.
    ///   - facts: In any order.
    package static func line(
        _ format: LogFormat, _ level: String, _ message: String, _ facts: [Fact], program: String,
        milliseconds: Int = LogLine.milliseconds()
    ) -> String {
        switch format {
        case .text: text(level, message, facts, milliseconds: milliseconds)
        case .json: json(level, message, facts, program: program, milliseconds: milliseconds)
        case .journal: journal(level, message, facts)
        }
    }

    /// For a terminal: local time with its zone, the beginning of the entry, the event, and facts, `key=value` each.
    package static func text(
        _ level: String, _ message: String, _ facts: [Fact], milliseconds: Int = LogLine.milliseconds()
    ) -> String {
        let entry = facts.first { $0.key == "entry" }.map { String($0.value.prefix(8)) } ?? "-"
        let others = facts.filter { $0.key != "entry" }
        let urgency = ["warning", "error", "critical"].contains(level) ? level.uppercased() + " " : ""
        return localTime(milliseconds / 1_000) + " " + padded(visible(entry), to: 8) + " " + urgency
            + padded(visible(message), to: 12) + words(others)
    }

    /// For a machine that collects it: one JSON object, its keys in a fixed order.
    package static func json(
        _ level: String, _ message: String, _ facts: [Fact], program: String,
        milliseconds: Int = LogLine.milliseconds()
    ) -> String {
        let own = [
            ("t", timestamp(milliseconds)), ("level", level), ("program", program), ("message", visible(message)),
        ]
        let others = sorted(facts.filter { fact in !own.contains { $0.0 == fact.key } }).map {
            ($0.key, visible($0.value))
        }
        return "{" + (own + others).map { jsonString($0.0) + ":" + jsonString($0.1) }.joined(separator: ",") + "}"
    }

    /// For journald: the priority (syslog(3)), the event, and facts.
    static func journal(_ level: String, _ message: String, _ facts: [Fact]) -> String {
        let priority =
            switch level {
            case "critical": 2
            case "error": 3
            case "warning": 4
            case "notice": 5
            case "info": 6
            default: 7
            }
        return "<\(priority)>" + visible(message) + words(facts)
    }

    private static func words(_ facts: [Fact]) -> String {
        sorted(facts).map { " " + $0.key + "=" + quoted(visible($0.value)) }.joined()
    }

    private static func sorted(_ facts: [Fact]) -> [Fact] {
        func rank(_ fact: Fact) -> Int { order.firstIndex(of: fact.key) ?? order.count }
        return facts.sorted { (rank($0), $0.key) < (rank($1), $1.key) }
    }

    /// `16:44:03 CET`, by the time zone of this machine.
    private static func localTime(_ seconds: Int) -> String {
        LocalTime.formatted(seconds, "%H:%M:%S %Z") ?? timestamp(seconds * 1_000)
    }

    private static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// Writes `line` to standard error. One write a line, so that lines of several processes on one stream do not mix.
    package static func put(_ line: String) {
        var line = line + "\n"
        // A reader that has gone away is no reason to stop the work.
        _ = line.withUTF8 { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    /// The text with control characters, and what turns the direction of text, as visible escapes.
    package static func visible(_ text: String) -> String {
        guard !text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }), text.unicodeScalars.contains(where: isHarmful)
        else { return text }
        var safe = ""
        for scalar in text.unicodeScalars {
            if isHarmful(scalar) {
                safe += "\\u{" + String(scalar.value, radix: 16) + "}"
            } else {
                safe.unicodeScalars.append(scalar)
            }
        }
        return safe
    }

    /// Milliseconds since 1970 by the system's clock.
    package static func milliseconds() -> Int {
        var time = timespec()
        // The clock exists on every Linux, so the call cannot fail.
        _ = clock_gettime(CLOCK_REALTIME, &time)
        return time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
    }

    /// By RFC 3339, in UTC, with milliseconds.
    static func timestamp(_ milliseconds: Int) -> String { UTCTime(milliseconds: milliseconds).rfc3339 }

    /// A value with blanks gets quotes, so that none of its words looks like a separate fact.
    private static func quoted(_ text: String) -> String {
        guard text.isEmpty || text.unicodeScalars.contains(where: separatesFacts) else { return text }
        let marked = text.unicodeScalars.map { $0 == "\"" || $0 == "\\" ? "\\" + String($0) : String($0) }
        return "\"" + marked.joined() + "\""
    }

    private static func separatesFacts(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\"", "=", " ", "\t"..."\r": true
        default: !scalar.isASCII && scalar.properties.isWhitespace
        }
    }

    /// A string of JSON (RFC 8259 §7).
    private static func jsonString(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x22 && $0 != 0x5C }) { return "\"" + text + "\"" }
        var string = "\""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22: string += "\\\""
            case 0x5C: string += "\\\\"
            case 0..<0x20: string += "\\u00" + (scalar.value < 0x10 ? "0" : "") + String(scalar.value, radix: 16)
            default: string.unicodeScalars.append(scalar)
            }
        }
        return string + "\""
    }

    private static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x80 { return scalar.value < 0x20 || scalar.value == 0x7F }
        return switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
