import CivilTime
import Glibc

/// One line for one event, for standard error. Untrusted text cannot end the line.
package enum LogLine {
    /// For a terminal: time, level, message and facts, `key=value` each.
    /// - Parameter facts: In the order in which they stand in the line.
    package static func text(
        _ level: String, _ message: String, _ facts: [(key: String, value: String)],
        milliseconds: Int = LogLine.milliseconds()
    ) -> String {
        var line = timestamp(milliseconds) + " " + level + " " + visible(message)
        for (key, value) in facts { line += " " + key + "=" + quoted(visible(value)) }
        return line
    }

    /// For a machine that collects it: one JSON object, its keys in order.
    package static func json(
        _ level: String, _ message: String, _ facts: [(key: String, value: String)], program: String,
        milliseconds: Int = LogLine.milliseconds()
    ) -> String {
        let own = [
            ("level", level), ("message", visible(message)), ("program", program), ("t", timestamp(milliseconds)),
        ]
        let others = facts.filter { fact in !own.contains { $0.0 == fact.key } }.map { ($0.key, visible($0.value)) }
        let members = (own + others).sorted { $0.0 < $1.0 }.map { jsonString($0.0) + ":" + jsonString($0.1) }
        return "{" + members.joined(separator: ",") + "}"
    }

    /// Writes `line` to standard error. One write a line, so that lines of several processes on one stream do not mix.
    package static func put(_ line: String) {
        let octets = Array((line + "\n").utf8)
        // A reader that has gone away is no reason to stop the work.
        _ = octets.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    /// The text with control characters, and what turns the direction of text, as visible escapes.
    package static func visible(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isHarmful) else { return text }
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
    static func timestamp(_ milliseconds: Int) -> String {
        let (seconds, fraction) = milliseconds.floorDivided(by: 1_000)
        let (day, second) = seconds.floorDivided(by: 86_400)
        let date = CivilDate(dayNumber: day)
        return padded(date.year, 4) + "-" + padded(date.month, 2) + "-" + padded(date.day, 2) + "T"
            + padded(second / 3_600, 2) + ":" + padded(second / 60 % 60, 2) + ":" + padded(second % 60, 2) + "."
            + padded(fraction, 3) + "Z"
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    /// A value with blanks gets quotes, so that none of its words looks like a separate fact.
    private static func quoted(_ text: String) -> String {
        guard
            text.isEmpty
                || text.unicodeScalars.contains(where: { $0.properties.isWhitespace || $0 == "\"" || $0 == "=" })
        else { return text }
        let marked = text.unicodeScalars.map { $0 == "\"" || $0 == "\\" ? "\\" + String($0) : String($0) }
        return "\"" + marked.joined() + "\""
    }

    /// A string of JSON (RFC 8259 §7).
    private static func jsonString(_ text: String) -> String {
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
