public import ArgumentParser
import Glibc
public import HostProcess
import LMTPServer
public import Spool

@main
struct SESLMTP: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ses-lmtp",
        abstract: "Take mail over LMTP (RFC 2033) on Unix sockets and put it into a spool.",
        discussion: """
            Reads no configuration and needs only the rights of `ses drop`. A recipient is answered with 250 when the message \
            is in the spool for good. SIGTERM ends it within 10 s. --folder and --socket may be repeated together: one \
            process then serves several sockets.
            """, version: "ses-lmtp " + ProgramRelease.version)
    @Option(name: .customLong("folder"), help: "outgoing or incoming, for the --socket behind it.")
    var folders: [MaildirDelivery.Destination]
    @Option(name: .customLong("socket"), help: "The path of the socket. One that nobody listens on is replaced.")
    var sockets: [String]
    @Option(help: "The spool (else $SES_SPOOL, else /var/spool/ses).") var spool: String?
    @Option(help: "The octal mode of the sockets; write permission is permission to connect.") var mode = "0660"
    @Option(help: "The group of the sockets, name or number (else that of the process).") var group: String?
    @Option(help: "The most octets of a message.") var maxSize = 100 << 20
    @Option(help: "The most recipients of a message; more come in another transaction.") var maxRecipients = 1_000
    @Option(help: "The number of waiting files from which on no more are taken.") var maxWaiting = 100_000
    @Option(help: "The MiB of the file system that stay free (else what it needs to be of use).") var minFree: Int?
    @Option(help: "The most connections at a time.") var maxConnections = 100
    @Option(help: "Seconds to wait for a command, or for more of a message.") var timeout = 300
    @Option(help: "Seconds that a message may take from DATA to its end.") var dataTimeout = 900
    @Option(help: "text, json or journal, whatever standard error is (else what fits it).") var logFormat: LogFormat?
    @Flag(help: "Run as root all the same (also SES_ALLOW_ROOT=1).") var allowRoot = false

    func validate() throws {
        guard !sockets.isEmpty, folders.count == sockets.count else {
            throw ValidationError("Say --folder and --socket once for each socket.")
        }
        guard Set(sockets).count == sockets.count else { throw ValidationError("A --socket is named twice.") }
        guard let octal = UInt32(mode, radix: 8), octal <= 0o777 else {
            throw ValidationError("--mode: expected an octal mode such as 0660.")
        }
        for (name, value) in [
            ("max-size", maxSize), ("max-recipients", maxRecipients), ("max-waiting", maxWaiting),
            ("max-connections", maxConnections), ("timeout", timeout), ("data-timeout", dataTimeout),
            ("min-free", minFree ?? 1),
        ] where !(1...Int(Int32.max)).contains(value) {
            throw ValidationError("--\(name): expected a number from 1 to \(Int32.max).")
        }
    }

    func run() throws {
        var options = LMTPServiceOptions(
            spool: spool ?? getenv("SES_SPOOL").map { String(cString: $0) } ?? "/var/spool/ses",
            doors: zip(folders, sockets).map { LMTPServiceOptions.Door(queue: $0, socket: $1) })
        options.mode = UInt32(mode, radix: 8) ?? 0o660
        options.group = group
        options.messageOctets = maxSize
        options.recipients = maxRecipients
        options.maximumWaiting = maxWaiting
        options.leastFree = minFree.map { $0 << 20 }
        options.connections = maxConnections
        options.patience = timeout
        options.maximumMessageTime = dataTimeout
        options.allowsRoot = allowRoot
        options.logFormat = logFormat ?? .fitting
        let status = LMTPService.run(options)
        guard status == 0 else { throw ExitCode(status) }
    }
}

extension MaildirDelivery.Destination: ExpressibleByArgument {}
extension LogFormat: ExpressibleByArgument {}
