public import HostProcess
package import SESConfiguration

/// Every fault and every doubtful place of a configuration.
public struct CheckReport: ConsoleReport, Sendable {
    public struct Fault: Encodable, Sendable {
        let file: String
        let line: Int
        let code: String
        let text: String
        @OrNull var expected: String?
        @OrNull var nearest: String?

        package init(
            file: String, line: Int, code: String, text: String, expected: String? = nil, nearest: String? = nil
        ) {
            self.file = file
            self.line = line
            self.code = code
            self.text = text
            self.expected = expected
            self.nearest = nearest
        }
    }

    public struct Warning: Encodable, Sendable {
        let file: String
        let line: Int
        let code: String
        let text: String
    }

    let v = 1
    let faults: [Fault]
    let warnings: [Warning]

    private enum CodingKeys: String, CodingKey { case v, faults, warnings }

    public var status: ExitStatus { faults.isEmpty ? .success : .configuration }

    /// - Parameters:
    ///   - isStrict: Loose modes of files with secrets are faults.
    package init(faults: [Fault], warnings: [ConfigurationWarning], isStrict: Bool) {
        var faults = faults
        var warnings = warnings
        if isStrict {
            faults += warnings.filter(\.isRefusedWhenStrict).map {
                Fault(file: $0.file, line: $0.line, code: $0.code.rawValue, text: $0.text)
            }
            warnings.removeAll(where: \.isRefusedWhenStrict)
        }
        self.faults = faults
        self.warnings = warnings.map { Warning(file: $0.file, line: $0.line, code: $0.code.rawValue, text: $0.text) }
    }

    /// Of a configuration that could not be loaded.
    package init(_ error: ConfigurationFaults, isStrict: Bool) {
        self.init(
            faults: error.faults.map {
                Fault(
                    file: $0.file, line: $0.line, code: $0.code.rawValue, text: $0.text, expected: $0.expected,
                    nearest: $0.nearest)
            }, warnings: error.warnings, isStrict: isStrict)
    }

    /// For people.
    public var text: String {
        var lines = faults.map { fault in
            let place = fault.line > 0 ? "\(fault.file):\(fault.line)" : fault.file
            let expected = fault.expected.map { "; expected \($0)" } ?? ""
            let nearest = fault.nearest.map { "; did you mean \($0)?" } ?? ""
            return "\(place): fault: \(fault.text)\(expected)\(nearest)"
        }
        lines += warnings.map { warning in
            let place = warning.line > 0 ? "\(warning.file):\(warning.line)" : warning.file
            return "\(place): warning: \(warning.text)"
        }
        lines.append(Self.counted(faults.count, "fault") + ", " + Self.counted(warnings.count, "warning"))
        return lines.joined(separator: "\n")
    }

    private static func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
}
