import Foundation
import Glibc
import Synchronization

/// A program that was started by a test, with its output kept in files.
public final class RunningProgram: Sendable {
    /// The output and status of a program that has ended.
    public struct Finished: Sendable, CustomStringConvertible {
        /// The exit code; a signal's number plus 128 when a signal ended it, as a shell says it.
        public let status: Int32
        public let output: String
        public let error: String
        /// Of all its threads, user and system.
        public let processorTime: Duration
        /// The largest resident memory, octets.
        public let peakMemory: Int
        public var description: String { "status \(status)\n\(output)\n\(error)" }
    }

    public enum Stream: String, Sendable { case output, error }

    private let arguments: [String]
    private let scratch: ScratchDirectory
    /// Its process id, which is also that of the program itself when privileges were dropped.
    public let pid: Int32
    /// The result of `wait4` once it had ended; until then the process id is ours to signal.
    private let waited = Mutex<(status: Int32, usage: rusage)?>(nil)

    public var isRunning: Bool { ending(waiting: false) == nil }

    /// Starts a program; as the unprivileged account when the tests run as root.
    /// - Parameters:
    ///   - program: An absolute path.
    ///   - environment: Added to a small environment of the harness's own.
    ///   - input: The octets of its standard input.
    ///   - asRoot: Keeps root's privileges, where the tests have them.
    public init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], input: [UInt8] = [],
        asRoot: Bool = false
    ) throws {
        scratch = try ScratchDirectory()
        var command = ["/usr/bin/env", "--chdir=/", program] + arguments
        if let account = Programs.unprivileged, !asRoot {
            command =
                [
                    "/usr/bin/setpriv", "--reuid=\(account.user)", "--regid=\(account.group)", "--clear-groups", "--",
                ] + command
        }
        self.arguments = command
        let own = ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"]
        pid = try Self.spawn(
            command, environment: own.merging(environment) { $1 }.map { "\($0)=\($1)" },
            streams: [
                try scratch.write(input, to: "input"), try scratch.write([], to: Stream.output.rawValue),
                try scratch.write([], to: Stream.error.rawValue),
            ])
        Strays.add(pid)
    }

    deinit {
        signal(SIGKILL)
        _ = ending(waiting: true)
        Strays.remove(pid)
    }

    /// Starts `command` with the three files as its streams. (Foundation's `Process` keeps
    /// descriptors for each program that ever ran, too many for a run that starts thousands.)
    private static func spawn(_ command: [String], environment: [String], streams: [String]) throws(HarnessError)
        -> Int32
    {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (descriptor, path) in streams.enumerated() {
            posix_spawn_file_actions_addopen(
                &actions, Int32(descriptor), path, descriptor == 0 ? O_RDONLY : O_WRONLY | O_APPEND, 0)
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        let words = command.map { strdup($0) }
        let settings = environment.map { strdup($0) }
        defer { for word in words + settings { free(word) } }
        var pid: Int32 = 0
        let failure = posix_spawn(&pid, command[0], &actions, &attributes, words + [nil], settings + [nil])
        guard failure == 0 else {
            throw HarnessError("cannot start \(command): \(String(cString: strerror(failure)))")
        }
        return pid
    }

    /// Returns its status and use of resources, or nil while it runs.
    private func ending(waiting: Bool) -> (status: Int32, usage: rusage)? {
        waited.withLock { known in
            var status: Int32 = 0
            var usage = rusage()
            if known == nil, wait4(pid, &status, waiting ? 0 : WNOHANG, &usage) == pid { known = (status, usage) }
            return known
        }
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
            let (status, usage) = try await eventually("the end of \(arguments)", within: limit) {
                ending(waiting: false)
            }
            let signal = status & 0x7F
            let microseconds = [usage.ru_utime, usage.ru_stime].map { Int($0.tv_sec) * 1_000_000 + Int($0.tv_usec) }
            return Finished(
                status: signal == 0 ? status >> 8 & 0xFF : 128 + signal, output: text(.output), error: text(.error),
                processorTime: .microseconds(microseconds[0] + microseconds[1]), peakMemory: usage.ru_maxrss * 1_024)
        } catch {
            signal(SIGKILL)
            throw HarnessError("\(error): \(text(.error))")
        }
    }

    /// User and system time of all its threads so far.
    public func processorTime() throws -> Duration {
        let line = String(decoding: try TestMaterial.octets("/proc/\(pid)/stat"), as: UTF8.self)
        // The name in parentheses may hold anything.
        let fields = line[(line.lastIndex(of: ")") ?? line.startIndex)...].split(separator: " ")
        guard fields.count > 13, let user = Int(fields[12]), let system = Int(fields[13]) else {
            throw HarnessError("/proc/\(pid)/stat: \(line)")
        }
        return .milliseconds((user + system) * 1_000 / sysconf(Int32(_SC_CLK_TCK)))
    }

    public func signal(_ number: Int32) {
        waited.withLock { if $0 == nil { _ = Glibc.kill(pid, number) } }
    }

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
