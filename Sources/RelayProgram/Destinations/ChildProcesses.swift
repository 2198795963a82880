import Dispatch
import FoundationEssentials
import Glibc
import HostProcess
import Octets
import Synchronization

/// The reason why a program could not be run.
struct ProcessFailure: Error {
    let errno: Int32
    var reason: String { String(cString: strerror(errno)) }
    /// True if this machine has no descriptors, processes or memory left.
    var isShortage: Bool { [EMFILE, ENFILE, ENOMEM, ENOBUFS, EAGAIN].contains(errno) }

    init(_ errno: Int32) { self.errno = errno }
}

/// The standard input of a program: a file without a name. (With a pipe, the program would take a message for complete
/// whose writer was killed in the middle.)
final class InputFile {
    let descriptor: CInt

    init(_ content: any OctetSource) throws(ProcessFailure) {
        descriptor = Self.open()
        guard descriptor >= 0 else { throw ProcessFailure(errno) }
        let failure = Self.write(content, to: descriptor)
        guard failure == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
            let cause = failure == 0 ? errno : failure
            close(descriptor)
            throw ProcessFailure(cause)
        }
    }

    deinit { close(descriptor) }

    /// True if the program that was given it has read it all: both share one position in the file.
    var isReadToEnd: Bool {
        let place = lseek(descriptor, 0, SEEK_CUR)
        return place >= 0 && place == lseek(descriptor, 0, SEEK_END)
    }

    private static func open() -> CInt {
        var name = Array("/tmp/ses-relay-XXXXXX".utf8CString)
        let made = mkstemp(&name)
        if made >= 0 {
            unlink(name)
            _ = fcntl(made, F_SETFD, FD_CLOEXEC)
            return made
        }
        let shared = "/ses-relay-\(UUID().uuidString)"
        let memory = shm_open(shared, O_RDWR | O_CREAT | O_EXCL, 0o600)
        if memory >= 0 { shm_unlink(shared) }
        return memory
    }

    /// Local mail has local line ends: each CRLF becomes LF, which sendmail makes CRLF again.
    /// - Returns: 0 or errno.
    private static func write(_ content: any OctetSource, to descriptor: CInt) -> CInt {
        var converter = LFConverter()
        var converted: [UInt8] = []
        var failure: CInt = 0
        func flush() {
            var written = 0
            while failure == 0, written < converted.count {
                let count = converted.withUnsafeBytes {
                    Glibc.write(descriptor, $0.baseAddress.map { $0 + written }, $0.count - written)
                }
                if count >= 0 { written += count } else if errno != EINTR { failure = errno }
            }
            converted.removeAll(keepingCapacity: true)
        }
        content.forEachChunk { chunk in
            guard failure == 0 else { return }
            converter.convert(chunk, into: &converted)
            flush()
        }
        converter.finish(into: &converted)
        flush()
        return failure
    }
}

/// Programs that are run to their end, without a shell, none for longer than its limit.
final class ChildProcesses: Sendable {
    enum Ending: Equatable {
        /// With its exit code; 128 and the number of the signal that ended it.
        case exited(Int32)
        /// It did not end in time and was killed.
        case tooLong
        /// It was ended because this program is to stop.
        case stopped
    }

    private let running = Mutex<[ObjectIdentifier: Child]>([:])
    private let interrupted = Atomic(false)

    /// The time a program may take to clean up when it is told to end.
    private static let grace = Duration.seconds(1)

    var isInterrupted: Bool { interrupted.load(ordering: .acquiring) }

    /// - Parameter command: An absolute path and the arguments.
    func run(_ command: [String], input: InputFile, limit: Duration) throws(ProcessFailure) -> Ending {
        guard !isInterrupted else { throw ProcessFailure(ECANCELED) }
        let child = try Child(command, standardInput: input.descriptor)
        running.withLock { $0[ObjectIdentifier(child)] = child }
        defer { running.withLock { $0[ObjectIdentifier(child)] = nil } }
        // The order to stop may have come while it was being started.
        if isInterrupted { child.signal(SIGTERM) }
        if let code = child.end(within: limit) {
            if isInterrupted && code >= 128 { return .stopped }
            // A program that took the message without reading it all has taken another message.
            return .exited(code == 0 && !input.isReadToEnd ? 75 : code)
        }
        child.signal(SIGTERM)
        if child.end(within: Self.grace) == nil {
            child.signal(SIGKILL)
            _ = child.end(within: Self.grace)
        }
        return isInterrupted ? .stopped : .tooLong
    }

    /// Ends those that run, now and later.
    func interrupt() {
        interrupted.store(true, ordering: .releasing)
        let children = running.withLock { Array($0.values) }
        for child in children { child.signal(SIGTERM) }
        guard !children.isEmpty else { return }
        DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(1)) {
            for child in children { child.signal(SIGKILL) }
        }
    }
}

/// One program in a process group of its own.
private final class Child: Sendable {
    private let program: StartedProgram
    private let ended = DispatchSemaphore(value: 0)

    init(_ command: [String], standardInput: CInt) throws(ProcessFailure) {
        var start = ProgramStart(
            command, environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"])
        start.input = .descriptor(standardInput)
        start.error = .inherited
        start.hasOwnGroup = true
        do {
            program = StartedProgram(try start.spawn())
        } catch {
            throw ProcessFailure(error.errno)
        }
        // There is no wait with a limit, so a thread of its own waits.
        OwnThread.start("child") { [self] in
            program.wait()
            ended.signal()
        }
    }

    /// - Returns: Its exit code; nil when it has not ended in time.
    func end(within limit: Duration) -> Int32? {
        let milliseconds = Int(min(limit, .seconds(1_000_000)) / .milliseconds(1))
        guard ended.wait(timeout: .now() + .milliseconds(milliseconds)) == .success else { return nil }
        ended.signal()
        return program.wait()
    }

    /// To it and to what it has started.
    func signal(_ number: CInt) { program.signalGroup(number) }
}
