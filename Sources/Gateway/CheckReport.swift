import CMSSignatures
import Foundation
public import ProgramLife
import SESConfiguration

/// Every fault and every doubtful place of a configuration.
public struct CheckReport: Encodable, Sendable {
    public struct Fault: Encodable, Sendable {
        let file: String
        let line: Int
        let code: String
        let text: String
        @OrNull var expected: String?
        @OrNull var nearest: String?
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
    ///   - probes: The signing server is called at each address.
    public static func make(configuration option: String?, isStrict: Bool, probes: Bool) async -> CheckReport {
        let path = Surroundings().configurationPath(option: option)
        var faults: [Fault] = []
        var warnings: [ConfigurationWarning] = []
        do {
            let server = try SESConfiguration.load(path: path, environment: Surroundings().environment)
            warnings = server.warnings
            if let problem = server.clientCertificateProblem(now: Int(Date.now.timeIntervalSince1970)) {
                faults.append(
                    Fault(file: path, line: 0, code: "client-certificate", text: problem, expected: nil, nearest: nil))
            }
            if probes {
                for text in await ServiceProbe.failures(of: server) {
                    faults.append(
                        Fault(file: path, line: 0, code: "unreachable", text: text, expected: nil, nearest: nil))
                }
            }
        } catch {
            faults = error.faults.map {
                Fault(
                    file: $0.file, line: $0.line, code: $0.code.rawValue, text: $0.text, expected: $0.expected,
                    nearest: $0.nearest)
            }
            warnings = error.warnings
        }
        if isStrict {
            faults += warnings.filter(\.isRefusedWhenStrict).map {
                Fault(file: $0.file, line: $0.line, code: $0.code.rawValue, text: $0.text, expected: nil, nearest: nil)
            }
            warnings.removeAll(where: \.isRefusedWhenStrict)
        }
        return CheckReport(
            faults: faults,
            warnings: warnings.map { Warning(file: $0.file, line: $0.line, code: $0.code.rawValue, text: $0.text) })
    }

    init(faults: [Fault], warnings: [Warning]) {
        self.faults = faults
        self.warnings = warnings
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
        lines.append("\(faults.count) faults, \(warnings.count) warnings")
        return lines.joined(separator: "\n")
    }
}
