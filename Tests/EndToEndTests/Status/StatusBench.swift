import Foundation
import Glibc
import TestSupport

/// A house whose status a test asks for.
struct StatusBench {
    struct Report {
        let exit: Int32
        let level: String
        let codes: [String]
        let texts: [String]
        let object: [String: Any]
    }

    let fixture: SpoolFixture
    /// Those of each call of `status`.
    var options: [String] = []
    var environment: [String: String] = [:]

    /// - Parameter change: The difference from a house that signs with the shared server.
    init(_ change: (inout SESXML) -> Void = { _ in }) async throws {
        var configuration = SESXML(servers: [try await DSSFixture.shared.address])
        configuration.outgoing = SESXML.sign(alias: Samples.aliceKey)
        change(&configuration)
        fixture = try await SpoolFixture(configuration)
    }

    var spool: String { fixture.spool }

    func report(_ more: [String] = []) async throws -> Report {
        let arguments = ["status", "--json", "--lmtp-sockets", fixture.scratch.file("lmtp")] + options + more
        let finished = try await fixture.ses(
            arguments + ["--config", fixture.configurationPath], environment: environment)
        guard let object = try? JSONSerialization.jsonObject(with: Data(finished.output.utf8)) as? [String: Any],
            let level = object["status"] as? String, let reasons = object["reasons"] as? [[String: Any]]
        else { throw HarnessError("ses status: \(finished)") }
        return Report(
            exit: finished.status, level: level, codes: reasons.compactMap { $0["code"] as? String },
            texts: reasons.compactMap { $0["text"] as? String }, object: object)
    }

    /// Waits until the status tells of `code` with `level`.
    @discardableResult
    func shows(
        _ code: String, _ level: String? = nil, _ more: [String] = [], within limit: Duration = .seconds(20)
    ) async throws -> Report {
        var last: Report?
        do {
            return try await eventually("the status shows \(code)", within: limit) {
                let report = try await report(more)
                last = report
                let told = (report.object["reasons"] as? [[String: Any]] ?? []).first { $0["code"] as? String == code }
                guard let told, level == nil || told["level"] as? String == level else { return nil }
                let exits: [String: Int32] = ["OK": 0, "WARNING": 1, "CRITICAL": 2]
                guard exits[report.level] == report.exit else { throw HarnessError("exit \(report.exit): \(report)") }
                return report
            }
        } catch {
            throw HarnessError("\(error); \(last.map { "\($0.codes) \($0.texts)" } ?? "")")
        }
    }

    /// Waits until the status no longer tells of `code`.
    func lifts(_ code: String, _ more: [String] = [], within limit: Duration = .seconds(20)) async throws {
        var last: Report?
        do {
            try await eventually("the status lifts \(code)", within: limit) {
                let report = try await report(more)
                last = report
                return report.codes.contains(code) ? nil : ()
            }
        } catch {
            throw HarnessError("\(error); \(last.map { "\($0.codes) \($0.texts)" } ?? "")")
        }
    }

    func remove(_ path: String) throws {
        try FileManager.default.removeItem(atPath: spool + "/" + path)
    }

    func setMode(_ mode: mode_t, _ path: String) throws {
        guard chmod(spool + "/" + path, mode) == 0 else { throw HarnessError("chmod \(path): \(errno)") }
    }

    /// A name of the spool's form.
    static func name(seconds: Int = Int(Date.now.timeIntervalSince1970), _ facts: String = "") -> String {
        let digits = UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased()
        return "\(seconds).\(digits).\(digits.prefix(16))\(facts)"
    }
}
