import Glibc
import InternetMessage
import Octets
import Relaying
import SESConfiguration
import Synchronization

/// Delivery by a program with the command line of sendmail: `sendmail -G -i -f SENDER -- RCPT…`, the message on its standard input.
///
/// What the sender wants to be told goes along as `-N`, `-R` and `-V`, where the configuration says that the program knows them.
/// It answers for all recipients at once, by its exit code (sysexits.h).
struct SendmailTransport: Transport {
    private let routes: [RelayRoute]

    init(_ configuration: RelayConfiguration) { routes = configuration.routes }

    func deliver<Fault: Error>(
        _ consignment: Consignment, to destination: Destination, offering: @escaping @Sendable () -> Void,
        report: ([RecipientReport]) throws(Fault) -> Void
    ) throws(Fault) -> TransportEnd {
        guard case .sendmail(let path, let takesDSN) = routes[destination.route].target else {
            return .routeFailed("the route \(destination.routeName) has no program")
        }
        let sender =
            switch consignment.sender {
            // What sendmail(8) and its kin take for the null sender.
            case .null: "<>"
            case .address(let address): address.description
            }
        let recipients = consignment.recipients.map(\.description)
        let wishes = takesDSN ? Self.options(consignment.notification) : []
        guard (recipients + [sender]).reduce(0, { $0 + $1.utf8.count + 1 }) < Self.longestCommand else {
            try report(
                consignment.recipients.map {
                    RecipientReport(
                        $0, DeliveryReport(.failed, status: "5.5.3", "too many recipients for one command line"))
                })
            return .untried
        }
        offering()
        let ending: Result<Int32, ProcessFailure>
        do throws(ProcessFailure) {
            ending = .success(
                try ChildProcess.run(
                    [path, "-G", "-i", "-f", sender] + wishes + ["--"] + recipients, input: consignment.content))
        } catch {
            ending = .failure(error)
        }
        switch ending {
        case .failure(let failure): return .routeFailed("\(path) cannot be run: \(failure.reason)")
        case .success(let code):
            let result = Self.report(of: code, path, acceptance: consignment.acceptance(notifies: takesDSN))
            try report(consignment.recipients.map { RecipientReport($0, result) })
            return .complete
        }
    }

    private static let longestCommand = 100_000

    /// Each value in one argument with its letter: a program that has another use for the letter alone refuses such a one, where
    /// it would otherwise take the value for a recipient.
    static func options(_ request: NotificationRequest) -> [String] {
        [
            request.notify.map { "-N" + "\($0)".lowercased() },
            request.returned.map { "-R" + $0.rawValue.lowercased() },
            request.identifier.map { "-V" + $0.xtext },
        ].compactMap(\.self)
    }

    /// What an exit code says (sysexits.h). What it does not know is tried again.
    /// - Parameter acceptance: What it is that the program took the message.
    static func report(
        of code: Int32, _ path: String, acceptance: DeliveryReport.Outcome = .sent
    ) -> DeliveryReport {
        let (outcome, status, words): (DeliveryReport.Outcome, String, String) =
            switch code {
            case 0: (acceptance, "2.0.0", "taken")
            case 64: (.failed, "5.5.4", "command line refused (EX_USAGE)")
            case 65: (.failed, "5.6.0", "message refused (EX_DATAERR)")
            case 67: (.failed, "5.1.1", "no such recipient (EX_NOUSER)")
            case 68: (.failed, "5.1.2", "no such host (EX_NOHOST)")
            case 69: (.deferred, "4.3.0", "service unavailable (EX_UNAVAILABLE)")
            case 70...76, 78: (.deferred, "4.3.0", "not now")
            case 77: (.failed, "5.7.1", "not permitted (EX_NOPERM)")
            case 128...: (.unknown, "4.3.0", "ended by signal \(code - 128)")
            default: (.deferred, "4.3.0", "not now")
            }
        return DeliveryReport(outcome, status: status, "\(path) ended with \(code): \(words)")
    }
}

/// Why a program could not be run.
struct ProcessFailure: Error {
    let reason: String

    init(_ errno: Int32) { reason = String(cString: strerror(errno)) }
}

/// A program that is run to its end, without a shell.
enum ChildProcess {
    /// - Parameters:
    ///   - command: An absolute path and the arguments.
    ///   - input: What it reads; where it stops reading, its exit code tells why.
    /// - Returns: Its exit code; 128 and the number of the signal that ended it.
    static func run(_ command: [String], input: any OctetSource) throws(ProcessFailure) -> Int32 {
        Self.ignoresBrokenPipes
        let (pid, pipe) = try start(command)
        let isWritten = write(input, to: pipe)
        close(pipe)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 {
            guard errno == EINTR else { throw ProcessFailure(errno) }
        }
        let signal = status & 0x7F
        let code = signal == 0 ? status >> 8 & 0xFF : 128 + signal
        // A program that took the message without reading it all has taken another message.
        return code == 0 && !isWritten ? 75 : code
    }

    /// A program that stops reading is told by write(2), not by a signal that ends us.
    private static let ignoresBrokenPipes: Void = { _ = signal(SIGPIPE, SIG_IGN) }()

    /// A pipe is inherited by whatever is started between its making and its mark; a program that holds the writing end of
    /// another's pipe would keep that one waiting for ever.
    private static let starting = Mutex(())

    private static func start(_ command: [String]) throws(ProcessFailure) -> (pid_t, pipe: CInt) {
        let started: Result<(pid_t, CInt), ProcessFailure> = starting.withLock { _ in
            var ends: [CInt] = [-1, -1]
            guard pipe(&ends) == 0 else { return .failure(ProcessFailure(errno)) }
            defer { close(ends[0]) }
            do throws(ProcessFailure) {
                for end in ends where fcntl(end, F_SETFD, FD_CLOEXEC) != 0 { throw ProcessFailure(errno) }
                return .success((try spawn(command, standardInput: ends[0]), ends[1]))
            } catch {
                close(ends[1])
                return .failure(error)
            }
        }
        return try started.get()
    }

    private static func spawn(_ command: [String], standardInput: CInt) throws(ProcessFailure) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        var outcome = posix_spawn_file_actions_init(&actions)
        guard outcome == 0 else { throw ProcessFailure(outcome) }
        defer { posix_spawn_file_actions_destroy(&actions) }
        outcome = posix_spawnattr_init(&attributes)
        guard outcome == 0 else { throw ProcessFailure(outcome) }
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        let steps = [
            posix_spawn_file_actions_adddup2(&actions, standardInput, STDIN_FILENO),
            posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0),
            // What this process ignores and blocks (SIGPIPE, SIGTERM) is no business of the program.
            posix_spawnattr_setsigmask(&attributes, &none),
            posix_spawnattr_setsigdefault(&attributes, &all),
            posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)),
        ]
        if let failed = steps.first(where: { $0 != 0 }) { throw ProcessFailure(failed) }
        let words = command.map { strdup($0) }
        let environment: [String] = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"]
        let settings = environment.map { strdup($0) }
        defer { for word in words + settings { free(word) } }
        guard (words + settings).allSatisfy({ $0 != nil }) else { throw ProcessFailure(ENOMEM) }
        var pid: pid_t = 0
        outcome = posix_spawn(&pid, command[0], &actions, &attributes, words + [nil], settings + [nil])
        guard outcome == 0 else { throw ProcessFailure(outcome) }
        return pid
    }

    /// Local mail has local line ends: each CRLF becomes LF, which sendmail makes CRLF again.
    /// - Returns: false when the program stopped reading.
    private static func write(_ input: any OctetSource, to descriptor: CInt) -> Bool {
        var converter = LFConverter()
        var converted: [UInt8] = []
        var isOpen = true
        func flush() {
            var written = 0
            while isOpen, written < converted.count {
                let count = converted.withUnsafeBytes {
                    Glibc.write(descriptor, $0.baseAddress.map { $0 + written }, $0.count - written)
                }
                if count >= 0 { written += count } else if errno != EINTR { isOpen = false }
            }
            converted.removeAll(keepingCapacity: true)
        }
        input.forEachChunk { chunk in
            guard isOpen else { return }
            converter.convert(chunk, into: &converted)
            flush()
        }
        converter.finish(into: &converted)
        flush()
        return isOpen
    }
}
