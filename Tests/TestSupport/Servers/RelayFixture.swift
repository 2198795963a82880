import Foundation
import Glibc

/// A spool with its `relay.xml`, and the relay's commands on it.
public final class RelayFixture: Sendable {
    public let scratch: ScratchDirectory
    public let spool: String
    public var configurationPath: String { scratch.file("relay.xml") }

    /// - Parameters:
    ///   - body: The content of `Relay` beside the spool.
    ///   - folder: The directory of the spool; nil for the one beside the configuration.
    public init(_ body: String, in folder: String? = nil) async throws {
        scratch = try ScratchDirectory()
        spool = (folder ?? scratch.path) + "/spool"
        try SpoolFixture.own(scratch.path)
        let made = try await RunningProgram.run(try Programs.path("ses"), ["init", spool])
        guard made.status == 0 else { throw HarnessError("ses init: \(made)") }
        try configure(body)
    }

    /// A copy of another's spool as it stands.
    public init(copying other: RelayFixture, _ body: String) async throws {
        scratch = try ScratchDirectory()
        spool = scratch.file("spool")
        try SpoolFixture.own(scratch.path)
        let copied = try await RunningProgram.run("/bin/cp", ["-a", other.spool, spool], asRoot: true)
        guard copied.status == 0 else { throw HarnessError("cp: \(copied)") }
        try configure(body)
    }

    /// On a spool that `write` makes.
    public init(_ body: String, _ write: (_ spool: String) throws -> Void) throws {
        scratch = try ScratchDirectory()
        spool = scratch.file("spool")
        try SpoolFixture.own(scratch.path)
        try write(spool)
        try configure(body)
    }

    /// On the spool of a `ses`.
    public init(beside ses: SpoolFixture, _ body: String) throws {
        scratch = ses.scratch
        spool = ses.spool
        try configure(body)
    }

    /// A gateway on the loopback that is tried again every second.
    public static func gateway(_ port: Int) -> String {
        "<gateway>127.0.0.1</gateway><gatewayPort>\(port)</gatewayPort><TLS level=\"off\"/>"
            + "<delayTime>1 second</delayTime><maxRetries>20</maxRetries>"
    }

    public func configure(_ body: String) throws {
        let text = "<Relay><Spool>\(spool)</Spool>\n\(body)\n</Relay>\n"
        try scratch.write(Array(text.utf8), to: "relay.xml")
        guard chmod(configurationPath, 0o640) == 0 else { throw HarnessError("chmod \(configurationPath): \(errno)") }
        try SpoolFixture.own(configurationPath)
    }

    /// Puts a message into a folder, as `ses` does: its envelope block first, LF line ends, one rename.
    /// - Parameter fields: More of the block.
    public func put(
        _ message: String, from sender: String = "a@example.test", to recipients: [String], fields: [String] = [],
        folder: String = "delivered", origin: String = "out"
    ) throws {
        let block =
            "Return-Path: <\(sender)>\nEnvelope-To: \(recipients.joined(separator: ",\n "))\n"
            + fields.map { $0 + "\n" }.joined() + "X-SES-End: 1\n"
        let entry = UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased()
        let name =
            "\(Int(Date.now.timeIntervalSince1970)).\(entry).\(entry.prefix(16)),E=\(block.utf8.count),O=\(origin)"
        let aside = spool + "/\(folder)/tmp/" + name
        try Data((block + message).utf8).write(to: URL(fileURLWithPath: aside))
        try SpoolFixture.own(aside)
        guard chmod(aside, 0o640) == 0, rename(aside, spool + "/\(folder)/new/" + name) == 0 else {
            throw HarnessError("rename to \(folder): \(errno)")
        }
    }

    public func run(
        _ arguments: [String], environment: [String: String] = [:]
    ) async throws -> RunningProgram.Finished {
        try await RunningProgram.run(
            try Programs.path("ses-relay"), arguments + ["--config", configurationPath], environment: environment)
    }

    @discardableResult
    public func once(environment: [String: String] = [:]) async throws -> RunningProgram.Finished {
        try await run(["once"], environment: environment)
    }

    /// Starts the daemon and does not wait for anything.
    public func launch(environment: [String: String] = [:]) throws -> RunningProgram {
        try RunningProgram(
            try Programs.path("ses-relay"), ["run", "--config", configurationPath], environment: environment)
    }

    /// Starts the daemon and waits until it says of itself that it runs.
    public func start(environment: [String: String] = [:]) async throws -> RunningProgram {
        let daemon = try launch(environment: environment)
        try await eventually("ses-relay is ready: \(daemon.text(.error))", within: .seconds(30)) {
            guard daemon.isRunning else { throw HarnessError("ses-relay ended: \(daemon.text(.error))") }
            return FileManager.default.fileExists(atPath: spool + "/relay/ses-relay-\(daemon.pid).json") ? () : nil
        }
        return daemon
    }

    /// Drains until nothing waits any more; what is deferred is tried again as it becomes due.
    public func toEnd(within limit: Duration = .seconds(60)) async throws {
        try await eventually("nothing waits", within: limit) {
            let finished = try await once()
            guard finished.status == 0 else { throw HarnessError("ses-relay once: \(finished)") }
            let waiting = try counts().filter { $0.key != "failed" }
            return waiting.isEmpty ? () : nil
        }
    }

    public func names(in directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: spool + "/" + directory).filter { !$0.hasPrefix(".") }
            .sorted()
    }

    /// Returns the number of files in each place that holds any.
    public func counts() throws -> [String: Int] {
        var found: [String: Int] = [:]
        for place in [
            "delivered/new", "admin/new", "relay/work", "relay/publish", "relay/deferred", "failed",
        ] {
            let count = try names(in: place).count
            if count > 0 { found[place] = count }
        }
        return found
    }

    /// The whole journal, a line a string.
    public func journal() throws -> [String] {
        try names(in: "relay/journal").flatMap { name in
            String(decoding: try TestMaterial.octets(spool + "/relay/journal/" + name), as: UTF8.self)
                .split(separator: "\n").map(String.init)
        }
    }

    /// Returns the report of `ses-relay status`: whether all is well, and the reasons if not.
    public func status(_ options: [String] = []) async throws -> (isHealthy: Bool, reasons: [String]) {
        let finished = try await RunningProgram.run(
            try Programs.path("ses-relay"), ["status", "--json", "--config", configurationPath] + options)
        let object = try JSONSerialization.jsonObject(with: Data(finished.output.utf8)) as? [String: Any]
        guard let status = object?["status"] as? String, let reasons = object?["reasons"] as? [[String: Any]] else {
            throw HarnessError("ses-relay status: \(finished)")
        }
        return (status == "OK", reasons.compactMap { $0["text"] as? String })
    }

    /// Returns the number of times that the journal announces a possible repeat for each address.
    public func possibleRepeats() throws -> [String: Int] {
        var told: [String: Int] = [:]
        for line in try journal() where line.contains("possible repeat") {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            for address in object?["rcpt"] as? [String] ?? [] { told[address, default: 0] += 1 }
        }
        return told
    }
}
