import CProcess
public import Glibc
import Synchronization

/// The reason why a program could not be started.
public struct ProgramStartError: Error, CustomStringConvertible {
    public let errno: CInt
    public var description: String { String(cString: strerror(errno)) }

    public init(_ errno: CInt) { self.errno = errno }
}

/// The start of a program without a shell (posix_spawn(3)).
///
/// The program gets no descriptors but its three streams, and does not ignore or block the signals that this process
/// does.
public struct ProgramStart: Sendable {
    public enum Stream: Sendable {
        case null
        /// The stream of this process.
        case inherited
        /// A descriptor of this process, which keeps it.
        case descriptor(CInt)
    }

    /// An absolute path and the arguments.
    public var command: [String]
    public var environment: [String: String]
    public var input = Stream.null
    public var output = Stream.null
    public var error = Stream.null
    /// The directory that it starts in; nil for that of this process.
    public var directory: String?
    /// Makes it the leader of a process group of its own.
    public var hasOwnGroup = false

    public init(_ command: [String], environment: [String: String]) {
        self.command = command
        self.environment = environment
    }

    /// The path of a program of the house: beside the program that runs, else where the package puts it; nil if there
    /// is none that may be run.
    public static func path(of name: String) -> String? {
        var own = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/self/exe", &own, own.count)
        let octets = own.prefix(max(0, length)).map { UInt8(bitPattern: $0) }
        let directory = SmallFile.directory(of: String(decoding: octets, as: UTF8.self))
        return [directory + "/" + name, "/usr/bin/" + name].first { access($0, X_OK) == 0 }
    }

    /// Makes a pipe whose ends no other program inherits.
    /// - Throws: ``ProgramStartError`` if there are no descriptors left.
    public static func makePipe() throws(ProgramStartError) -> (reading: CInt, writing: CInt) {
        var ends: [CInt] = [-1, -1]
        guard cprocess_blocking_pipe(&ends) == 0 else { throw ProgramStartError(Glibc.errno) }
        return (ends[0], ends[1])
    }

    /// Starts it.
    /// - Returns: The number of the process, which the caller has to wait for (waitpid(2)).
    /// - Throws: ``ProgramStartError`` if the system does not start it.
    public func spawn() throws(ProgramStartError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        try Self.check(posix_spawn_file_actions_init(&actions))
        defer { posix_spawn_file_actions_destroy(&actions) }
        try Self.check(posix_spawnattr_init(&attributes))
        defer { posix_spawnattr_destroy(&attributes) }
        for (stream, number) in [(input, STDIN_FILENO), (output, STDOUT_FILENO), (error, STDERR_FILENO)] {
            switch stream {
            case .inherited: break
            case .descriptor(let own): try Self.check(posix_spawn_file_actions_adddup2(&actions, own, number))
            case .null:
                let mode = number == STDIN_FILENO ? O_RDONLY : O_WRONLY
                try Self.check(posix_spawn_file_actions_addopen(&actions, number, "/dev/null", mode, 0))
            }
        }
        if let directory { try Self.check(cprocess_spawn_in_directory(&actions, directory)) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        var flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        if hasOwnGroup { flags |= POSIX_SPAWN_SETPGROUP }
        try Self.check(posix_spawnattr_setsigmask(&attributes, &none))
        try Self.check(posix_spawnattr_setsigdefault(&attributes, &all))
        try Self.check(posix_spawnattr_setpgroup(&attributes, 0))
        try Self.check(posix_spawnattr_setflags(&attributes, Int16(flags)))
        let words = command.map { strdup($0) }
        let settings = environment.map { strdup("\($0.key)=\($0.value)") }
        defer { for word in words + settings { free(word) } }
        guard (words + settings).allSatisfy({ $0 != nil }) else { throw ProgramStartError(ENOMEM) }
        var pid: pid_t = 0
        try Self.check(posix_spawn(&pid, command[0], &actions, &attributes, words + [nil], settings + [nil]))
        return pid
    }

    private static func check(_ outcome: CInt) throws(ProgramStartError) {
        guard outcome == 0 else { throw ProgramStartError(outcome) }
    }
}

/// A program that this process has started, until its end.
public final class StartedProgram: Sendable {
    private let pid: pid_t
    private let status = Mutex<CInt?>(nil)

    /// - Parameter pid: The process that ``ProgramStart/spawn()`` returned; nobody else waits for it.
    public init(_ pid: pid_t) { self.pid = pid }

    /// Waits for its end. Blocks.
    /// - Returns: Its exit status; 128 and the number of the signal that ended it.
    @discardableResult
    public func wait() -> CInt {
        var information = siginfo_t()
        // Until it is reaped, its number cannot be that of another process.
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        return status.withLock { status in
            if let status { return status }
            var ended: CInt = 0
            while waitpid(pid, &ended, 0) < 0, errno == EINTR {}
            let signal = ended & 0x7F
            let code = signal == 0 ? ended >> 8 & 0xFF : 128 + signal
            status = code
            return code
        }
    }

    /// Sends it a signal; nothing happens once ``wait()`` has returned.
    public func signal(_ number: CInt) {
        status.withLock { if $0 == nil { kill(pid, number) } }
    }

    /// Sends a signal to its process group, which it leads (``ProgramStart/hasOwnGroup``).
    public func signalGroup(_ number: CInt) {
        status.withLock { if $0 == nil { kill(-pid, number) } }
    }
}
