import ArgumentParser
import Gateway
import HostProcess
import ProgramCommands
import ProgramLife
import Workflows

struct Init: SESCommand {
    static let configuration = CommandConfiguration(abstract: "Make a spool, or repair its folders and modes.")
    @Argument(help: "The spool's directory.") var spool: String

    func perform() async throws(ProgramError) -> ExitStatus {
        for note in try SpoolInitialisation.make(at: spool) { Console.writeError("ses: " + note) }
        Console.write("spool ready: \(spool)")
        return .success
    }
}

struct Watch: SESCommand {
    static let configuration = CommandConfiguration(
        abstract: "Watch the spool and process what arrives, until told to stop.",
        discussion: "SIGTERM ends it in order, SIGHUP re-reads the configuration.")
    static let rereads = true
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var spool: SpoolOption
    @OptionGroup var root: RootOption

    func perform() async throws(ProgramError) -> ExitStatus {
        try await Daemon.run(.watch, ProgramOptions(config.path, spool.path, allowsRoot: root.isAllowed))
    }
}

struct Process: SESCommand {
    static let configuration = CommandConfiguration(
        abstract: "Process what waits in outgoing, incoming and is due in retry, then stop.")
    static let rereads = true
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var spool: SpoolOption
    @OptionGroup var root: RootOption

    func perform() async throws(ProgramError) -> ExitStatus {
        try await Daemon.run(.process, ProgramOptions(config.path, spool.path, allowsRoot: root.isAllowed))
    }
}

struct Sweep: SESCommand {
    static let configuration = CommandConfiguration(
        abstract: "Try again what is due in retry, then stop; for cron.")
    static let rereads = true
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var spool: SpoolOption
    @OptionGroup var root: RootOption

    func perform() async throws(ProgramError) -> ExitStatus {
        try await Daemon.run(.sweep, ProgramOptions(config.path, spool.path, allowsRoot: root.isAllowed))
    }
}

struct Drop: SESCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put a message from standard input and its envelope into a spool; for mail servers.",
        discussion: """
            Reads no configuration, and prints the entry that the message became, for the mail server's log. Exit codes are \
            those of sysexits.h: 0 the spool has the message for good, 75 try again, 65 the message or an address can never \
            be accepted, 64 the command line is wrong.
            """)
    @Option(name: .customLong("to"), help: "outgoing or incoming.") var direction: Direction
    @Option(
        name: [.customShort("f", allowingJoined: true), .customLong("from")], parsing: .unconditional,
        help: "The envelope sender; '<>', '' or MAILER-DAEMON for the null sender.")
    var sender: String
    @Argument(help: "The envelope recipients, after `--`.") var recipients: [String] = []
    @Option(name: .customLong("queue-id"), help: "What the mail server calls the message; recorded in the spool.")
    var queueID: String?
    @Option(
        name: .customShort("N", allowingJoined: true),
        help: "When the sender is to be told (DSN): never, or success,failure,delay.")
    var notify: String?
    @Option(name: .customShort("R", allowingJoined: true), help: "How much a failure gives back (DSN): hdrs or full.")
    var returned: String?
    @Option(
        name: .customShort("V", allowingJoined: true), parsing: .unconditional,
        help: "What notifications are to call the message (DSN's ENVID), as xtext.")
    var envelopeID: String?
    @Option(name: .customLong("spool"), help: "The spool (else $SES_SPOOL, else /var/spool/ses).") var spool: String?

    func perform() async throws(ProgramError) -> ExitStatus {
        try MessageDrop.run(
            to: direction, sender: sender, recipients: recipients, queueID: queueID,
            notification: try MessageDrop.notification(
                notify: notify, returned: returned, identifier: envelopeID), spool: spool)
    }
}
