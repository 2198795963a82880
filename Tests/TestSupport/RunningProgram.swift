import Foundation
import Glibc
import Synchronization

/// A program that was started by a test, with its output kept in files.
public final class RunningProgram: Sendable {
    /// What a program left behind.
    public struct Finished: Sendable, CustomStringConvertible {
        /// The exit code; a signal's number plus 128 when a signal ended it, as a shell says it.
        public let status: Int32
        public let output: String
        public let error: String
        public var description: String { "status \(status)\n\(output)\n\(error)" }
    }

    public enum Stream: String, Sendable { case output, error }

    private let process: Process
    private let scratch: ScratchDirectory
    /// Its process id, which is also that of the program itself when privileges were dropped.
    public var pid: Int32 { process.processIdentifier }
    public var isRunning: Bool { process.isRunning }

    /// Starts a program; as the unprivileged account when the tests run as root.
    /// - Parameters:
    ///   - program: An absolute path.
    ///   - environment: Added to a small environment of the harness's own.
    ///   - input: What it reads from standard input.
    ///   - asRoot: Keeps root's privileges, where the tests have them.
    public init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], input: [UInt8] = [],
        asRoot: Bool = false
    ) throws {
        scratch = try ScratchDirectory()
        process = Process()
        var command = [program] + arguments
        if let account = Programs.unprivileged, !asRoot {
            command =
                [
                    "/usr/bin/setpriv", "--reuid=\(account.user)", "--regid=\(account.group)", "--clear-groups", "--",
                ] + command
        }
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        process.currentDirectoryURL = URL(fileURLWithPath: "/")
        let own = ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"]
        process.environment = own.merging(environment) { $1 }
        process.standardInput = try FileHandle(
            forReadingFrom: URL(fileURLWithPath: scratch.write(input, to: "input")))
        process.standardOutput = try FileHandle(
            forWritingTo: URL(fileURLWithPath: scratch.write([], to: Stream.output.rawValue)))
        process.standardError = try FileHandle(
            forWritingTo: URL(fileURLWithPath: scratch.write([], to: Stream.error.rawValue)))
        try process.run()
        Strays.add(process.processIdentifier)
    }

    deinit {
        if process.isRunning { _ = Glibc.kill(process.processIdentifier, SIGKILL) }
        Strays.remove(process.processIdentifier)
    }

    /// Everything it has written so far.
    public func text(_ stream: Stream) -> String {
        let octets = (try? TestMaterial.octets(scratch.file(stream.rawValue))) ?? []
        return String(decoding: octets, as: UTF8.self)
    }

    /// Waits for a line on either stream.
    /// - Throws: ``HarnessError`` when time is up or the program ended without it.
    public func line(containing part: String, within limit: Duration = .seconds(20)) async throws -> String {
        try await eventually("a line with '\(part)'; so far: \(text(.output)) \(text(.error))", within: limit) {
            let hasEnded = !isRunning
            for stream in [Stream.output, .error] {
                let complete = text(stream).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
                if let found = complete.first(where: { $0.contains(part) }) { return String(found) }
            }
            if hasEnded { throw HarnessError("ended without a line with '\(part)': \(text(.error))") }
            return nil
        }
    }

    /// Waits for the end; kills the program and throws when it takes longer than `limit`.
    public func finished(within limit: Duration = .seconds(60)) async throws -> Finished {
        do {
            try await eventually("the end of \(process.arguments ?? []): \(text(.error))", within: limit) {
                isRunning ? nil : ()
            }
        } catch {
            signal(SIGKILL)
            throw error
        }
        let base: Int32 = process.terminationReason == .uncaughtSignal ? 128 : 0
        return Finished(status: base + process.terminationStatus, output: text(.output), error: text(.error))
    }

    public func signal(_ number: Int32) { _ = Glibc.kill(pid, number) }

    /// Asks it to stop and waits for that.
    @discardableResult
    public func terminate(within limit: Duration = .seconds(30)) async throws -> Finished {
        signal(SIGTERM)
        return try await finished(within: limit)
    }

    /// Ends it without a chance to tidy up.
    @discardableResult
    public func crash() async throws -> Finished {
        signal(SIGKILL)
        return try await finished(within: .seconds(10))
    }

    /// Runs a program to its end.
    public static func run(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], input: [UInt8] = [],
        asRoot: Bool = false, within limit: Duration = .seconds(60)
    ) async throws -> Finished {
        try await RunningProgram(program, arguments, environment: environment, input: input, asRoot: asRoot)
            .finished(within: limit)
    }
}

/// Processes to end with the test run, for the shared ones that nobody stops.
private enum Strays {
    private static let living = Mutex<Set<Int32>>([])
    private static let atEnd: Void = {
        atexit { Strays.living.withLock { for pid in $0 { _ = Glibc.kill(pid, SIGKILL) } } }
    }()

    static func add(_ pid: Int32) {
        atEnd
        living.withLock { _ = $0.insert(pid) }
    }

    static func remove(_ pid: Int32) { living.withLock { _ = $0.remove(pid) } }
}
