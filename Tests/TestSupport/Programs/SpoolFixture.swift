import Foundation
import Glibc

/// A spool made by `ses init`, its configuration, and the commands on it.
public final class SpoolFixture: Sendable {
    public enum Direction: String, Sendable { case outgoing, incoming }

    /// The directory around the spool and the configuration; the programs' account owns it.
    public let scratch: ScratchDirectory
    public let spool: String
    public var configurationPath: String { scratch.file("ses.xml") }

    /// - Parameter folder: The directory of the spool; nil for the one beside the configuration.
    public init(_ configuration: SESXML, in folder: String? = nil) async throws {
        scratch = try ScratchDirectory()
        spool = (folder ?? scratch.path) + "/spool"
        try Self.own(scratch.path)
        try configure(configuration)
        let made = try await ses(["init", spool])
        guard made.status == 0 else { throw HarnessError("ses init: \(made)") }
    }

    /// A spool with a configuration that the caller writes, given the spool's path.
    public init(_ text: (_ spool: String) -> String) async throws {
        scratch = try ScratchDirectory()
        spool = scratch.file("spool")
        try Self.own(scratch.path)
        try configure(text(scratch.file("spool")))
        let made = try await ses(["init", spool])
        guard made.status == 0 else { throw HarnessError("ses init: \(made)") }
    }

    /// A copy of another fixture as it stands, for tests that go on from one state many times.
    public init(copying other: SpoolFixture) async throws {
        scratch = try ScratchDirectory()
        spool = scratch.file("spool")
        try Self.own(scratch.path)
        let copied = try await RunningProgram.run("/bin/cp", ["-a", other.spool, spool], asRoot: true)
        guard copied.status == 0 else { throw HarnessError("cp: \(copied)") }
        let text = String(decoding: try TestMaterial.octets(other.configurationPath), as: UTF8.self)
        try configure(text.replacingOccurrences(of: other.spool, with: spool))
    }

    /// Another spool with the same configuration, which `write` makes.
    public init(configuredAs other: SpoolFixture, _ write: (_ spool: String) throws -> Void) throws {
        scratch = try ScratchDirectory()
        spool = scratch.file("spool")
        try Self.own(scratch.path)
        try write(spool)
        let text = String(decoding: try TestMaterial.octets(other.configurationPath), as: UTF8.self)
        try configure(text.replacingOccurrences(of: other.spool, with: spool))
    }

    /// Writes the configuration anew.
    public func configure(_ configuration: SESXML) throws { try configure(configuration.text(spool: spool)) }

    public func configure(_ text: String) throws {
        try scratch.write(Array(text.utf8), to: "ses.xml")
        guard chmod(configurationPath, 0o640) == 0 else { throw HarnessError("chmod \(configurationPath): \(errno)") }
        try Self.own(configurationPath)
    }

    /// Hands a file that the test made to the programs' account.
    public static func own(_ path: String) throws {
        guard let account = Programs.unprivileged else { return }
        guard lchown(path, account.user, account.group) == 0 else { throw HarnessError("chown \(path): \(errno)") }
    }

    // MARK: Commands

    public func ses(
        _ arguments: [String], environment: [String: String] = [:], input: [UInt8] = [],
        within limit: Duration = .seconds(60)
    ) async throws -> RunningProgram.Finished {
        try await RunningProgram.run(
            try Programs.path("ses"), arguments, environment: environment, input: input, within: limit)
    }

    /// Puts a message in with `ses drop`.
    public func drop(
        _ message: [UInt8], to direction: Direction, from sender: String = MailSamples.alice,
        recipients: [String] = [MailSamples.bob], options: [String] = []
    ) async throws {
        let finished = try await ses(
            ["drop", "--spool", spool, "--to", direction.rawValue] + options + ["-f", sender, "--"] + recipients,
            input: message)
        guard finished.status == 0 else { throw HarnessError("ses drop: \(finished)") }
    }

    /// Puts a file into a directory of the spool by one rename, as another program would.
    @discardableResult
    public func place(_ octets: [UInt8], in directory: String, named name: String) throws -> String {
        let aside = try scratch.write(octets, to: "aside-" + UUID().uuidString)
        try Self.own(aside)
        let target = spool + "/" + directory + "/" + name
        guard rename(aside, target) == 0 else { throw HarnessError("rename to \(target): \(errno)") }
        return target
    }

    /// Drains the spool once; throws when that does not end well.
    @discardableResult
    public func process(within limit: Duration = .seconds(60)) async throws -> RunningProgram.Finished {
        let finished = try await ses(["process", "--config", configurationPath], within: limit)
        guard finished.status == 0 else { throw HarnessError("ses process: \(finished)") }
        return finished
    }

    @discardableResult
    public func sweep() async throws -> RunningProgram.Finished {
        let finished = try await ses(["sweep", "--config", configurationPath])
        guard finished.status == 0 else { throw HarnessError("ses sweep: \(finished)") }
        return finished
    }

    /// Starts the daemon and does not wait for anything.
    public func launch(environment: [String: String] = [:]) throws -> RunningProgram {
        try RunningProgram(
            try Programs.path("ses"), ["watch", "--config", configurationPath], environment: environment)
    }

    /// Starts the daemon and waits until it watches.
    public func watch(environment: [String: String] = [:]) async throws -> RunningProgram {
        let daemon = try launch(environment: environment)
        try await eventually("ses watch is ready: \(daemon.text(.error))", within: .seconds(30)) {
            guard daemon.isRunning else { throw HarnessError("ses watch ended: \(daemon.text(.error))") }
            return FileManager.default.fileExists(atPath: spool + "/state/ses-\(daemon.pid).json") ? () : nil
        }
        return daemon
    }

    // MARK: What is in it

    /// The names in a directory of the spool that do not begin with a dot, sorted.
    public func names(in directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: spool + "/" + directory).filter { !$0.hasPrefix(".") }
            .sorted()
    }

    /// The files in `folder/new`.
    public func files(in folder: String) throws -> [SpoolFile] {
        try names(in: folder + "/new").map { try SpoolFile(path: spool + "/\(folder)/new/" + $0) }
    }

    /// The one file in `folder/new`.
    public func onlyFile(in folder: String) throws -> SpoolFile {
        let all = try files(in: folder)
        guard all.count == 1 else { throw HarnessError("\(all.count) files in \(folder), not one: \(try counts())") }
        return all[0]
    }

    /// Waits until `count` files stand in `folder/new`.
    public func arrived(_ count: Int = 1, in folder: String, within limit: Duration = .seconds(20)) async throws
        -> [SpoolFile]
    {
        try await eventually("\(count) files in \(folder)", within: limit) {
            try names(in: folder + "/new").count >= count ? try files(in: folder) : nil
        }
    }

    /// Returns the number of files in each place that holds any.
    public func counts() throws -> [String: Int] {
        var found: [String: Int] = [:]
        let places = [
            "outgoing/new", "incoming/new", "delivered/new", "admin/new", "blocked/new", "retry/new", "work", "publish",
            "corrupt",
        ]
        for place in places {
            let count = try names(in: place).count
            if count > 0 { found[place] = count }
        }
        for bare in ["outgoing", "incoming"] {
            let count = try names(in: bare).count - 3
            if count != 0 { found[bare] = count }
        }
        return found
    }
}
